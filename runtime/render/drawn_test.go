package render

import (
	"slices"
	"strings"
	"testing"

	"go.starlark.net/starlark"
)

// yielding is a record whose fields leave a table in the order of their names: "a1" first, then "b2" and "c3"; "x0" stays.
type yielding struct {
	starlark.Value
	names  []string
	values []starlark.Value
}

func (r yielding) Fields() []string           { return r.names }
func (r yielding) Field(i int) starlark.Value { return r.values[i] }
func (r yielding) Yield(i int) int            { return map[byte]int{'1': 3, '2': 2, '3': 1}[r.names[i][1]] }

func drawnRows() starlark.Value {
	text := func(v starlark.Value, room int, text string) Drawn {
		return Drawn{Value: v, Room: room, Draw: func(room int, ascii bool) string { return ListText(strings.Split(text, "|"), room, ascii) }}
	}
	row := func(full, size Drawn, list string) starlark.Value {
		return yielding{starlark.None, []string{"x0", "a1", "full0", "b2", "c3"}, []starlark.Value{
			starlark.String("id"), text(starlark.None, 10, list), full, text(starlark.None, 0, "bbbbbbbbbbbbbb"), size}}
	}
	full := func(share float64, loud bool) Drawn {
		return Drawn{Value: starlark.Float(share), Loud: loud, Draw: func(_ int, ascii bool) string { return Bar(share, 4, ascii) }}
	}
	size := func(text string) Drawn {
		return Drawn{Value: starlark.MakeInt(5), Number: true, Draw: func(int, bool) string { return text }}
	}
	return starlark.NewList([]starlark.Value{
		row(full(0.5, false), size("5 B"), "one|two|three"),
		row(full(1, true), size("10 MiB"), "evil\x1b[2J\nlonger|b"),
	})
}

// What is drawn has the room of its cell and the colours that there are, and columns leave a table that is too wide, in
// their order; the machine formats have the values.
func TestDrawn(t *testing.T) {
	for _, test := range []struct {
		name string
		o    Options
		want string
	}{
		{"as wide as it is", Options{}, `
x0  a1          full0  b2                  c3
id  one, …      ██     bbbbbbbbbbbbbb     5 B
id  evil\x1b[…  ████   bbbbbbbbbbbbbb  10 MiB
2 rows`},
		{"it fits", Options{Width: 45}, `
x0  a1          full0  b2                  c3
id  one, …      ██     bbbbbbbbbbbbbb     5 B
id  evil\x1b[…  ████   bbbbbbbbbbbbbb  10 MiB
2 rows`},
		{"one leaves", Options{Width: 44}, `
x0  full0  b2                  c3
id  ██     bbbbbbbbbbbbbb     5 B
id  ████   bbbbbbbbbbbbbb  10 MiB
2 rows, without a1`},
		{"one leaves that is wider than the next", Options{Width: 30, ASCII: true}, `
x0  a1          full0      c3
id  one, ~      ##        5 B
id  evil\x1b[~  ####   10 MiB
2 rows, without b2`},
		{"all leave but one", Options{Width: 19, ASCII: true}, `
x0  full0      c3
id  ##        5 B
id  ####   10 MiB
2 rows, without a1, b2`},
		{"colour", Options{Width: 20, Color: true}, "\n\x1b[1mx0  full0      c3\x1b[0m\n" +
			"id  ██        5 B\nid  \x1b[1;31m████\x1b[0m   10 MiB\n2 rows, without a1, b2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.o.Text(drawnRows())
			if got = "\n" + got; err != nil || got != test.want {
				t.Errorf("got %s, %v\nwant %s\n(%q)", got, err, test.want, got)
			}
		})
	}
	if got, err := JSON(drawnRows()); err != nil || !strings.Contains(string(got), `"full0":`) || strings.Contains(string(got), "█") {
		t.Errorf("JSON is %s, %v", got, err)
	}
}

// A column without a text has room where the others have, and else is not missed.
func TestDrawnEmpty(t *testing.T) {
	row := func(a, b string) starlark.Value {
		return yielding{starlark.None, []string{"x0", "a1", "b2", "c3"}, []starlark.Value{
			starlark.String("one and another"), starlark.String(b), starlark.String(a), starlark.String("")}}
	}
	list := starlark.NewList([]starlark.Value{row("", "text"), row("", "")})
	for width, want := range map[int]string{
		80: "x0               a1    b2  c3\none and another  text\none and another\n2 rows",
		24: "x0               a1\none and another  text\none and another\n2 rows",
		20: "x0\none and another\none and another\n2 rows, without a1",
	} {
		if got, err := (Options{Width: width}).Text(list); err != nil || got != want {
			t.Errorf("%d: got %s, %v\nwant %s", width, got, err, want)
		}
	}
}

// Where the columns that stay are too wide, none leaves: the cells stand one below the other, whole and without colours.
func TestDrawnNarrow(t *testing.T) {
	long := Drawn{Value: starlark.None, Room: 10, Loud: true, Draw: func(room int, ascii bool) string {
		return ListText([]string{"a text without room", "more"}, room, ascii)
	}}
	list := starlark.NewList([]starlark.Value{yielding{starlark.None, []string{"x0", "a1", "y0"}, []starlark.Value{
		starlark.String("a text that stays"), long, starlark.String("one more that does")}}})
	const want = "\n\x1b[1m-[ row 1 ]-\x1b[0m" + `
x0  a text that stays
a1  a text without room,
     more
y0  one more that does
1 row`
	if got, err := (Options{Width: 24, Color: true}).Text(list); err != nil || "\n"+got != want {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
}

func TestListText(t *testing.T) {
	items := []string{"nginx(812)", "envoy(9)", "a\x1bb\n(1)"}
	for _, row := range []struct {
		room  int
		ascii bool
		want  string
	}{
		{0, false, `nginx(812), envoy(9), a\x1bb\n(1)`},
		{33, false, `nginx(812), envoy(9), a\x1bb\n(1)`},
		{32, false, `nginx(812), envoy(9), …`},
		{23, false, `nginx(812), envoy(9), …`},
		{22, false, `nginx(812), …`},
		{22, true, `nginx(812), ~`},
		{12, false, `nginx(812),…`},
		{5, false, `ngin…`},
		{5, true, `ngin~`},
	} {
		if got := ListText(items, row.room, row.ascii); got != row.want {
			t.Errorf("room for %d: got %q, want %q", row.room, got, row.want)
		}
	}
	if !slices.Equal(items, []string{"nginx(812)", "envoy(9)", "a\x1bb\n(1)"}) {
		t.Errorf("the list has become %q", items)
	}
	if got := ListText(nil, 10, false); got != "" {
		t.Errorf("of nothing: %q", got)
	}
}
