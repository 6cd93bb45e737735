package layout

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.starlark.net/starlark"
)

// TestParts says what values are made of, and which of it are numbers.
func TestParts(t *testing.T) {
	for _, test := range []struct{ typ, want string }{
		{"u64", "#"}, {"ipv4", ""}, {"char[4]", ""}, {"bytes[4]", ""}, {"bool", ""}, {"f32", "#"}, {"be16", "#"}, {"u128", "#"}, {"void *", ""},
		{"ifindex", ""}, {"ktime", "#"}, {"duration", "#"}, {"hex(u32)", ""}, {"enum { A, B }", ""}, {"cidr4", ""},
		{"u32[3]", "[0]# [1]# [2]#"},
		{"u8[300]", ""},
		{"struct { u64 a; struct { u8 b:3; i32 c[2]; } d; ipv6 e; }", "a# d.b# d.c[0]# d.c[1]# e"},
		{"struct { struct { u16 x; char y[2]; } s[2]; }", "s[0].x# s[0].y s[1].x# s[1].y"},
		{"struct { struct bpf_spin_lock lock; u32 n; struct bpf_timer t; }", "n#"},
		{"union { u32 n; ipv4 a; }", "n# a"},
		{"struct { struct { u64 a; }; u64 b; }", "a# b#"},
		{"u32[0]", ""},
	} {
		typ, err := Parse(test.typ)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range (Slot{Type: typ}).Parts() {
			mark := ""
			if p.Number() {
				mark = "#"
			}
			got = append(got, p.Path+mark)
		}
		if s := strings.Join(got, " "); s != test.want {
			t.Errorf("%s: %q, want %q", test.typ, s, test.want)
		}
	}
}

// TestPartDelta compares two values part by part: as a row each what is not the same, with what it was and became, the
// difference, and how far apart they are.
func TestPartDelta(t *testing.T) {
	for _, test := range []struct {
		typ           string
		cpus          int
		before, after string // Starlark
		want          string
	}{
		{"u64", 0, "5", "9", "5 9 4 4"},
		{"u64", 0, "9", "5", "9 5 reset 4"},
		{"u64", 0, "0", "18446744073709551615", "0 18446744073709551615 18446744073709551615 18446744073709551615"},
		{"u32", 0, "9", "5", "9 5 -4 4"},
		{"i64", 0, "-9223372036854775808", "9223372036854775807", "-9223372036854775808 9223372036854775807 18446744073709551615 18446744073709551615"},
		{"i64", 0, "5", "-5", "5 -5 -10 10"},
		{"i8", 0, "-1", "1", "-1 1 2 2"},
		{"be64", 0, "9", "5", "9 5 reset 4"},
		{"ktime", 0, "9", "5", "9 5 -4 4"},
		{"struct { u32 n; ktime seen; }", 0, "(1, 9)", "(3, 5000)", "n: 1 3 2 2; seen: 9 5000 4991 0"},
		{"u128", 0, "0", "340282366920938463463374607431768211455", "0 340282366920938463463374607431768211455 340282366920938463463374607431768211455 18446744073709551615"},
		{"f64", 0, "0.5", "-1.0", "0.5 -1.0 -1.5 1"},
		{"f64", 0, "0.5", "float('nan')", "0.5 nan none 0"},
		{"f64", 0, "0.0", "1e300", "0.0 1e+300 1e+300 18446744073709551615"},
		{"ipv4", 0, "'10.0.0.1'", "'10.0.0.2'", `"10.0.0.1" "10.0.0.2" none 0`},
		{"struct { u8 a:3; u8 b:5; }", 0, "(1, 2)", "(1, 31)", "b: 2 31 29 29"},
		{"struct { i8 a:3; u8 b:5; }", 0, "(-4, 2)", "(3, 2)", "a: -4 3 7 7"},
		{"u64", 2, "[1, 2]", "[4, 4]", "3 8 5 5"},
		{"u64", 2, "[1, 2]", "[9, 1]", "3 10 reset 7"},
		{"u64", 2, "[18446744073709551615, 1]", "[18446744073709551615, 2]", "18446744073709551616 18446744073709551617 1 1"},
		{"char[4]", 2, "['a', 'b']", "['a', 'c']", `("a", "b") ("a", "c") none 0`},
		{"struct { u32 a; char b[4]; }", 2, "[(1, 'x'), (2, 'y')]", "[(1, 'x'), (5, 'z')]", `a: 3 6 3 3; b: ("x", "y") ("x", "z") none 0`},
	} {
		typ, err := Parse(test.typ)
		if err != nil {
			t.Fatal(err)
		}
		slot := Slot{typ, test.cpus}
		var values [2][]byte
		for i, text := range []string{test.before, test.after} {
			v, err := starlark.Eval(new(starlark.Thread), "value", text, nil)
			if err != nil {
				t.Fatal(err)
			}
			values[i] = make([]byte, slot.Size())
			if err := slot.Encode(values[i], v); err != nil {
				t.Fatal(err)
			}
		}
		before, after := values[0], values[1]
		var rows []string
		for _, p := range slot.Parts() {
			if p.Same(before, after) {
				continue
			}
			if p.Path != "" {
				p.Path += ": "
			}
			text := "none"
			if d, reset := p.Delta(before, after); reset {
				text = "reset"
			} else if d != nil {
				text = d.String()
			}
			rows = append(rows, fmt.Sprintf("%s%s %s %s %d", p.Path, p.Value(before), p.Value(after), text, p.Weight(before, after)))
		}
		if got := strings.Join(rows, "; "); got != test.want {
			t.Errorf("%s from %s to %s:\n got %s\nwant %s", test.typ, test.before, test.after, got, test.want)
		}
	}
}

