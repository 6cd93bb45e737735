package layout

import (
	"strings"
	"testing"
)

func TestParseBasic(t *testing.T) {
	for _, test := range []struct {
		want  string
		size  int
		names string
	}{
		{"u8", 1, "u8, __u8, uint8_t, unsigned char, char unsigned"},
		{"u16", 2, "u16, __u16, uint16_t, unsigned short, unsigned short int, short unsigned int"},
		{"u32", 4, "u32, __u32, uint32_t, unsigned, unsigned int, int unsigned"},
		{"u64", 8, "u64, __u64, uint64_t, size_t, unsigned long, unsigned long int, unsigned long long, unsigned long long int, long unsigned int, long long unsigned int, long int unsigned long"},
		{"u128", 16, "u128, __u128, __uint128_t, unsigned __int128"},
		{"i8", 1, "i8, s8, __s8, int8_t, signed char"},
		{"i16", 2, "i16, s16, __s16, int16_t, short, short int, signed short, signed short int, int short signed"},
		{"i32", 4, "i32, s32, __s32, int32_t, int, signed, signed int"},
		{"i64", 8, "i64, s64, __s64, int64_t, ssize_t, long, long int, signed long, signed long int, long long, long long int, long signed int, long long signed int"},
		{"i128", 16, "i128, s128, __s128, __int128_t, __int128, signed __int128"},
		{"be16", 2, "be16, __be16"},
		{"be32", 4, "be32, __be32"},
		{"be64", 8, "be64, __be64"},
		{"le16", 2, "le16, __le16"},
		{"le32", 4, "le32, __le32"},
		{"le64", 8, "le64, __le64"},
		{"char", 1, "char"},
		{"bool", 1, "bool, _Bool"},
		{"f32", 4, "f32, float"},
		{"f64", 8, "f64, double"},
		{"ipv4", 4, "ipv4"},
		{"ipv6", 16, "ipv6"},
		{"mac", 6, "mac"},
		{"cidr4", 8, "cidr4"},
		{"cidr6", 20, "cidr6"},
	} {
		for name := range strings.SplitSeq(test.names, ", ") {
			t.Run(name, func(t *testing.T) {
				typ, err := Parse(name)
				if err != nil {
					t.Fatal(err)
				}
				if typ.String() != test.want || typ.Size() != test.size {
					t.Errorf("Parse(%q) = %s of %d bytes, want %s of %d", name, typ, typ.Size(), test.want, test.size)
				}
			})
		}
	}
}
