package layout

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"
)

func TestWithHints(t *testing.T) {
	const flow = "struct flow { u32 saddr; u32 hops[4]; u64 seen; i32 ret; u8 mac[6]; u16 port; char name[16]; void *ip; }"
	for _, test := range []struct{ typ, hints, want string }{
		{flow, "", flow},
		{flow, "saddr=ipv4", "struct flow { ipv4 saddr; u32 hops[4]; u64 seen; i32 ret; u8 mac[6]; u16 port; char name[16]; void * ip; }"},
		{flow, "hops=ipv4", "struct flow { u32 saddr; ipv4 hops[4]; u64 seen; i32 ret; u8 mac[6]; u16 port; char name[16]; void * ip; }"},
		{flow, "hops=ipv6", "struct flow { u32 saddr; ipv6 hops; u64 seen; i32 ret; u8 mac[6]; u16 port; char name[16]; void * ip; }"},
		{flow, "hops=hex", "struct flow { u32 saddr; hex(u32) hops[4]; u64 seen; i32 ret; u8 mac[6]; u16 port; char name[16]; void * ip; }"},
		{flow, "mac=mac port=be16 name=bytes[16]", "struct flow { u32 saddr; u32 hops[4]; u64 seen; i32 ret; mac mac; be16 port; bytes name[16]; void * ip; }"},
		{flow, "seen=ktime ret=errno ip=ksym port=hex", "struct flow { u32 saddr; u32 hops[4]; ktime seen; errno ret; u8 mac[6]; hex(u16) port; char name[16]; ksym(void *) ip; }"},
		{flow, "ret=ifindex", "struct flow { u32 saddr; u32 hops[4]; u64 seen; ifindex(i32) ret; u8 mac[6]; u16 port; char name[16]; void * ip; }"},
		{flow, "port=hex(be16)", "struct flow { u32 saddr; u32 hops[4]; u64 seen; i32 ret; u8 mac[6]; hex(be16) port; char name[16]; void * ip; }"},
		{flow, "name=comm", "struct flow { u32 saddr; u32 hops[4]; u64 seen; i32 ret; u8 mac[6]; u16 port; comm name; void * ip; }"},
		{flow, "seen=struct { u32 a; u32 b; }", "struct flow { u32 saddr; u32 hops[4]; u64 : 32; struct { u32 a; u32 b; } seen; i32 ret; u8 mac[6]; u16 port; char name[16]; u64 : 32; void * ip; } __attribute__((packed))"},
		{"u32", "=ipv4", "ipv4"},
		{"u64[2]", "=ktime", "ktime[2]"},
		{"struct { u32 prefixlen; u8 addr[4]; }", "=cidr4", "cidr4"},
		{"struct { u8 n; struct { u32 addr; } in[2][2]; }", "in.addr=ipv4", "struct { u8 n; struct { ipv4 addr; } in[2][2]; }"},
		{"struct { u8 n; union { u32 v4; struct { u16 a; u16 b; }; }; }", "v4=ipv4 b=be16", "struct { u8 n; union { ipv4 v4; struct { u16 a; be16 b; }; }; }"},
		{"union { u32 a; u8 b; }", "a=uid", "union { uid a; u8 b; }"},
		{"struct { u8 a : 3; u8 b : 5; }", "b=hex", "struct { u8 a : 3; hex(u8) b : 5; }"},
		{"struct { u8 a : 3; u8 b : 5; }", "b=enum : u8 { X = 1 }", "struct { u8 a : 3; enum : u8 { X = 1 } b : 5; }"},
		{"struct { u8 a; u32 b; } __packed", "b=ipv4", "struct { u8 a; ipv4 b; } __attribute__((packed))"},
		{"struct { u8 a; u8 b[4]; }", "b=ipv4", "struct { u8 a; ipv4 b; } __attribute__((packed))"},
		{"struct { u8 a; u32 b; }", "b=u8[4]", "struct { u8 a; u64 : 24; u8 b[4]; } __attribute__((packed))"},
		{"ktime", "=hex", "hex(u64)"},
		{"struct { u8 seen[8]; f32 who; }", "seen=ktime who=uid", "struct { ktime seen; uid who; } __attribute__((packed))"},
		{"struct { u32 a; }", "a=enum verdict", "struct { enum verdict { PASS = 0, DROP = 1 } a; }"},

		{flow, "sadr=ipv4", "sadr: struct flow has no field sadr (did you mean saddr?); it has saddr, hops, seen, ret, mac, port, name, ip"},
		{flow, "saddr.x=ipv4", "saddr.x: u32 has no field x: it is no struct"},
		{flow, "seen=ipv4", "seen: ipv4 has 4 bytes, u64 has 8"},
		{flow, "saddr=ktime", "saddr: ktime is of an integer of 8 bytes, got u32"},
		{flow, "name=hex", "name: hex is of an integer of 1, 2, 4, 8 or 16 bytes, got char[16]"},
		{flow, "hops=mac", "hops: mac has 6 bytes, u32[4] has 16"},
		{flow, "saddr=ipv5", `saddr: type "ipv5", column 1: no type ipv5 (did you mean ipv4?)`},
		{flow, "=ipv4", "the type itself: ipv4 has 4 bytes, struct flow has 72"},
		{flow, ".saddr=ipv4", `.saddr: struct flow has no field ""; it has saddr, hops, seen, ret, mac, port, name, ip`},
		{"cidr4", "addr=ipv4", "addr: cidr4 has no field addr: it is no struct"},
		{"struct { u8 n; union { u32 v4; struct { u16 a; }; }; }", "b=be16", "b: struct has no field b; it has n, v4, a"},
		{"struct { u8 a : 3; u32 b : 5; }", "b=ipv4", "b: ipv4 has no bit fields, and it is one"},
		{"struct { struct bpf_timer t; u8 a; }", "t=u64[2]", "t: it is a bpf_timer, which the kernel keeps for itself"},
		{"struct { struct bpf_timer t; u8 a; }", "t.__opaque=hex", "t.__opaque: struct bpf_timer has no field __opaque: it is no struct"},
	} {
		t.Run(test.hints, func(t *testing.T) {
			typ, err := testHost().Parse(test.typ)
			if err != nil {
				t.Fatal(err)
			}
			before, spelled := typ.btf, typ.name
			hinted, err := typ.WithHints(parseHints(test.hints))
			got := fmt.Sprint(err)
			if err == nil {
				got = hinted.name
				checkAgain(t, hinted)
				if hinted.host == nil {
					t.Error("the host is lost")
				}
			}
			if want := strings.ReplaceAll(test.want, "void *ip", "void * ip"); got != want {
				t.Errorf("got %s\nwant %s", got, want)
			}
			if spell(before) != spelled { // the BTF of a map is shared
				t.Errorf("the type has become %s", spell(before))
			}
		})
	}
}

