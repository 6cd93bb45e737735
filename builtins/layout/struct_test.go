package layout

import (
	"testing"

	"github.com/cilium/ebpf/btf"
)

func TestStruct(t *testing.T) {
	check(t, nil, []expr{
		{`dec("struct { u8 a; u16 b; }", "01 00 02 00")`, `record(a=1, b=2)`},
		{`dec("struct key { u8 a; u16 b; }", "01 ee 02 00")`, `key(a=1, b=2)`},
		{`enc("struct { u8 a; u16 b; }", {"a": 1, "b": 2})`, `01 00 02 00`},
		{`enc("struct { u8 a; u16 b; }", {"b": 2, "a": 1})`, `01 00 02 00`},
		{`enc("struct { u8 a; u16 b; }", (1, 2))`, `01 00 02 00`},
		{`enc("struct { u8 a; u16 b; }", [1, 2])`, `01 00 02 00`},
		{`enc("struct { u8 a; u16 b; }", b"\x01\xee\x02\x00")`, `01 ee 02 00`},
		{`enc("struct { u8 a; u16 b; }", b"\x01\xee\x02")`, `got 3 bytes, want struct: a dict, a record, or its fields in order`},
		{`enc("struct key { u8 a; u16 b; }", "x")`, `got "x", want struct key: a dict, a record, or its fields in order`},
		{`enc("struct { u8 a; u16 b; }", range(2))`, `got range of 2, want struct: a dict, a record, or its fields in order`},
		{`enc("struct { u8 a; u16 b; }", {"a": 1})`, `field b of struct is missing; it has a, b`},
		{`enc("struct key { u8 a; u16 b; }", {})`, `field a of struct key is missing; it has a, b`},
		{`enc("struct { u8 addr; u16 port; }", {"addr": 1, "prot": 2})`, `struct has no field prot (did you mean port?); it has addr, port`},
		{`enc("struct { u8 a; }", {"a": 1, "x y": 2})`, `struct has no field "x y"; it has a`},
		{`enc("struct { u8 a; }", {"a": 1, "": 2})`, `struct has no field ""; it has a`},
		{`enc("struct { u8 a; }", {1: 2})`, `got 1 for the name of a field of struct`},
		{`enc("struct { u8 a; u16 b; }", (1,))`, `got 1 value, want 2: a, b`},
		{`enc("struct { u8 a; u16 b; }", (1, 2, 3))`, `got 3 values, want 2: a, b`},

		{`enc("struct { u8 addr; u16 port; }", (1, 70000))`, `port: 70000 is out of range for u16 (0 to 65535)`},
		{`enc("struct { u8 a; struct { u8 b; } in; }", (1, (256,)))`, `in.b: 256 is out of range for u8 (0 to 255)`},
		{`enc("struct { struct { ipv4 addr; } hops[4]; }", ([("10.0.0.1",)] * 3 + [("x",)],))`, `hops[3].addr: "x" is not an IPv4 address such as "10.0.0.1"`},
		{`enc("struct { ipv4 addr; }[4]", [("10.0.0.1",)] * 3 + [("x",)])`, `[3].addr: "x" is not an IPv4 address such as "10.0.0.1"`},
		{`enc("struct { u8 m[2][2]; }", ([[1, 2], [3, "x"]],))`, `m[1][1]: got "x", want u8`},

		// A record of the same type is its bytes, padding too; one of another type is its fields.
		{`enc("struct { u8 a; u16 b; }", dec("struct { u8 a; u16 b; }", "01 ee 02 00"))`, `01 ee 02 00`},
		{`enc("struct { u8 a; u16 b; }", dec("struct { __u8 a; unsigned short b; }", "01 ee 02 00"))`, `01 ee 02 00`},
		{`enc("struct key { u8 a; u16 b; }", dec("struct { u8 a; u16 b; }", "01 ee 02 00"))`, `01 00 02 00`},
		{`enc("struct { u16 b; u64 a; }", dec("struct { u8 a; u16 b; }", "01 ee 02 00"))`, `02 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00`},
		{`enc("struct { u8 a; u16 b; } __packed", dec("struct { u8 a; u16 b; }", "01 ee 02 00"))`, `01 02 00`},
		{`enc("struct { u8 a; u8 b; }", dec("struct { u8 a; u16 b; }", "01 00 00 01"))`, `b: 256 is out of range for u8 (0 to 255)`},
		{`enc("struct { u8 a; }", dec("struct { u8 a; u16 b; }", "01 00 02 00"))`, `struct has no field b; it has a`},
		{`enc("struct { u8 a; u16 b; u8 c; }", dec("struct { u8 a; u16 b; }", "01 00 02 00"))`, `field c of struct is missing; it has a, b, c`},
		{`enc("struct { struct { u8 x; u16 y; } in; }", (dec("struct { u8 x; u16 y; }", "01 ee 02 00"),))`, `01 ee 02 00`},
		{`enc("struct { u64 a; u64 b; }", percpu("struct { u8 a; u16 b; }", (1, 2), (3, 4)).sum())`, `04 00 00 00 00 00 00 00 06 00 00 00 00 00 00 00`},
	})
}

