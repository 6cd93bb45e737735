package layout

import (
	"cmp"
	"fmt"
	"testing"

	"github.com/cilium/ebpf/btf"
)

func def(name string, t btf.Type) btf.Type { return &btf.Typedef{Name: name, Type: t} }

func fields(size uint32, members ...btf.Member) *btf.Struct {
	return &btf.Struct{Size: size, Members: members}
}

func at(bit btf.Bits, name string, t btf.Type) btf.Member {
	return btf.Member{Name: name, Type: t, Offset: bit}
}

// The types of a compiled program: through typedefs and qualifiers, and as no compiler would lay them out unasked.
func TestSpellBTF(t *testing.T) {
	var (
		char    = &btf.Int{Name: "char", Size: 1, Encoding: btf.Signed}
		schar   = &btf.Int{Name: "signed char", Size: 1, Encoding: btf.Signed}
		uchar   = &btf.Int{Name: "unsigned char", Size: 1}
		integer = &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}
		uint    = &btf.Int{Name: "unsigned int", Size: 4}
		ushort  = &btf.Int{Name: "unsigned short", Size: 2}
		ulong   = &btf.Int{Name: "long unsigned int", Size: 8}
	)
	for _, test := range []struct {
		name string
		typ  btf.Type
		want string
	}{
		{"__u32", def("__u32", uint), "u32"},
		{"pid_t", def("pid_t", def("__kernel_pid_t", integer)), "i32"},
		{"__be16", def("__be16", def("__u16", ushort)), "be16"},
		{"port_t", def("port_t", def("__be16", ushort)), "be16"},
		{"const volatile __be32", &btf.Const{Type: &btf.Volatile{Type: def("__be32", uint)}}, "be32"},
		{"user pointer", &btf.TypeTag{Value: "user", Type: &btf.Pointer{Target: uint}}, "void *"},
		{"restrict", &btf.Restrict{Type: &btf.Pointer{Target: uint}}, "void *"},
		{"__be16 of 4 bytes", def("__be16", uint), "u32"},
		{"be16 is no integer's name", &btf.Int{Name: "be16", Size: 2}, "u16"},
		{"ipv4 of bytes", def("ipv4", arrayType(uchar, 4)), "ipv4"},
		{"struct ipv4", &btf.Struct{Name: "ipv4", Size: 4, Members: []btf.Member{at(0, "a", uint)}}, "struct ipv4 { u32 a; }"},
		{"ipv4 of bytes within", fields(5, at(0, "a", uchar), at(8, "b", def("ipv4", arrayType(uchar, 4)))), "struct { u8 a; ipv4 b; } __attribute__((packed))"},
		{"tag", &btf.TypeTag{Value: "t", Type: def("__be32", uint)}, "be32"},
		{"mac", def("mac", arrayType(def("u8", uchar), 6)), "mac"},
		{"char", char, "char"},
		{"signed char", schar, "i8"},
		{"text", arrayType(&btf.Const{Type: def("name_char", char)}, 16), "char[16]"},
		{"typedef of text", def("comm_t", arrayType(char, 16)), "char[16]"},
		{"texts of a typedef", arrayType(def("comm_t", arrayType(char, 16)), 4), "char[4][16]"},
		{"bytes", arrayType(def("bytes", uchar), 6), "bytes[6]"},
		{"bytes of a struct", arrayType(def("bytes", fields(4, at(0, "a", uint))), 6), "struct { u32 a; }[6]"},
		{"bytes of 4", arrayType(def("bytes", uint), 6), "u32[6]"},
		{"macs", arrayType(def("mac", arrayType(uchar, 6)), 2), "mac[2]"},
		{"float", &btf.Float{Name: "float", Size: 4}, "f32"},
		{"long double", &btf.Float{Name: "long double", Size: 16}, "bytes[16]"},
		{"long doubles", fields(34, at(0, "a", uchar), at(8, "b", arrayType(&btf.Float{Name: "long double", Size: 16}, 2))), "struct { u8 a; bytes b[2][16]; u64 : 8; } __attribute__((packed))"},
		{"24 bits", &btf.Int{Name: "u24", Size: 3}, "bytes[3]"},
		{"enum of 3 bytes", &btf.Enum{Name: "e", Size: 3}, "bytes[3]"},
		{"bool of 4 bytes", &btf.Int{Name: "bool", Size: 4, Encoding: btf.Bool}, "u32"},
		{"pointer", &btf.Pointer{Target: &btf.Struct{Name: "sock"}}, "void *"},
		{"const struct", &btf.Const{Type: fields(4, at(0, "a", &btf.Const{Type: uint}))}, "struct { u32 a; }"},
		{"typedef of a struct", def("flow_t", fields(4, at(0, "a", uint))), "struct { u32 a; }"},
		{"name of Rust", &btf.Struct{Name: "Option<u32>", Size: 4, Members: []btf.Member{at(0, "a", uint)}}, "struct { u32 a; }"},
		{"fields of Rust", fields(8, at(0, "p-ck ts", uint), at(32, "\x1b[2J\xff", uint)), `struct { u32 "p-ck ts"; u32 "\x1b[2J\xff"; }`},
		{"bits of Rust", fields(4, btf.Member{Name: "a b", Type: uint, BitfieldSize: 3}, at(8, "c d", arrayType(uchar, 2))), `struct { u32 "a b" : 3; u8 "c d"[2]; }`},
		{"values of Rust", &btf.Enum{Name: "Foo<u32>", Size: 4, Values: []btf.EnumValue{{Name: "A::\"B\"", Value: 1}}}, `enum { "A::\"B\"" = 1 }`},
		{"words of C", fields(3, at(0, "int", char), at(8, "short", uchar), at(16, "const", char)), `struct { char "int"; u8 short; char const; }`},
		{"spin lock", def("lock_t", spinLock), "struct bpf_spin_lock"},
		{"timer", &btf.Struct{Name: "bpf_timer", Size: 16, Members: []btf.Member{at(0, "__opaque", arrayType(ulong, 2))}}, "struct bpf_timer { u64 __opaque[2]; }"},
		{"timer before 6.8", &btf.Struct{Name: "bpf_timer", Size: 16}, "struct bpf_timer { u64 : 128; } __attribute__((packed))"},
		{"gap at the end", fields(64, at(0, "a", ulong)), "struct { u64 a; u64 : 448; } __attribute__((packed))"},
		{"gap inside", fields(16, at(0, "a", uint), at(96, "b", uint)), "struct { u32 a; u64 : 64; u32 b; } __attribute__((packed))"},
		{"packed", fields(5, at(0, "a", uchar), at(8, "b", uint)), "struct { u8 a; u32 b; } __attribute__((packed))"},
		{"within packed", fields(8, at(0, "x", ushort), at(16, "in", fields(5, at(0, "a", uchar), at(8, "b", uint))), at(56, "y", uchar)),
			"struct { u16 x; struct { u8 a; u32 b; } __attribute__((packed)) in; u8 y; }"},
		{"bits after a gap", fields(1, btf.Member{Name: "a", Type: uchar, Offset: 5, BitfieldSize: 2}), "struct { u64 : 5; u8 a : 2; } __attribute__((packed))"},
		{"union with room", &btf.Union{Size: 16, Members: []btf.Member{at(0, "a", uint)}}, "union { u32 a; u64 : 128; } __attribute__((packed))"},
		{"anonymous", fields(8, at(0, "a", uint), at(32, "", &btf.Union{Size: 4, Members: []btf.Member{at(0, "b", uint), at(0, "c", ushort)}})),
			"struct { u32 a; union { u32 b; u16 c; }; }"},
		{"enum", &btf.Enum{Name: "e", Size: 4, Values: []btf.EnumValue{{Name: "A", Value: 1}, {Name: "B", Value: 1}}}, "enum e { A = 1, B = 1 }"},
		{"signed enum", &btf.Enum{Size: 4, Signed: true, Values: []btf.EnumValue{{Name: "A", Value: 1<<64 - 1}}}, "enum { A = -1 }"},
		{"packed enum", &btf.Enum{Size: 1, Values: []btf.EnumValue{{Name: "A", Value: 1}}}, "enum : u8 { A = 1 }"},
	} {
		t.Run(test.name, func(t *testing.T) {
			typ, err := Of(test.typ)
			if err != nil {
				t.Fatal(err)
			}
			if typ.name != test.want {
				t.Errorf("got %s, want %s", typ, test.want)
			}
			checkAgain(t, typ)
		})
	}
}

