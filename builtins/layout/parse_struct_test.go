package layout

import "testing"

func TestParseStruct(t *testing.T) {
	checkSpelling(t, []spelled{
		{"struct { u32 a; be16 port; u8 proto; }", "struct { u32 a; be16 port; u8 proto; }"},
		{"struct flow{__u32 a;unsigned long long b;};", "struct flow { u32 a; u64 b; }"},
		{"struct { u32 a, b[4], c; }", "struct { u32 a; u32 b[4]; u32 c; }"},
		{"struct { char comm[16]; }", "struct { char comm[16]; }"},
		{"struct { char[16] comm; }", "struct { char comm[16]; }"},
		{"struct { char[16] a, b; }", "struct { char a[16]; char b[16]; }"},
		{"struct { char[16] names[4]; }", "struct { char names[4][16]; }"},
		{"struct { u8[2] m[3]; bytes id[2][6]; }", "struct { u8 m[3][2]; bytes id[2][6]; }"},
		{"struct { void *a, *b; u8 c; }", "struct { void * a; void * b; u8 c; }"},
		{"struct { void *a[2]; }", "struct { void * a[2]; }"},
		{"struct { const u32 a; volatile u8 b; }", "struct { u32 a; u8 b; }"},
		{"struct { struct { u16 x; } in; struct pair { u32 p; u32 q; } pairs[2]; }", "struct { struct { u16 x; } in; struct pair { u32 p; u32 q; } pairs[2]; }"},
		{"struct { struct { } none; u8 a; }", "struct { struct { } none; u8 a; }"},
		{"struct { u8 rest[0]; }", "struct { u8 rest[0]; }"},
		{"struct { u32 struct; u8 int; }", "struct { u32 struct; u8 int; }"},
		{"struct bpf_spin_lock", "struct bpf_spin_lock"},
		{"struct bpf_spin_lock { u32 val; }", "struct bpf_spin_lock"},
		{"struct { struct bpf_spin_lock lock; u64 n; }", "struct { struct bpf_spin_lock lock; u64 n; }"},
		{"struct cidr4 { u32 prefixlen; u8 addr[4]; }", "cidr4"},
		{"struct cidr4 { u8 addr[4]; u32 prefixlen; }", "struct cidr4 { u8 addr[4]; u32 prefixlen; }"},

		{"union { u32 a; u8 b[4]; }", "union { u32 a; u8 b[4]; }"},
		{"union addr { ipv4 v4; ipv6 v6; }", "union addr { ipv4 v4; ipv6 v6; }"},
		{"struct { u8 family; union { ipv4 v4; ipv6 v6; }; }", "struct { u8 family; union { ipv4 v4; ipv6 v6; }; }"},
		{"struct { struct { u8 a; }; struct { u8 b; } in; }", "struct { struct { u8 a; }; struct { u8 b; } in; }"},

		{"struct { u8 version:4, ihl:4; }", "struct { u8 version : 4; u8 ihl : 4; }"},
		{"struct { u32 a:3; bool b:1; enum { X, Y } c:2; }", "struct { u32 a : 3; bool b : 1; enum { X = 0, Y = 1 } c : 2; }"},
		{"struct { u8 a:3, :5; u8 b; }", "struct { u8 a : 3; u8 b; }"},
		{"struct { u8 a:3, :2, b:3; }", "struct { u8 a : 3; u64 : 2; u8 b : 3; } __attribute__((packed))"},
		{"struct { u8 a:3, :0, b:3; }", "struct { u8 a : 3; u64 : 5; u8 b : 3; } __attribute__((packed))"},

		{"struct { u8 a; u32 b; } __attribute__((packed))", "struct { u8 a; u32 b; } __attribute__((packed))"},
		{"struct __attribute__((packed)) key { u8 a; u32 b; }", "struct key { u8 a; u32 b; } __attribute__((packed))"},
		{"struct { u8 a; u32 b; } __packed", "struct { u8 a; u32 b; } __attribute__((packed))"},
		{"struct { u32 a; u32 b; } __packed", "struct { u32 a; u32 b; }"},
		{"struct { u8 a; struct { u32 b; } __packed in; }", "struct { u8 a; struct { u32 b; } in; } __attribute__((packed))"},
	})
}

