package layout

import "testing"

func TestParseAttributes(t *testing.T) {
	checkSpelling(t, []spelled{
		{"struct { u8 a; } __attribute__((aligned(4)))", "struct { u8 a; u64 : 24; } __attribute__((packed))"},
		{"struct { u8 a; } __aligned(4)", "struct { u8 a; u64 : 24; } __attribute__((packed))"},
		{"struct __aligned(4) { u8 a; } __aligned(2)", "struct { u8 a; u64 : 24; } __attribute__((packed))"},
		{"struct { u8 a; u32 b; } __attribute__((packed, aligned(4)))", "struct { u8 a; u32 b; u64 : 24; } __attribute__((packed))"},
		{"struct { u8 a; u32 b; } __packed __aligned(4)", "struct { u8 a; u32 b; u64 : 24; } __attribute__((packed))"},
		{"struct { u8 a; u32 b __packed; }", "struct { u8 a; u32 b; } __attribute__((packed))"},
		{"struct { u8 a; u8 b __aligned(2), c __aligned(4); }", "struct { u8 a; u64 : 8; u8 b; u64 : 8; u8 c; u64 : 24; } __attribute__((packed))"},
		{"struct { u64 a; } __attribute__((__aligned__(8), __packed__))", "struct { u64 a; }"},
		{"enum { A = 255 } __attribute__((packed))", "enum : u8 { A = 255 }"},
		{"enum __packed e { A = -1, B = 128 }", "enum e : i16 { A = -1, B = 128 }"},
		{"enum : u32 { A } __packed", "enum { A = 0 }"},

		{"struct { u8 a; } __attribute__((aligned))", `type "struct { u8 a; } __attribute__((aligned))", column 40: got ")", want "("`},
		{"struct { u8 a; } __aligned(3)", `type "struct { u8 a; } __aligned(3)", column 28: an alignment is a power of two, got 3`},
		{"struct { u8 a; } __aligned(0)", `type "struct { u8 a; } __aligned(0)", column 28: an alignment is a power of two, got 0`},
		{"struct { u8 a; } __aligned(8192)", `type "struct { u8 a; } __aligned(8192)", column 28: 8192 is too large for an alignment`},
		{"struct { u8 a; } __attribute__((noreturn))", `type "struct { u8 a; } __attribute__((noreturn))", column 33: got "noreturn", want packed or aligned(...)`},
		{"struct { u8 a; } __attribute__((packed aligned(4)))", `type "struct { u8 a; } __attribute__((packed aligned(4)))", column 40: got "aligned", want ")"`},
	})
}

// C's words around a type. None changes its bytes; one that can only be a name is a name.
func TestParseQualifiers(t *testing.T) {
	checkSpelling(t, []spelled{
		{"u32 const", "u32"},
		{"const u32 volatile", "u32"},
		{"struct { u32 const a; char const *const b; void *restrict c; }", "struct { u32 a; void * b; void * c; }"},
		{"struct { u32 const; u8 volatile[2], restrict : 3; }", "struct { u32 const; u8 volatile[2]; u8 restrict : 3; }"},
		{"struct { struct sock *a; union u const *b; enum e *c; struct x __user *d; }", "struct { void * a; void * b; void * c; void * d; }"},
		{"struct sock *[2]", "void *[2]"},
		{"struct { struct task_struct __kptr *a, *b; }", "struct { struct task_struct __kptr * a; void * b; }"},
		{"void __percpu_kptr *", "void __percpu_kptr *"},
		{"u64 __kptr *", "void __kptr *"},
		{"struct { u32 n; u8 rest[]; }", "struct { u32 n; u8 rest[0]; }"},
		{"struct { u32 n; u8 rest[][4]; char text[]; }", "struct { u32 n; u8 rest[0][4]; char text[0]; }"},
		{"enum { A = 1ULL, B = 0x10u, C }", "enum { A = 1, B = 16, C = 17 }"},
		{"u8[4U]", "u8[4]"},
		{"u8[4 U]", `type "u8[4 U]", column 6: got "U", want "]"`},
		{"u8[4x]", `type "u8[4x]", column 5: got "x", want "]"`},
		{"u8[][2]", `type "u8[][2]", column 4: got "]", want the number of elements`},
		{"struct { u8 a[2][]; }", `type "struct { u8 a[2][]; }", column 18: got "]", want the number of elements`},
		{"struct { struct sock a; }", `type "struct { struct sock a; }", column 22: got "a", want the fields of struct sock in braces`},
		{"struct { struct sock const a; }", `type "struct { struct sock const a; }", column 22: got "const", want the fields of struct sock in braces`},
		{"struct { union sock *a, b; }", `type "struct { union sock *a, b; }", column 10: union sock is known without its fields; a pointer to it is a type`},
		{"enum e", `type "enum e", column 7: got the end, want the names of enum e in braces`},
	})
}