// What has no spelling has one that is its own and does not parse.
func TestSpellNone(t *testing.T) {
	for _, test := range []struct {
		name string
		typ  btf.Type
		want string
	}{
		{"out of order", fields(8, at(32, "a", uint32Type), at(0, "b", uint32Type)), "struct { u64 : 32; u32 a; u32 b @0; } __attribute__((packed))"},
		{"overlap", fields(4, at(0, "a", uint32Type), at(16, "b", uint16Type)), "struct { u32 a; u16 b @16; } __attribute__((packed))"},
		{"union apart", &btf.Union{Size: 8, Members: []btf.Member{at(32, "a", uint32Type)}}, "union { u32 a @32; u64 : 64; } __attribute__((packed))"},
		{"half a byte", fields(2, at(4, "a", uint8Type)), "struct { u64 : 4; u8 a @4; } __attribute__((packed))"},
		{"forward", &btf.Fwd{Name: "sock", Kind: btf.FwdStruct}, "struct sock"},
		{"function", &btf.FuncProto{}, "funcproto"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := spell(test.typ); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if again, err := Parse(test.want); err == nil {
				t.Errorf("it parses as %s", again)
			}
			if typ, err := Of(test.typ); err == nil {
				checkKept(t, typ)
			}
		})
	}
}