// TestPartAbsent counts what is not there as nothing.
func TestPartAbsent(t *testing.T) {
	for _, spelling := range []string{"u64", "i32", "f64"} {
		typ, err := Parse(spelling)
		if err != nil {
			t.Fatal(err)
		}
		slot := Slot{Type: typ}
		p, b := slot.Parts()[0], make([]byte, typ.size)
		if err := typ.Encode(b, starlark.MakeInt(7)); err != nil && spelling != "f64" {
			t.Fatal(err)
		} else if err != nil && typ.Encode(b, starlark.Float(7)) != nil {
			t.Fatal(err)
		}
		come, reset := p.Delta(nil, b)
		gone, resetToo := p.Delta(b, nil)
		if n, _ := starlark.AsFloat(come); n != 7 || reset {
			t.Errorf("%s: it came with %v, %t", spelling, come, reset)
		}
		if n, _ := starlark.AsFloat(gone); n != -7 || resetToo {
			t.Errorf("%s: it went with %v, %t", spelling, gone, resetToo)
		}
		if p.Weight(nil, b) != 7 || p.Weight(b, nil) != 7 {
			t.Errorf("%s: weights %d and %d, want 7", spelling, p.Weight(nil, b), p.Weight(b, nil))
		}
	}
}

// TestSlotSame ignores what belongs to no field, and nothing else.
func TestSlotSame(t *testing.T) {
	for _, test := range []struct {
		typ  string
		cpus int
		free []int // the bits of bytes that do not count
	}{
		{"u32", 0, nil},
		{"struct { u8 a; u32 b; }", 0, []int{1, 2, 3}},
		{"struct { u8 a; u32 b; }[2]", 0, []int{1, 2, 3, 9, 10, 11}},
		{"u32", 2, []int{4, 5, 6, 7, 12, 13, 14, 15}},
		{"struct { u8 a; u16 b; }", 2, []int{1, 4, 5, 6, 7, 9, 12, 13, 14, 15}},
	} {
		typ, err := Parse(test.typ)
		if err != nil {
			t.Fatal(err)
		}
		slot := Slot{typ, test.cpus}
		a := make([]byte, slot.Size())
		for i := range a {
			b := slices.Clone(a)
			b[i] = 1
			if got, want := slot.Same(a, b), slices.Contains(test.free, i); got != want {
				t.Errorf("%s for %d CPUs: another byte %d is the same: %t, want %t", test.typ, test.cpus, i, got, want)
			}
		}
	}
}

// TestFits says which types have the same bytes.
func TestFits(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"u32", "u32", true}, {"u32", "i32", true}, {"u32", "ipv4", true}, {"u32", "bytes[4]", true}, {"u32", "u64", false},
		{"struct { u32 a; u32 b; }", "struct { ipv4 a; be32 b; }", true}, {"struct { u32 a; u32 b; }", "struct x { u32 a; u32 b; }", true},
		{"struct { u32 a; u32 b; }", "u64", true}, {"struct { u32 a; u32 b; }", "struct { u32 b; u32 a; }", false},
		{"struct { u32 a; u32 b; }", "struct { u16 a; u32 b; }", false}, {"struct { u32 a; u32 b; }", "struct { u64 a; }", false},
		{"struct { u8 a:3; u8 b:5; }", "struct { u8 a:4; u8 b:4; }", false}, {"struct { struct { u16 x; } a; }", "struct { struct { u16 y; } a; }", false},
		{"u32[2]", "ipv4[2]", true}, {"u32[2]", "u64[1]", false}, {"u32[2]", "u64", true},
	} {
		a, err := Parse(test.a)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Parse(test.b)
		if err != nil {
			t.Fatal(err)
		}
		if a.Fits(b) != test.want || b.Fits(a) != test.want {
			t.Errorf("%s and %s fit: %t and %t, want %t", a, b, a.Fits(b), b.Fits(a), test.want)
		}
	}
}