// parseHints reads "path=spelling path=spelling"; the last spelling may have spaces.
func parseHints(s string) map[string]string {
	hints := map[string]string{}
	for s != "" {
		path, rest, _ := strings.Cut(s, "=")
		end := len(rest)
		if i := strings.Index(rest, " "); i >= 0 && strings.Contains(rest[i:], "=") && !strings.Contains(rest, "{") {
			end = i
		}
		hints[path] = rest[:end]
		s = strings.TrimPrefix(rest[end:], " ")
	}
	return hints
}

func TestHintsOfMap(t *testing.T) {
	key, value := mustParse(t, "struct { u32 saddr; }"), mustParse(t, "struct { u64 seen; }")
	for _, test := range []struct {
		key         *Type
		hints, want string
	}{
		{key, "", "struct { u32 saddr; } struct { u64 seen; }"},
		{key, "key.saddr=ipv4 value.seen=ktime", "struct { ipv4 saddr; } struct { ktime seen; }"},
		{key, "key=ipv4 value=ktime", "ipv4 ktime"},
		{nil, "value.seen=ktime", "<nil> struct { ktime seen; }"},
		{nil, "key.saddr=ipv4", "key.saddr: there are no keys"},
		{key, "key.sadr=ipv4", "key.sadr: struct has no field sadr (did you mean saddr?); it has saddr"},
		{key, "key=mac", "key: mac has 6 bytes, struct has 4"},
		{key, "value.seen=ipv4", "value.seen: ipv4 has 4 bytes, u64 has 8"},
		{key, "kay.saddr=ipv4", `"kay.saddr": a path is key, value, or a field of one of them such as value.seen (did you mean key?)`},
		{key, "saddr=ipv4", "saddr: a path is key, value, or a field of one of them such as value.seen"},
		{key, "key.=ipv4", `"key.": a path is key, value, or a field of one of them such as value.seen (did you mean key?)`},
		{key, "=ipv4", `"": a path is key, value, or a field of one of them such as value.seen`},
	} {
		t.Run(test.hints, func(t *testing.T) {
			k, v, err := Hints(test.key, value, parseHints(test.hints))
			got := fmt.Sprint(err)
			if err == nil {
				got = fmt.Sprint(k, " ", v)
			}
			if got != test.want {
				t.Errorf("got %s\nwant %s", got, test.want)
			}
		})
	}
}

// A network hint changes the value, and the bytes of both types are the same.
func TestHintedValues(t *testing.T) {
	plain := mustParse(t, "struct { u32 saddr; u64 seen; u8 a; }")
	hinted, err := plain.WithHints(map[string]string{"saddr": "ipv4", "seen": "ktime"})
	if err != nil {
		t.Fatal(err)
	}
	check(t, map[string]btf.Type{"hinted": hinted.btf}, []expr{
		{`dec(hinted, "0a 00 00 01 ee ee ee ee 05 00 00 00 00 00 00 00 01 ee ee ee ee ee ee ee")`, `record(saddr="10.0.0.1", seen=5, a=1)`},
		{`enc(hinted, ("10.0.0.1", 5, 1))`, `0a 00 00 01 00 00 00 00 05 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00`},
	})
}

// A variable of a section can have hints; the section is then a struct.
func TestHintedSection(t *testing.T) {
	section, err := Of(&btf.Datasec{Name: ".bss", Size: 8, Vars: []btf.VarSecinfo{variable(0, 8, "last", uint64Type)}})
	if err != nil {
		t.Fatal(err)
	}
	hinted, err := section.WithHints(map[string]string{"last": "ktime"})
	if err != nil || hinted.name != "struct { ktime last; }" {
		t.Errorf("got %v, %v", hinted, err)
	}
}
