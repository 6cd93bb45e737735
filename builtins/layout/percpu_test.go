package layout

import (
	"testing"

	"go.starlark.net/starlark"
)

func TestPerCPU(t *testing.T) {
	check(t, nil, []expr{
		{`percpu("u32", 1, 2, 3)`, `percpu(1, 2, 3)`},
		{`percpu("u32", 7)`, `percpu(7,)`},
		{`type(percpu("u32", 1, 2))`, `percpu`},
		{`len(percpu("u32", 1, 2))`, `2`},
		{`percpu("u32", 1, 2)[1], percpu("u32", 1, 2)[-1]`, `(2, 2)`},
		{`percpu("u32", 1, 2)[2]`, `percpu index 2 out of range [-2:1]`},
		{`[x + 1 for x in percpu("u32", 1, 2)]`, `[2, 3]`},
		{`list(percpu("char[4]", "a", "bcd"))`, `["a", "bcd"]`},
		{`dir(percpu("u32", 1))`, `["max", "mean", "min", "sum"]`},

		{`percpu("u8", 255, 255).sum()`, `510`},
		{`percpu("u64", 18446744073709551615, 1).sum()`, `18446744073709551616`},
		{`percpu("i8", -128, 127).sum()`, `-1`},
		{`percpu("i8", 3, -128, 127).max(), percpu("i8", 3, -128, 127).min()`, `(127, -128)`},
		{`percpu("u32", 1, 2).mean(), percpu("u32", 2, 2).mean()`, `(1.5, 2.0)`},
		{`percpu("f64", 1.5, 2.5).sum(), percpu("f64", 1.5, 2.5).max(), percpu("f32", 1.5, 2.5).mean()`, `(4.0, 2.5, 2.0)`},
		{`percpu("f64", float("nan"), 1.0).min()`, `1.0`},
		{`percpu("u128", 1 << 127, 1 << 127).sum() == 1 << 128`, `True`},
		{`percpu("u64[2]", (1, 2), (3, 5)).sum()`, `(4, 7)`},
		{`percpu("u64[2]", (1, 2), (3, 5)).mean()`, `(2.0, 3.5)`},
		{`percpu("struct { u32 n; u64 in; }", (1, 2), (3, 5)).sum()`, `sum(n=4, in=7)`},
		{`percpu("struct { u32 n; u64 in; }", (1, 2), (3, 5)).sum()["in"]`, `7`},
		{`percpu("struct { u32 n; u64 in; }", (1, 5), (3, 2)).max()`, `max(n=3, in=5)`},
		{`percpu("struct { u32 n; u64 in; }", (1, 5), (3, 2)).min()`, `min(n=1, in=2)`},
		{`percpu("struct { u32 n; u64 in; }", (1, 2), (3, 5)).mean()`, `mean(n=2.0, in=3.5)`},
		{`percpu("struct { struct { u8 x[2]; } in; }", (([1, 2],),), (([3, 4],),)).sum()`, `sum(in=sum(x=(4, 6)))`},
		{`percpu("char[4]", "a", "b").sum()`, `sum: "a" is not a number`},
		{`percpu("bool", True, 2).max()`, `max: True is not a number`},
		{`percpu("f64", 1.0, b"\1\0\0\0\0\0\xf8\x7f").sum()`, `sum: 8 bytes is not a number`},
		{`percpu("struct { u8 n; char who[4]; }", (1, "a"), (2, "b")).sum()`, `sum: "a" is not a number (field who)`},

		{`percpu("u32", 1, 2) == percpu("u32", 1, 2), percpu("u32", 1, 2) == percpu("u32", 1, 3)`, `(True, False)`},
		{`percpu("u32", 1, 2) == percpu("u64", 1, 2), percpu("u32", 1, 2) == percpu("u32", 1)`, `(True, False)`},
		{`percpu("u32", 1, 2) < percpu("u32", 1, 3), percpu("u32", 2) > percpu("u32", 1, 3)`, `(True, True)`},
		{`percpu("u32", 1, 2) == (1, 2)`, `False`},
		{`{percpu("u32", 1, 2): 5}[percpu("u32", 1, 2)]`, `5`},
		{`percpu("u32", *percpu("u32", 1, 2))`, `percpu(1, 2)`},
		{`percpu("u8", 1, 256)`, `[1]: 256 is out of range for u8 (0 to 255)`},
		{`percpu("struct { u8 a; }", (1,), (256,))`, `[1].a: 256 is out of range for u8 (0 to 255)`},
	})
}

