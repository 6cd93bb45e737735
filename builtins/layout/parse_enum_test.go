package layout

import "testing"

func TestParseEnum(t *testing.T) {
	checkSpelling(t, []spelled{
		{"enum proto { TCP = 6, UDP = 17 }", "enum proto { TCP = 6, UDP = 17 }"},
		{"enum { A, B, C = 7, D, }", "enum { A = 0, B = 1, C = 7, D = 8 }"},
		{"enum { A = -2, B, C, D }", "enum { A = -2, B = -1, C = 0, D = 1 }"},
		{"enum { A = 1, B = 1 }", "enum { A = 1, B = 1 }"},
		{"enum { A = 0xffffffff }", "enum { A = 4294967295 }"},
		{"enum { A = 0x100000000 }", "enum { A = 4294967296 }"},
		{"enum { A = -1, B = 0x80000000 }", "enum { A = -1, B = 2147483648 }"},
		{"enum { A = 18446744073709551615 }", "enum { A = 18446744073709551615 }"},
		{"enum { A = -9223372036854775808 }", "enum { A = -9223372036854775808 }"},
		{"enum { }", "enum { }"},
		{"enum e : u8 { A = 255 }", "enum e : u8 { A = 255 }"},
		{"enum e : unsigned int { A }", "enum e { A = 0 }"},
		{"enum e : int { A }", "enum e : i32 { A = 0 }"},
		{"enum e : u64 { A }", "enum e : u64 { A = 0 }"},
		{"struct { enum e { A } x; u8 y; }", "struct { enum e { A = 0 } x; u8 y; }"},

		{"enum", `type "enum", column 5: got the end, want "{"`},
		{"enum proto", `type "enum proto", column 11: got the end, want the names of enum proto in braces`},
		{"enum { A", `type "enum { A", column 9: got the end, want "}"`},
		{"enum { A B }", `type "enum { A B }", column 10: got "B", want "}"`},
		{"enum { 1 }", `type "enum { 1 }", column 8: got "1", want the name of a value`},
		{"enum { A = B }", `type "enum { A = B }", column 12: got "B", want a number`},
		{"enum { A = 18446744073709551616 }", `type "enum { A = 18446744073709551616 }", column 12: 18446744073709551616 is too large for a number`},
		{"enum { A, B, A }", `type "enum { A, B, A }", column 14: two values named A`},
		{"enum { A = -1, B = 0xffffffffffffffff }", `type "enum { A = -1, B = 0xffffffffffffffff }", column 1: no integer of the enum holds all its values`},
		{"enum { A = 0xffffffffffffffff, B }", `type "enum { A = 0xffffffffffffffff, B }", column 1: no integer of the enum holds all its values`},
		{"enum : u8 { A = 256 }", `type "enum : u8 { A = 256 }", column 1: no integer of the enum holds all its values`},
		{"enum : u8 { A = -1 }", `type "enum : u8 { A = -1 }", column 1: no integer of the enum holds all its values`},
		{"enum : f32 { A }", `type "enum : f32 { A }", column 8: an enum is an integer of at most 8 bytes`},
		{"enum : u128 { A }", `type "enum : u128 { A }", column 8: an enum is an integer of at most 8 bytes`},
		{"enum : ipv4 { A }", `type "enum : ipv4 { A }", column 8: an enum is an integer of at most 8 bytes`},
	})
}