func TestStructKernelFields(t *testing.T) {
	timer := &btf.Struct{Name: "bpf_timer", Size: 16, Members: []btf.Member{at(0, "__opaque", arrayType(uint64Type, 2))}}
	check(t, map[string]btf.Type{"timed": fields(24, at(0, "n", uint8Type), at(64, "timer", timer))}, []expr{
		{`enc("struct { struct bpf_spin_lock lock; u16 n; }", {"n": 1})`, `00 00 00 00 01 00 00 00`},
		{`enc("struct { struct bpf_spin_lock lock; u16 n; }", (1,))`, `00 00 00 00 01 00 00 00`},
		{`enc("struct { struct bpf_spin_lock lock; u16 n; }", (0, 1))`, `got 2 values, want 1: n`},
		{`enc("struct { struct bpf_spin_lock lock; u16 n; }", {"lock": (7,), "n": 1})`, `lock: got tuple of 1, want the <bpf_spin_lock> that was read, or nothing: the kernel keeps it for itself`},
		{`enc("struct { struct bpf_spin_lock lock; u16 n; }", {"lock": (0,)})`, `field n of struct is missing; it has lock, n`},
		{`dec("struct { struct bpf_spin_lock lock; u16 n; }", "00 00 00 00 01 00 00 00")`, `record(lock=<bpf_spin_lock>, n=1)`},
		{`T("struct { struct bpf_spin_lock lock; u16 n; }")(5)`, `record(lock=<bpf_spin_lock>, n=5)`},
		{`enc(timed, {"n": 1})`, `01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00`},
		{`timed(1)`, `record(n=1, timer=<bpf_timer>)`},
	})
}