func TestParseStructErrors(t *testing.T) {
	checkSpelling(t, []spelled{
		{"struct", `type "struct", column 7: got the end, want "{"`},
		{"struct 4", `type "struct 4", column 8: got "4", want "{"`},
		{"struct {", `type "struct {", column 9: got the end, want a type`},
		{"struct { }", `type "struct { }", column 11: a struct without fields`},
		{"union { }", `type "union { }", column 10: a union without fields`},
		{"struct flow", `type "struct flow", column 12: got the end, want the fields of struct flow in braces`},
		{"struct flow;", `type "struct flow;", column 12: got ";", want the fields of struct flow in braces`},
		{"union addr x", `type "union addr x", column 12: got "x", want the fields of union addr in braces`},
		{"union bpf_spin_lock", `type "union bpf_spin_lock", column 20: got the end, want the fields of union bpf_spin_lock in braces`},
		{"struct { u32 }", `type "struct { u32 }", column 14: got "}", want the name of a field`},
		{"struct { u32; }", `type "struct { u32; }", column 13: got ";", want the name of a field`},
		{"struct { u32 a }", `type "struct { u32 a }", column 16: got "}", want ";"`},
		{"struct { u32 a; ", `type "struct { u32 a; ", column 17: got the end, want a type`},
		{"struct { u32 a,; }", `type "struct { u32 a,; }", column 16: got ";", want the name of a field`},
		{"struct { u32 a; u32 b; u8 a; }", `type "struct { u32 a; u32 b; u8 a; }", column 27: two fields named a`},
		{"struct { u32 a; struct { u8 b, a; }; }", `type "struct { u32 a; struct { u8 b, a; }; }", column 17: two fields named a`},
		{"struct { u32 é; }", `type "struct { u32 é; }", column 14: got "é", want the name of a field`},
		{"struct { ipv5 a; }", `type "struct { ipv5 a; }", column 10: no type ipv5 (did you mean ipv4?)`},
		{"struct { bytes id; }", `type "struct { bytes id; }", column 10: bytes needs a size, such as bytes id[6]`},
		{"struct { void a; }", `type "struct { void a; }", column 10: void is no type of a value; void * is a pointer`},
		{"struct { u32 a[x]; }", `type "struct { u32 a[x]; }", column 16: got "x", want the number of elements`},
		{"struct { u32 a } b", `type "struct { u32 a } b", column 16: got "}", want ";"`},
		{"struct { u8 a:9; }", `type "struct { u8 a:9; }", column 15: 9 is too large for the number of bits`},
		{"struct { bool a:2; }", `type "struct { bool a:2; }", column 17: 2 is too large for the number of bits`},
		{"struct { u8 a:0; }", `type "struct { u8 a:0; }", column 15: a bit field without bits has no name`},
		{"struct { u8 a:x; }", `type "struct { u8 a:x; }", column 15: got "x", want the number of bits`},
		{"struct { ipv4 a:3; }", `type "struct { ipv4 a:3; }", column 17: ipv4 has no bit fields`},
		{"struct { f32 a:3; }", `type "struct { f32 a:3; }", column 16: f32 has no bit fields`},
		{"struct { u128 a:3; }", `type "struct { u128 a:3; }", column 17: u128 has no bit fields`},
		{"struct { u8 a; } __attribute__((aligned))", `type "struct { u8 a; } __attribute__((aligned))", column 40: got ")", want "("`},
		{"struct { u8 a; } __attribute__((packed)", `type "struct { u8 a; } __attribute__((packed)", column 40: got the end, want ")"`},
	})
}
