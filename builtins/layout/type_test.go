package layout

import (
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"
)

func TestTypeCall(t *testing.T) {
	check(t, nil, []expr{
		{`T("u8")(5)`, `5`},
		{`T("u8")()`, `u8: got 0 values, want one`},
		{`T("u8")(1, 2)`, `u8: got 2 values, want one`},
		{`T("u8")(x=1)`, `u8: u8 has no fields to name`},
		{`T("u8")(256)`, `u8: 256 is out of range for u8 (0 to 255)`},
		{`T("u8")(b"\x05")`, `5`},
		{`T("u8[2]")([1, 2])`, `(1, 2)`},
		{`T("u8[2]")(1, 2)`, `u8[2]: got 2 values, want one`},
		{`T("char[4]")("ab")`, `ab`},
		{`T("struct { u8 a; u32 b; }")()`, `record(a=0, b=0)`},
		{`T("struct { u8 a; u32 b; }")(b=2)`, `record(a=0, b=2)`},
		{`T("struct { u8 a; u32 b; }")(1, 2)`, `record(a=1, b=2)`},
		{`T("struct { u8 a; u32 b; }")((1, 2))`, `record(a=1, b=2)`},
		{`T("struct { u8 a; u32 b; }")([1, 2])`, `record(a=1, b=2)`},
		{`T("struct { u8 a; u32 b; }")({"b": 2, "a": 1})`, `record(a=1, b=2)`},
		{`T("struct { u8 a; u32 b; }")(T("struct { u8 a; u32 b; }")(1, 2))`, `record(a=1, b=2)`},
		{`T("struct { u8 a; u8 b; }")(b"\x01\x02")`, `record(a=1, b=2)`},
		{`T("struct { u8 a; u32 b; }")(1, b=2)`, `struct: fields are given in order or by name, not both`},
		{`T("struct { u8 a; u32 b; }")(1)`, `struct: got 1, want struct: a dict, a record, or its fields in order`},
		{`T("struct { u8 a; u32 b; }")(1, 2, 3)`, `struct: got 3 values, want 2: a, b`},
		{`T("struct { u8 a; u32 b; }")(c=2)`, `struct: struct has no field c; it has a, b`},
		{`T("struct flow { u8 port; }")(prot=2)`, `struct flow: struct flow has no field prot (did you mean port?); it has port`},
		{`T("struct flow { u8 port; }")(port=256)`, `struct flow: port: 256 is out of range for u8 (0 to 255)`},
		{`T("struct { u8 a; }")(5)`, `record(a=5)`},
		{`T("struct { u8 a; }")((5,))`, `record(a=5)`},
		{`T("struct { u8 a; }")({"a": 5})`, `record(a=5)`},
		{`T("struct { u8 a; }")(b"\x05")`, `record(a=5)`},
		{`T("struct { u8 a; }")("x")`, `struct: a: got "x", want u8`},
		{`T("struct { u8 replace; u8 name; }")(replace=1, name=2)`, `record(replace=1, name=2)`},
		{`T("enum proto { TCP = 6 }")("TCP")`, `TCP`},
		{`T("enum proto { TCP = 6 }")(x=6)`, `enum proto: enum proto has no fields to name`},
	})
}

func TestTypeAttributes(t *testing.T) {
	check(t, nil, []expr{
		{`T("u16").size`, `2`},
		{`T("struct { u8 a; u32 b; }").size`, `8`},
		{`T("u16").fields`, `{}`},
		{`T("struct { u8 a; u32 b[2]; }").fields`, `{"a": u8, "b": u32[2]}`},
		{`T("struct { u8 a:3; union { u16 b; ipv4 c; }; }").fields`, `{"a": u8, "b": u16, "c": ipv4}`},
		{`T("u16").fields.update({"a": 1})`, `update: cannot insert into frozen hash table`},
		{`T("be16").encode(1)`, `b"\x00\x01"`},
		{`T("be16").encode(1 << 16)`, `encode: 65536 is out of range for be16 (0 to 65535)`},
		{`T("struct { u8 a; }").encode({"a": -1})`, `encode: a: -1 is out of range for u8 (0 to 255)`},
		{`T("be16").decode(b"\x00\x01")`, `1`},
		{`T("be16").decode(b"\x00")`, `decode: raw: got 1 byte, want 2 bytes`},
		{`T("be16").decode("ab")`, `decode: raw: got "ab", want 2 bytes`},
		{`dir(T("u8"))`, `["decode", "encode", "fields", "size"]`},
		{`type(T("u8"))`, `type`},
		{`bool(T("u8"))`, `True`},
		{`T("u32") == T("unsigned int")`, `True`},
		{`T("u32") != T("i32")`, `True`},
		{`T("u32") == "u32"`, `False`},
		{`T("u32") < T("u64")`, `type < type not implemented`},
		{`{T("u32"): 1}[T("int unsigned")]`, `1`},
		{`T("struct { u8 a; u32 b; }") == T("struct { u8 a; u32 b; } __packed")`, `False`},
	})
}

func TestColumns(t *testing.T) {
	if names, types := mustParse(t, "u32").Columns(); names != nil || types != nil {
		t.Errorf("u32 has columns %v %v", names, types)
	}
	names, types := mustParse(t, "struct { ipv4 a; u8 b:3; struct { u8 x; } c; }").Columns()
	want := []struct{ name, typ string }{{"a", "ipv4"}, {"b", "u8"}, {"c", "struct { u8 x; }"}}
	for i, w := range want {
		if len(names) != len(want) || names[i] != w.name || types[i].String() != w.typ {
			t.Fatalf("got %v %v, want %v", names, types, want)
		}
	}
}

func TestOfErrors(t *testing.T) {
	self := fields(4)
	self.Members = []btf.Member{at(0, "self", self)}
	anonymous := fields(4)
	anonymous.Members = []btf.Member{at(0, "", anonymous)}
	loop := &btf.Typedef{Name: "loop"}
	loop.Type = loop
	for _, test := range []struct {
		name string
		typ  btf.Type
		want string
	}{
		{"void", &btf.Void{}, "void has no size"},
		{"array of void", arrayType(&btf.Void{}, 4), "void has no size"},
		{"forward", &btf.Fwd{Name: "sock", Kind: btf.FwdUnion}, "union sock has no size"},
		{"function", &btf.FuncProto{}, "a function has no size"},
		{"field", fields(4, at(0, "sk", &btf.Fwd{Name: "sock"})), "field sk: struct sock has no size"},
		{"too long", fields(4, at(16, "a", uint32Type)), "struct: field a ends at bit 48 of 32"},
		{"itself", self, "more than 64 types inside each other"},
		{"itself without a name", anonymous, "more than 64 types inside each other"},
		{"typedef of itself", loop, `type Typedef:"loop": exceeded type depth`},
	} {
		t.Run(test.name, func(t *testing.T) {
			typ, err := Of(test.typ)
			if err == nil {
				t.Fatalf("got %s, want %s", typ, test.want)
			}
			if !strings.HasSuffix(err.Error(), test.want) { // the fields on the way are of no interest
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}