func TestUnion(t *testing.T) {
	check(t, nil, []expr{
		{`dec("union { u16 a; u8 b; }", "01 02")`, `record(a=513, b=1)`},
		{`enc("union { u16 a; u8 b; }", {"a": 513})`, `01 02`},
		{`enc("union { u16 a; u8 b; }", {"b": 1})`, `01 00`},
		{`enc("union { u16 a; u8 b; }", {"a": 1, "b": 1})`, `fields a and b of union share bytes; give one of them`},
		{`enc("union { u16 a; u8 b; }", {})`, `field a of union is missing; it has a, b`},
		{`enc("union addr { u16 a; u8 b; }", (1,))`, `fields of union addr share bytes; name those to write in a dict: it has a, b`},
		{`enc("union { u16 a; u8 b; }", dec("union { u16 a; u8 b; }", "01 02"))`, `01 02`},
		{`enc("union { u16 a; u8 b; }", b"\x01\x02")`, `01 02`},
		{`enc("union { u16 a; u8 b; }", 1)`, `got 1, want union: a dict, a record, or its fields in order`},
		{`T("union { u16 a; u8 b; }")(b=1)`, `record(a=1, b=1)`},
		{`T("union { u16 a; u8 b; }")(a=1, b=1)`, `union: fields a and b of union share bytes; give one of them`},
		{`dec("union { u16 a; u8 b; }", "01 02").replace(b=3)`, `record(a=515, b=3)`},

		// The fields of what has no name are those of the struct around it.
		{`dec("struct { u8 v; union { ipv4 v4; u8 raw[4]; }; }", "04 00 00 00 0a 00 00 01")`, `record(v=4, v4="10.0.0.1", raw=(10, 0, 0, 1))`},
		{`enc("struct { u8 v; union { ipv4 v4; u8 raw[4]; }; }", {"v": 4, "v4": "10.0.0.1"})`, `04 00 00 00 0a 00 00 01`},
		{`enc("struct { u8 v; union { ipv4 v4; u8 raw[4]; }; }", {"v": 4})`, `field v4 of struct is missing; it has v, v4, raw`},
		{`enc("struct { u8 v; union { ipv4 v4; u8 raw[4]; }; }", (4, "10.0.0.1"))`, `fields of struct share bytes; name those to write in a dict: it has v, v4, raw`},
		{`enc("struct { u8 v; union { u16 a; struct { u8 b; u8 c; }; }; }", {"v": 4, "b": 1, "c": 2})`, `04 00 01 02`},
		{`enc("struct { u8 v; union { u16 a; struct { u8 b; u8 c; }; }; }", {"v": 4, "b": 1})`, `field c of struct is missing; it has v, a, b, c`},
		{`enc("struct { u8 v; union { u16 a; struct { u8 b; u8 c; }; }; }", {"v": 4, "b": 1, "a": 2})`, `fields b and a of struct share bytes; give one of them`},
		{`enc("struct { struct { u8 a; u16 b; }; u8 c; }", (1, 2, 3))`, `01 00 02 00 03 00`},
	})
}

// What cannot be told apart by bytes and names stays bytes, and is written back.
func TestOpaque(t *testing.T) {
	bits := func(typ btf.Type, at, width btf.Bits) btf.Type {
		return fields(16, btf.Member{Name: "a", Type: typ, Offset: at, BitfieldSize: width})
	}
	for _, test := range []struct {
		name string
		typ  btf.Type
	}{
		{"two of one name", fields(8, at(0, "a", uint32Type), at(32, "a", uint32Type))},
		{"half a byte", fields(8, at(4, "a", uint8Type))},
		{"bits of an address", bits(namedBTF("ipv4"), 0, 3)},
		{"bits of 16 bytes", bits(&btf.Int{Name: "u128", Size: 16}, 0, 100)},
		{"more bits than the integer has", bits(uint8Type, 0, 9)},
	} {
		t.Run(test.name, func(t *testing.T) {
			typ, err := Of(test.typ)
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := typ.codec.(bytesCodec); !ok || typ.record != nil {
				t.Errorf("%s is %T", typ, typ.codec)
			}
		})
	}
}

// Padding costs a copy at each comparison; a struct without any must not pay for it.
func TestPadded(t *testing.T) {
	for _, test := range []struct {
		spelling string
		want     bool
	}{
		{"u32", false},
		{"struct { u32 a; u16 b; u8 c, d; }", false},
		{"struct { u8 a; u16 b; }", true},
		{"struct { u16 a; u8 b; }", true},
		{"struct { u16 a; u8 b; } __packed", false},
		{"struct { u8 a:3, b:5; }", false},
		{"struct { u8 a:3, b:4; }", true},
		{"struct { struct { u16 a; u8 b; } in[2]; }", true},
		{"struct { struct { u16 a; u8 b; } in[2]; }[2]", true},
		{"struct { union { u32 a; u8 b; }; u32 c; }", false},
		{"union { u8 a; u32 b; }", false},
		{"union { u8 a[3]; u16 b; }", true},
	} {
		if got := mustParse(t, test.spelling).padded; got != test.want {
			t.Errorf("%s is padded: %t", test.spelling, got)
		}
	}
}