// What a map takes for a value of two CPUs: one value for each, padded to 8 bytes.
func TestSlotEncode(t *testing.T) {
	slot := Slot{mustParse(t, "u8"), 2}
	if slot.Stride() != 8 || slot.Size() != 16 {
		t.Fatalf("stride %d, size %d, want 8 and 16", slot.Stride(), slot.Size())
	}
	value := func(t *Type, values ...starlark.Value) starlark.Value {
		v, err := perCPU(t, values)
		if err != nil {
			panic(err)
		}
		return v
	}
	one, two, big := starlark.MakeInt(1), starlark.MakeInt(2), starlark.MakeInt(256)
	for _, test := range []struct {
		name string
		v    starlark.Value
		want string
	}{
		{"list", starlark.NewList([]starlark.Value{one, two}), "\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00"},
		{"tuple", starlark.Tuple{one, two}, "\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00"},
		{"percpu", value(slot.Type, one, two), "\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00"},
		{"percpu of another type", value(mustParse(t, "u64"), one, two), "\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00"},
		{"percpu of other values", value(mustParse(t, "u64"), one, big), "[1]: 256 is out of range for u8 (0 to 255)"},
		{"percpu of other CPUs", value(slot.Type, one), "got 1 value, want one for each of 2 CPUs (the kernel would set the rest to zero)"},
		{"short list", starlark.NewList([]starlark.Value{one}), "got 1 value, want one for each of 2 CPUs (the kernel would set the rest to zero)"},
		{"long list", starlark.Tuple{one, one, one}, "got 3 values, want one for each of 2 CPUs"},
		{"scalar", one, "got 1, want one value for each of 2 CPUs, such as [v] * cpus()"},
		{"string", starlark.String("ab"), `got "ab", want one value for each of 2 CPUs, such as [v] * cpus()`},
		{"bytes", starlark.Bytes("ab"), "got 2 bytes, want one value for each of 2 CPUs, such as [v] * cpus()"},
		{"none", starlark.None, "got None, want one value for each of 2 CPUs, such as [v] * cpus()"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := []byte("\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa")
			got := ""
			if err := slot.Encode(b, test.v); err != nil {
				got = err.Error()
			} else {
				got = string(b)
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestSlotPlain(t *testing.T) {
	slot := Slot{Type: mustParse(t, "be16")}
	b := make([]byte, slot.Size())
	if err := slot.Encode(b, starlark.MakeInt(443)); err != nil || string(b) != "\x01\xbb" {
		t.Errorf("encoded % x, %v", b, err)
	}
	if v := slot.Decode(b); v.String() != "443" {
		t.Errorf("decoded %s", v)
	}
}

// The kernel keeps each CPU's value at a multiple of 8 bytes, and what is read keeps what is between them.
func TestPerCPUPadding(t *testing.T) {
	slot := Slot{mustParse(t, "u32"), 2}
	raw := []byte("\x01\x00\x00\x00....\x02\x00\x00\x00....")
	again := make([]byte, len(raw))
	if err := slot.Encode(again, slot.Decode(raw)); err != nil || string(again) != string(raw) {
		t.Errorf("%q is written back as %q, %v", raw, again, err)
	}
	raw[0] = 9
	if v := slot.Decode(again); v.String() != "percpu(1, 2)" {
		t.Errorf("decoded %s", v)
	}
}

// People see a struct of each CPU in a column for each field.
func TestPerCPUColumns(t *testing.T) {
	pair := func(n int, name string) starlark.Value {
		return starlark.Tuple{starlark.MakeInt(n), starlark.String(name)}
	}
	v, err := perCPU(mustParse(t, "struct { u32 n : 4; char who[4]; }"), []starlark.Value{pair(3, "a"), pair(5, "b")})
	if err != nil {
		t.Fatal(err)
	}
	columns := v.(*PerCPU).Columns()
	if len(columns) != 2 {
		t.Fatalf("there are %d columns", len(columns))
	}
	if n, ok := columns[0].(spread).Spread(); !ok || len(n) != 2 || n[0] != 3 || n[1] != 5 {
		t.Errorf("the numbers of n are %v, %t", n, ok)
	}
	if _, ok := columns[1].(spread).Spread(); ok || columns[1].String() != `percpu("a", "b")` {
		t.Errorf("who is %s, %t", columns[1], ok)
	}
	plain, err := perCPU(mustParse(t, "duration"), []starlark.Value{starlark.MakeInt(3)})
	if err != nil {
		t.Fatal(err)
	}
	if n, ok := plain.(*PerCPU).Spread(); !ok || n[0] != 3 || plain.(*PerCPU).Columns() != nil {
		t.Errorf("the numbers are %v, %t", n, ok)
	}
	if _, ok := plain.(*PerCPU).Shown().(interface{ Spread() ([]float64, bool) }); ok {
		t.Error("numbers that stand for something are shown as numbers")
	}
}