// checkKept parses the spelling of what a type is written out as, which must give that, and fit the type.
func checkKept(t *testing.T, typ *Type) {
	t.Helper()
	kept := typ.Kept()
	again, err := Parse(kept.name)
	switch {
	case err != nil:
		t.Errorf("%s is kept as %s, which does not parse: %v", typ, kept, err)
	case again.name != kept.name || again.size != kept.size:
		t.Errorf("%s is kept as %s of %d bytes, which parses as %s of %d", typ, kept, kept.size, again, again.size)
	case !again.Fits(typ) || !typ.Fits(again):
		t.Errorf("%s is kept as %s, which does not fit", typ, again)
	case isName(typ.name) && kept != typ:
		t.Errorf("%s is kept as %s", typ, kept)
	}
}

// TestKept keeps what is no type of C as bytes, and nothing else.
func TestKept(t *testing.T) {
	deep := btf.Type(uint32Type)
	for range maxDepth + 1 {
		deep = fields(4, at(0, "a", deep))
	}
	long := fields(0)
	for range 5000 {
		long.Members = append(long.Members, at(btf.Bits(8*long.Size), fmt.Sprintf("a_long_name_%d", long.Size), uint32Type))
		long.Size += 4
	}
	for _, test := range []struct {
		name string
		typ  btf.Type
		want string // "" for itself
	}{
		{"integer", uint32Type, ""},
		{"name of Rust", fields(4, at(0, "a b", uint32Type)), ""},
		{"overlap", fields(4, at(0, "a", uint32Type), at(16, "b", uint16Type)), "bytes[4]"},
		{"twice", fields(8, at(0, "a", uint32Type), at(32, "a", uint32Type)), "bytes[8]"},
		{"nothing to name", fields(8, at(0, "a", uint32Type), at(32, "", uint32Type)), "bytes[8]"},
		{"value without a name", &btf.Enum{Size: 4, Values: []btf.EnumValue{{Value: 1}}}, "bytes[4]"},
		{"attribute", &btf.Struct{Name: "__packed", Size: 8, Members: []btf.Member{at(0, "a", uint8Type), at(32, "b", uint32Type)}}, "bytes[8]"},
		{"no fields", fields(0), "bytes[0]"},
		{"deep", deep, "bytes[4]"},
		{"long", long, "bytes[20000]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			typ, err := Of(test.typ)
			if err != nil {
				t.Fatal(err)
			}
			if kept := typ.Kept(); kept.name != cmp.Or(test.want, typ.name) {
				t.Errorf("%.100s is kept as %.100s, want %s", typ, kept, test.want)
			}
			checkKept(t, typ)
		})
	}
}

// checkAgain parses the spelling of a type, which must give the same type.
func checkAgain(t *testing.T, typ *Type) {
	t.Helper()
	again, err := Parse(typ.name)
	if err != nil {
		t.Errorf("%s does not parse back: %v", typ, err)
		return
	}
	if again.name != typ.name || again.size != typ.size {
		t.Errorf("%s of %d bytes parses back as %s of %d", typ, typ.size, again, again.size)
	}
	if (again.record == nil) != (typ.record == nil) {
		t.Fatalf("%s is a record: %t, and parses back as one: %t", typ, typ.record != nil, again.record != nil)
	}
	if typ.record == nil {
		return
	}
	for i, f := range typ.record.fields {
		if g := again.record.fields[i]; f.name != g.name || f.start != g.start || f.end != g.end || f.typ.name != g.typ.name {
			t.Errorf("%s: field %s is %s in bits %d to %d, and parses back as %s %s in %d to %d",
				typ, f.name, f.typ, f.start, f.end, g.typ, g.name, g.start, g.end)
		}
	}
}

// The kernel's own types are the largest collection of layouts there is on a machine.
func TestSpellKernel(t *testing.T) {
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		t.Skipf("the kernel has no BTF: %v", err)
	}
	n := 0
	for typ, err := range spec.All() {
		if err != nil {
			t.Fatal(err)
		}
		size, err := btf.Sizeof(typ)
		if name := typ.TypeName(); err != nil || size == 0 || size > 128 || name == "" {
			continue
		}
		if _, ok := typ.(*btf.Datasec); ok {
			continue
		}
		compiled, err := Of(typ)
		if err != nil {
			t.Errorf("%v: %v", typ, err)
			continue
		}
		n++
		checkAgain(t, compiled)
	}
	if n < 1000 {
		t.Errorf("%d types were tried", n)
	}
}
