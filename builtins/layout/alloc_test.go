package layout

import (
	"fmt"
	"strings"
	"testing"

	"go.starlark.net/starlark"
)

// A record costs its bytes and itself, however many fields it has: one that nobody looks at costs nothing.
func TestAllocations(t *testing.T) {
	decode := func(fields int) float64 {
		typ := mustParse(t, "struct { u64 "+names(fields)+"; }")
		b := make([]byte, typ.Size())
		for i := range b {
			b[i] = 0xff
		}
		return testing.AllocsPerRun(100, func() { typ.Decode(b) })
	}
	for _, fields := range []int{1, 8, 100, 2000} {
		if got := decode(fields); got != 2 {
			t.Errorf("a record of %d fields: %v allocations, want 2", fields, got)
		}
	}

	// A field that somebody looks at costs its value, which is nothing for a small integer.
	typ := mustParse(t, "struct { u64 a; be16 b; u8 c : 3; i32 d; char e[8]; struct { u32 f; } g; bool h; ktime i; enum { X } j; ipv4 k; u32 l[8]; }")
	r := typ.Decode(make([]byte, typ.Size())).(*Record)
	for name, want := range map[string]float64{"a": 0, "b": 0, "d": 0, "g": 2, "h": 0, "i": 0} {
		got := testing.AllocsPerRun(100, func() {
			if _, err := r.Attr(name); err != nil {
				t.Fatal(err)
			}
		})
		if got != want {
			t.Errorf("field %s: %v allocations, want %v", name, got, want)
		}
	}

	// Per-CPU values are decoded when they are looked at, too.
	slot := Slot{typ, 8}
	b := make([]byte, slot.Size())
	if got := testing.AllocsPerRun(100, func() { slot.Decode(b) }); got != 2 {
		t.Errorf("a value of 8 CPUs: %v allocations, want 2", got)
	}

	// Writing a number makes nothing.
	plain := mustParse(t, "u64")
	var v starlark.Value = starlark.MakeInt(5)
	b = make([]byte, 8)
	if got := testing.AllocsPerRun(100, func() { plain.Encode(b, v) }); got != 0 {
		t.Errorf("writing a number: %v allocations, want none", got)
	}
}

// names are those of n fields.
func names(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("f%d", i)
	}
	return strings.Join(list, ", ")
}
