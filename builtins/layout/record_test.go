package layout

import (
	"testing"

	"github.com/cilium/ebpf/btf"
	"go.starlark.net/starlark"
)

func TestRecord(t *testing.T) {
	check(t, map[string]btf.Type{
		// struct key { u8 a; u16 b; }, the same from two places
		"key":   &btf.Struct{Name: "key", Size: 4, Members: []btf.Member{at(0, "a", uint8Type), at(16, "b", uint16Type)}},
		"flow":  mustParse(t, "struct flow { u32 in; u8 replace; }").BTF(),
		"pairs": mustParse(t, "struct { struct { u8 x; u16 y; } p[2]; u8 z; }").BTF(),
	}, []expr{
		{`key(1, 2).a`, `1`},
		{`key(1, 2)["b"]`, `2`},
		{`key(1, 2).c`, `record has no .c field or method`},
		{`key(1, 2)["c"]`, `struct key has no field c; it has a, b`},
		{`key(1, 2)["x y"]`, `struct key has no field "x y"; it has a, b`},
		{`key(1, 2)[0]`, `struct key: got 0, want the name of a field`},
		{`"a" in key(1, 2), "c" in key(1, 2)`, `(True, False)`},
		{`flow(1, 2)["in"], flow(1, 2)["replace"]`, `(1, 2)`},
		{`flow(1, 2).replace`, `<built-in method replace of record value>`},
		{`flow(1, 2).replace(replace=3)["replace"]`, `3`},
		{`getattr(flow(1, 2), "in")`, `1`},
		{`dir(flow(1, 2))`, `["in", "replace"]`},
		{`type(key(1, 2))`, `record`},
		{`bool(key(0, 0))`, `True`},
		{`str(key(1, 2))`, `key(a=1, b=2)`},

		{`key(1, 2).replace(b=3)`, `key(a=1, b=3)`},
		{`dec("struct { char a[4]; }", "61 62 63 64").replace(a="x")`, `record(a="x")`},
		{`key(1, 2).replace()`, `key(a=1, b=2)`},
		{`key(1, 2).replace(c=3)`, `replace: struct key has no field c; it has a, b`},
		{`key(1, 2).replace(a=256)`, `replace: a: 256 is out of range for u8 (0 to 255)`},
		{`enc(key, dec(key, "01 ee 02 00").replace(b=3))`, `01 ee 03 00`},
		{`enc(key, key(1, 2))`, `01 00 02 00`},

		{`dec(key, "01 ee 02 00") == dec(key, "01 dd 02 00")`, `True`},
		{`dec(key, "01 ee 02 00") != dec(key, "01 dd 02 00")`, `False`},
		{`dec(key, "01 ee 02 00") == dec(key, "01 ee 03 00")`, `False`},
		{`{dec(key, "01 ee 02 00"): 5}[key(1, 2)]`, `5`},
		{`key(1, 2) in {key(1, 3): 0}`, `False`},
		{`key(1, 2) == T("struct key { __u8 a; __u16 b; }")(1, 2)`, `True`},
		{`key(1, 2) == T("struct { u8 a; u16 b; }")(1, 2)`, `False`},
		{`key(1, 2) == (1, 2)`, `False`},
		{`key(1, 2) == percpu("struct { u8 a; u16 b; }", (1, 2)).sum()`, `False`},
		{`percpu("struct { u8 a; u16 b; }", (1, 2)).sum() == key(1, 2)`, `False`},
		{`dec(pairs, "01 ee 02 00 03 dd 04 00 05 cc") == dec(pairs, "01 00 02 00 03 00 04 00 05 00")`, `True`},
		{`{dec(pairs, "01 ee 02 00 03 dd 04 00 05 cc"): 5}[pairs(((1, 2), (3, 4)), 5)]`, `5`},
		{`dec(pairs, "01 ee 02 00 03 dd 04 00 05 cc") == dec(pairs, "01 00 02 00 03 00 04 01 05 00")`, `False`},
		{`dec("struct { struct { u8 x; u16 y; } in; }", "01 ee 02 00") == dec("struct { struct { u8 x; u16 y; } in; }", "01 dd 02 00")`, `True`},
		{`dec("struct { struct { u8 x; u16 y; } p[1]; }", "01 ee 02 00") == dec("struct { struct { u8 x; u16 y; } p[1]; }", "01 dd 02 00")`, `True`},
		{`dec("union { u8 a; u16 b; u8 c[4]; }", "01 02 03 04") == dec("union { u8 a; u16 b; u8 c[4]; }", "01 02 03 05")`, `False`},
		{`dec("union { u8 a[3]; u16 b; }", "01 02 03 04") == dec("union { u8 a[3]; u16 b; }", "01 02 03 05")`, `True`},

		{`key(1, 2) < key(1, 3), key(2, 0) > key(1, 9), key(1, 2) <= key(1, 2), key(1, 2) >= key(1, 3)`, `(True, True, True, False)`},
		{`sorted([key(2, 1), key(1, 256), key(1, 2)])`, `[key(a=1, b=2), key(a=1, b=256), key(a=2, b=1)]`},
		{`max(key(1, 256), key(1, 2))`, `key(a=1, b=256)`},
		{`dec(key, "01 ee 02 00") <= dec(key, "01 dd 02 00")`, `True`},
		{`dec(key, "01 ee 02 00") < dec(key, "01 dd 02 00")`, `False`},
		{`key(1, 2) < T("struct { u8 a; u16 b; }")(1, 2)`, `cannot order struct key and struct`},
		{`key(1, 2) < percpu("u8", 1)`, `record < percpu not implemented`},
		{`key(1, 2) < percpu("struct { u8 a; u16 b; }", (1, 2)).sum()`, `record < record not implemented`},
		{`dec("struct { char a[2]; }", "ff 00") < dec("struct { char a[2]; }", "61 00")`, `field a: bytes < string not implemented`},
	})
}

// A record in a dict finds itself whatever way it was made, and one of another type does not.
func TestRecordKeys(t *testing.T) {
	check(t, nil, []expr{
		{`{T("struct { u8 a; u32 b; }")(1, 2): "x"}[T("struct { u8 a; u32 b; }")(b=2, a=1)]`, `x`},
		{`{T("struct { u64 a; }")(1 << 40): "x"}[T("struct { u64 a; }")({"a": 1 << 40})]`, `x`},
		{`T("struct k { u64 a; }")(1) in {T("struct { u64 a; }")(1): "x"}`, `False`},
		{`len({r: 0 for r in [T("struct { u8 a:4, :3; }").decode(b) for b in [b"\x01", b"\x11", b"\x71"]]})`, `1`},
	})
}

// TestRecordNames writes the names of fields as they are, and in quotes what a terminal would obey.
func TestRecordNames(t *testing.T) {
	typ, err := Of(fields(3, at(0, "main.buf", uint8Type), at(8, "a\x1b", uint8Type), at(16, "\xff", uint8Type)))
	if err != nil {
		t.Fatal(err)
	}
	const want = `record(main.buf=1, "a\x1b"=2, "\xff"=3)`
	if got := typ.Decode([]byte{1, 2, 3}).String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := typ.Encode(make([]byte, 3), starlark.NewDict(0)).Error(), `field "main.buf" of struct is missing; it has "main.buf", "a\x1b", "\xff"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
