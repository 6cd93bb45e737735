package method

import (
	"fmt"
	"testing"

	"go.starlark.net/starlark"
)

// TestBind calls rows with many kinds of arguments. The body shows what it was given.
func TestBind(t *testing.T) {
	show := func(_ string, c Call) (starlark.Value, error) {
		text := ""
		for _, a := range c.Args {
			if a == nil {
				text += "- "
			} else {
				text += a.String() + " "
			}
		}
		return starlark.String(fmt.Sprint(text, c.Rest, c.More)), nil
	}
	row := func(params string) []Row[string] { return []Row[string]{{Name: "f", Params: params, Run: show}} }
	for _, r := range []struct{ params, call, want string }{
		{"", "f()", "() []"},
		{"", "f(1)", "f: got 1 argument, want none: f()"},
		{"a, b", "f(1, 2)", "1 2 () []"},
		{"a, b", "f(1, b=2)", "1 2 () []"},
		{"a, b", "f(b=1, a=2)", "2 1 () []"},
		{"a, b", "f(1)", "f: missing argument b: f(a, b)"},
		{"a, b", "f(1, 2, 3)", "f: got 3 arguments, want 2: f(a, b)"},
		{"a, b", "f(1, a=2)", "f: two values for a"},
		{"alpha, b=0", "f(1, alhpa=2)", "f: no parameter alhpa (did you mean alpha?): f(alpha, b=0)"},
		{"a, b=None, c=(1, 2)", "f(1)", "1 - - () []"},
		{"a, b=None, c=(1, 2)", "f(1, c=3)", "1 - 3 () []"},
		{"a, b=None, c=(1, 2)", "f(1, 2, 3, 4)", "f: got 4 arguments, want at most 3: f(a, b=None, c=(1, 2))"},
		{"fn, *args, **kwargs", "f(1, 2, 3, x=4)", `1 (2, 3) [("x", 4)]`},
		{"*args, sep=\", \"", "f(1, 2)", "- (1, 2) []"},
		{"*args, sep=\", \"", "f(1, sep=2)", "2 (1,) []"},
		{"**fields", "f(a=1)", `() [("a", 1)]`},
	} {
		t.Run(r.params+"/"+r.call, func(t *testing.T) {
			v, err := starlark.Eval(&starlark.Thread{}, "", r.call, Functions("", row(r.params)))
			got := fmt.Sprint(err)
			if err == nil {
				got = string(v.(starlark.String))
			}
			if got != r.want {
				t.Errorf("got %s, want %s", got, r.want)
			}
		})
	}
}

// TestRowsThatContradict must not start.
func TestRowsThatContradict(t *testing.T) {
	run := func(int, Call) (starlark.Value, error) { return starlark.None, nil }
	for _, r := range []struct {
		name string
		make func()
	}{
		{"two rows of a name", func() { NewTable("t", nil, []Row[int]{{Name: "f", Run: run}, {Name: "f", Run: run}}).Names() }},
		{"required behind optional", func() { (&signature[int]{Row: Row[int]{Name: "f", Params: "a=1, b", Run: run}}).parse() }},
	} {
		t.Run(r.name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it did not panic")
				}
			}()
			r.make()
		})
	}
}

// TestNearest finds names that are nearly right, and no others.
func TestNearest(t *testing.T) {
	names := []string{"update", "lookup", "lookup_batch", "pop", "U32", "u32", "x", "y8", "Y8"}
	for _, r := range []struct{ name, want string }{
		{"updaet", "update"}, {"UPDATE", "update"}, {"lokup", "lookup"}, {"lookupbatch", "lookup_batch"}, {"u33", "u32"},
		{"U33", "U32"}, {"Y7", "Y8"}, {"y7", "y8"},
		{"y", ""}, {"delete", ""}, {"", ""}, {"pp", "pop"},
	} {
		t.Run(r.name, func(t *testing.T) {
			if got := Nearest(r.name, names); got != r.want {
				t.Errorf("got %q, want %q", got, r.want)
			}
		})
	}
}
