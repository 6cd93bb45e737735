package layout

import (
	"slices"
	"testing"

	"go.starlark.net/starlark"
)

func TestFacts(t *testing.T) {
	facts := func(values ...starlark.Value) *Facts {
		f := NewFacts("info")
		for i, v := range values {
			f.Add([]string{"in", "out"}[i], v)
		}
		return f
	}
	list := starlark.NewList(nil)
	env := starlark.StringDict{
		"a":    facts(starlark.MakeInt(1), starlark.String("x")),
		"same": facts(starlark.MakeInt(1), starlark.String("x")),
		"b":    facts(starlark.MakeInt(1), starlark.String("y")),
		"less": facts(starlark.MakeInt(1)),
		"held": facts(list),
	}
	for _, test := range []expr{
		{`a`, `info(in=1, out="x")`},
		{`a.out`, `x`},
		{`a["in"]`, `1`},
		{`a.outs`, `record has no .outs field or method (did you mean .out?)`},
		{`a["outs"]`, `info has no field outs (did you mean out?); it has in, out`},
		{`a["no such"]`, `info has no field "no such"; it has in, out`},
		{`a[1]`, `info: got 1, want the name of a field`},
		{`"in" in a, "no" in a`, `(True, False)`},
		{`dir(a)`, `["in", "out"]`},
		{`type(a), bool(a)`, `("record", True)`},
		{`a == same, a != same, a == b, a == less`, `(True, False, False, False)`},
		{`a < b`, `record < record not implemented`},
		{`{a: 5}[same]`, `5`},
		{`{held: 5}`, `unhashable type: list`},
	} {
		t.Run(test.src, func(t *testing.T) {
			if got := eval(env, test.src); got != test.want {
				t.Errorf("%s\n got %s\nwant %s", test.src, got, test.want)
			}
		})
	}

	env["held"].Freeze()
	if err := list.Append(starlark.None); err == nil {
		t.Error("a frozen record holds a list that changes")
	}
}

// TestFactsShown shows some fields as people read them, and leaves the values alone.
func TestFactsShown(t *testing.T) {
	f := NewFacts("map").Add("id", starlark.MakeInt(5)).
		AddSeen("memory", starlark.MakeInt(4096), Seen{Head: "size", Value: starlark.String("4.0 KiB"), Yield: 3}).
		AddSeen("flags", starlark.MakeInt(1), Seen{Hidden: true})
	shown := f.Shown().(fielded)
	for i, want := range []struct{ value, shown string }{{"5", "5"}, {"4096", `"4.0 KiB"`}} {
		if got := f.Field(i).String(); got != want.value {
			t.Errorf("field %d is %s, want %s", i, got, want.value)
		}
		if got := shown.Field(i).String(); got != want.shown {
			t.Errorf("field %d is shown as %s, want %s", i, got, want.shown)
		}
	}
	if got := shown.Fields(); !slices.Equal(got, []string{"id", "size"}) {
		t.Errorf("people see the fields %q", got)
	}
	if y := f.Shown().(interface{ Yield(i int) int }); y.Yield(0) != 0 || y.Yield(1) != 3 {
		t.Errorf("the fields leave in the order %d, %d", y.Yield(0), y.Yield(1))
	}
	if f.String() != "map(id=5, memory=4096, flags=1)" {
		t.Errorf("a script sees %s", f)
	}
	if plain := NewFacts("x").Add("id", starlark.MakeInt(5)); plain.Shown() != starlark.Value(plain) {
		t.Error("what has nothing to show differently is shown as something else")
	}
}
