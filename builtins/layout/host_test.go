package layout

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf/btf"
)

// testHost is a machine with a few of everything.
func testHost() *Host {
	flow := &btf.Struct{Name: "flow_key", Size: 8, Members: []btf.Member{at(0, "saddr", uint32Type), at(32, "port", def("__be16", uint16Type))}}
	types := map[string]btf.Type{
		"struct flow_key": flow,
		"flow_t":          def("flow_t", flow),
		"union addr":      &btf.Union{Name: "addr", Size: 4, Members: []btf.Member{at(0, "v4", def("ipv4", uint32Type))}},
		"enum verdict":    &btf.Enum{Name: "verdict", Size: 4, Values: []btf.EnumValue{{Name: "PASS"}, {Name: "DROP", Value: 1}}},
		"callback_t":      def("callback_t", &btf.FuncProto{}),
		"struct sock":     &btf.Fwd{Name: "sock"},
		"struct wrong":    uint32Type,
		"big_t":           def("big_t", arrayType(uint8Type, maxSize+1)),
	}
	return &Host{
		Find: func(name string) (btf.Type, error) {
			if name == "struct broken" {
				return nil, errors.New("the file is cut off")
			}
			if t, ok := types[name]; ok {
				return t, nil
			}
			return nil, fmt.Errorf("%s: %w", name, btf.ErrNotFound)
		},
		Names: func() []string { return []string{"struct flow_key", "flow_t", "union addr", "enum verdict"} },
		Symbol: func(addr uint64) (string, bool) {
			return fmt.Sprintf("tcp_v4_rcv+0x%x", addr-0xffffffff81000000), addr >= 0xffffffff81000000
		},
		Interface: func(index uint32) (string, bool) { return "eth0", index == 2 },
		User:      func(uid uint32) (string, bool) { return "root", uid == 0 },
		Signal:    func(signal uint32) (string, bool) { return "SIGKILL", signal == 9 },
		Process:   func(pid uint32) (string, bool) { return "sshd", pid == 7 },
		Cgroup:    func(id uint64) (string, bool) { return "/system.slice", id == 42 },
		Errno:     func(errno uint64) (string, bool) { return "ENOENT", errno == 2 },
		Clock: func() (uint64, time.Time) {
			return 1000e9, time.Date(2026, 11, 23, 10, 15, 5, 0, time.UTC)
		},
	}
}

func TestHostParse(t *testing.T) {
	for _, test := range []spelled{
		{"struct flow_key", "struct flow_key { u32 saddr; be16 port; }"},
		{"flow_t", "struct flow_key { u32 saddr; be16 port; }"},
		{"const struct flow_key[2]", "struct flow_key { u32 saddr; be16 port; }[2]"},
		{"struct { struct flow_key const a, b; u8 c; }", "struct { struct flow_key { u32 saddr; be16 port; } a; struct flow_key { u32 saddr; be16 port; } b; u8 c; }"},
		{"struct { flow_t; union addr; enum verdict v; }",
			"struct { struct flow_key { u32 saddr; be16 port; }; union addr { ipv4 v4; }; enum verdict { PASS = 0, DROP = 1 } v; }"},
		{"struct { struct flow_key; union addr; enum verdict v : 3; }",
			"struct { struct flow_key { u32 saddr; be16 port; }; union addr { ipv4 v4; }; enum verdict { PASS = 0, DROP = 1 } v : 3; }"},
		{"struct { struct flow_key *a; struct unknown *b; struct sock *c; }", "struct { void * a; void * b; void * c; }"},
		{"struct flow_key { u8 other; }", "struct flow_key { u8 other; }"},
		{"struct bpf_timer", "struct bpf_timer { u64 __opaque[2]; }"},
		{"hex(flow_t)", `type "hex(flow_t)", column 5: hex is of an integer of 1, 2, 4, 8 or 16 bytes, got struct flow_key`},

		{"struct flow_kye", `type "struct flow_kye", column 1: no struct flow_kye is known (did you mean struct flow_key?)`},
		{"struct { u8 a; struct flow b; }", `type "struct { u8 a; struct flow b; }", column 16: no struct flow is known`},
		{"struct pack", `type "struct pack", column 1: no struct pack is known`}, // struct sock is not like it
		{"struct { u8 a; enum verdct b; }", `type "struct { u8 a; enum verdct b; }", column 16: no enum verdct is known (did you mean enum verdict?)`},
		{"flow_y", `type "flow_y", column 1: no type flow_y (did you mean flow_t?)`},
		{"u33", `type "u33", column 1: no type u33 (did you mean u32?)`},
		{"union flow_key", `type "union flow_key", column 1: no union flow_key is known`},
		{"struct wrong", `type "struct wrong", column 1: struct wrong is no struct`},
		{"struct broken", `type "struct broken", column 1: struct broken: the file is cut off`},
		{"struct sock", `type "struct sock", column 1: struct sock is no struct`},
		{"callback_t", `type "callback_t", column 1: callback_t: a function has no size`},
		{"big_t", `type "big_t", column 1: big_t has 268435457 bytes, more than 268435456 are too large`},
		{"unsigned flow_t", `type "unsigned flow_t", column 10: got "flow_t" after the type`},
	} {
		t.Run(test.src, func(t *testing.T) {
			typ, err := testHost().Parse(test.src)
			if err != nil {
				if err.Error() != test.want {
					t.Errorf("got %v, want %s", err, test.want)
				}
				return
			}
			if typ.name != test.want {
				t.Errorf("got %s, want %s", typ, test.want)
			}
			checkAgain(t, typ) // without the host: the spelling has all there is
		})
	}
}

// A host that finds types may have no list of them, and one that finds none says what a spelling needs.
func TestHostWithout(t *testing.T) {
	host := testHost()
	host.Names = nil
	for _, test := range []struct {
		host      *Host
		src, want string
	}{
		{host, "struct flow_kye", "no struct flow_kye is known"},
		{host, "flow_y", "no type flow_y"},
		{&Host{}, "struct flow_key", "got the end, want the fields of struct flow_key in braces"},
		{nil, "struct flow_key", "got the end, want the fields of struct flow_key in braces"},
		{nil, "flow_t", "no type flow_t (did you mean float?)"},
	} {
		if _, err := test.host.Parse(test.src); err == nil || !strings.HasSuffix(err.Error(), ": "+test.want) {
			t.Errorf("%s: got %v, want %s", test.src, err, test.want)
		}
	}
}
