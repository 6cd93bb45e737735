package layout

import "testing"

func TestCounter(t *testing.T) {
	for _, row := range []struct {
		spelling, path string
		offset         int
		want           string // the type, or the error
	}{
		{"u64", "", 0, "u64"},
		{"int", "", 0, "i32"},
		{"struct { u32 a; u64 bytes; }", "bytes", 8, "u64"},
		{"struct { u32 a; struct { u32 b; i64 c; } tcp; }", "tcp.c", 16, "i64"},
		{"struct { u32 a; union { u32 b; u32 c; }; }", "c", 4, "u32"},

		{"u64", "bytes", 0, "u64 has no field bytes"},
		{"u16", "", 0, "u16: a program adds to integers of 4 or 8 bytes in the machine's order"},
		{"bool", "", 0, "bool: a program adds to integers of 4 or 8 bytes in the machine's order"},
		{"be32", "", 0, "be32: a program adds to integers of 4 or 8 bytes in the machine's order"},
		{"ipv4", "", 0, "ipv4: a program adds to integers of 4 or 8 bytes in the machine's order"},
		{"f64", "", 0, "f64: a program adds to integers of 4 or 8 bytes in the machine's order"},
		{"u32[4]", "", 0, "u32[4]: a program adds to integers of 4 or 8 bytes in the machine's order"},
		{"struct { u32 a; }", "", 0, "struct is a struct: field= names the number in it; it has a"},
		{"struct { u32 bytes; }", "byte", 0, "struct has no field byte (did you mean bytes?); it has bytes"},
		{"struct { u32 a; }", "a.b", 0, "u32 has no field b"},
		{"struct { u32 a : 3; }", "a", 0, "field a is a bit field: a program adds to numbers of 4 or 8 bytes"},
		{"struct { u32 a; struct bpf_spin_lock l; }", "l", 0, "field l is a bpf_spin_lock, which belongs to the kernel"},
		{"struct { u8 a; u32 b; } __attribute__((packed))", "b", 0, "field b is at byte 1, not aligned to its 4 bytes"},
	} {
		t.Run(row.spelling+"/"+row.path, func(t *testing.T) {
			typ, err := Parse(row.spelling)
			if err != nil {
				t.Fatal(err)
			}
			offset, number, err := typ.Counter(row.path)
			if err != nil {
				if err.Error() != row.want {
					t.Errorf("got %q, want %q", err, row.want)
				}
				return
			}
			if number.String() != row.want || offset != row.offset {
				t.Errorf("got %s at %d, want %s at %d", number, offset, row.want, row.offset)
			}
		})
	}
}
