package render

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.starlark.net/starlark"
)

// asked is a context that is done when it was asked so many times.
type asked struct {
	context.Context
	times, most int
}

func (a *asked) Err() error {
	if a.times++; a.times > a.most {
		return context.Canceled
	}
	return nil
}

func (a *asked) Value(any) any { return nil } // for context.Cause, that it says itself why

// TestStopped ends the writing of what has many rows at every place where it can end: there is an error then, what is
// written are the whole lines of its beginning, and nothing is done to the other rows.
func TestStopped(t *testing.T) {
	const n, unlimited = most + most/10, 1 << 40
	records, dicts, numbers, pairs := list(), list(), list(), &starlark.Dict{}
	rows, wide := make([][]starlark.Value, n), &Table{Nouns: "rows"}
	yields := &Table{Columns: []Column{{Name: "name"}, {Name: "much", Yield: 1}, {Name: "more", Yield: 2}}, Nouns: "rows"}
	for i := range n {
		records.Append(record("id", i, "name", strings.Repeat("n", i%30)))
		dicts.Append(dict("id", i, "name", "x"))
		numbers.Append(val(i))
		pairs.SetKey(val(i), val(i))
		rows[i] = vals(i, record("a", i, "b", "text"))
		yields.Rows = append(yields.Rows, vals(i, strings.Repeat("n", 30), strings.Repeat("m", 60)))
	}
	for range n / 10 {
		part := *yields
		part.Rows = part.Rows[:3]
		wide.Parts = append(wide.Parts, &part)
	}
	many := &fakeMap{columns: []Column{{Name: "key"}, {Name: "value", Fields: []Column{{Name: "a"}, {Name: "b"}}}}, rows: rows}
	ranking := &Ranking{Ranked: Ranked{Elements: elementsOf(records), By: "id", Values: make([]float64, n)}, Total: 1}
	for _, test := range []struct {
		name   string
		v      starlark.Value
		width  int
		format []Format
		looks  []float64 // for each row: one in each of its loops
	}{
		{"records", records, 0, []Format{FormatTable, FormatMarkdown, FormatJSON, FormatJSONL, FormatCSV, FormatTSV}, []float64{4, 3, 1, 1, 2, 2}},
		{"narrow", records, 20, []Format{FormatTable}, []float64{10}},
		{"dicts", dicts, 0, []Format{FormatTable, FormatJSON, FormatCSV}, []float64{4, 1, 2}},
		{"numbers", numbers, 0, []Format{FormatJSON, FormatTSV}, []float64{1, 2}},
		{"pairs", pairs, 0, []Format{FormatTable, FormatJSON, FormatCSV}, []float64{3, 1, 2}},
		{"map", many, 0, []Format{FormatTable, FormatMarkdown, FormatJSON, FormatJSONL, FormatCSV, FormatTSV}, []float64{5, 3, 1, 1, 1, 1}},
		{"table", tabled{starlark.None, yields}, 70, []Format{FormatTable, FormatMarkdown}, []float64{23, 2}},
		{"parts", tabled{starlark.None, wide}, 0, []Format{FormatTable, FormatMarkdown}, []float64{0.4, 0.7}},
		{"ranking", pictured{starlark.None, ranking}, 80, []Format{FormatTable}, []float64{8}},
	} {
		for i, format := range test.format {
			t.Run(fmt.Sprint(test.name, "/", format), func(t *testing.T) {
				var whole strings.Builder
				o := Options{Format: format, Width: test.width, Limit: -1}
				if err := Write(&whole, test.v, o); err != nil {
					t.Fatal(err)
				}
				all := &asked{context.Background(), 0, unlimited}
				o.Context = all
				if err := Write(&strings.Builder{}, test.v, o); err != nil {
					t.Fatal(err)
				}
				if want := int(test.looks[i] * n); all.times < want {
					t.Errorf("it looked %d times whether it is to end, want %d", all.times, want)
				}
				for most := 0; most < all.times; most += 1 + all.times/6 {
					ctx := &asked{context.Background(), 0, most}
					o.Context = ctx
					var part strings.Builder
					if err := Write(&part, test.v, o); !errors.Is(err, context.Canceled) {
						t.Fatalf("stopped after %d of %d looks it gave %v, want %v", most, all.times, err, context.Canceled)
					}
					if text := part.String(); !strings.HasPrefix(whole.String(), text) || text != "" && text[len(text)-1] != '\n' && format != FormatJSON {
						t.Fatalf("stopped after %d of %d looks it wrote what is not the beginning:\n%s", most, all.times, text)
					}
					if more := ctx.times - most; more > 50 {
						t.Fatalf("stopped after %d of %d looks it looked %d times more", most, all.times, more)
					}
				}
			})
		}
	}
}

// TestStoppedEvents shows the events that were read when the writing is to end: they may be nowhere else.
func TestStoppedEvents(t *testing.T) {
	var out strings.Builder
	o := Options{Context: &asked{context.Background(), 0, 2}}
	if err := Write(&out, events{plainMap(vals(1, 2), vals(3, 4), vals(5, 6))}, o); !errors.Is(err, context.Canceled) {
		t.Errorf("it gave %v, want %v", err, context.Canceled)
	}
	if text := out.String(); !strings.Contains(text, "3") || strings.Contains(text, "5") {
		t.Errorf("it wrote\n%s\nwant the first two rows", text)
	}
}

// TestGridInPieces lays many rows out as if they were few: those that there are twice are alike.
func TestGridInPieces(t *testing.T) {
	few := &Table{Columns: []Column{{Name: "number", Type: "u64"}, {Name: "name", Type: "char[16]"}, {Name: "last"}}}
	for i := range most / 2 {
		few.Rows = append(few.Rows, vals(i*i, strings.Repeat("\u00e9\u4e16\x1b", i%most/100), i%7))
	}
	many, ctx := *few, &asked{context.Background(), 0, 1 << 40}
	for range 4 {
		many.Rows = append(many.Rows, few.Rows...)
	}
	lines := strings.Split(few.grid(nil, few.cells(Options{}), few.types()), "\n")
	want := strings.Join(lines[:2], "\n") + strings.Repeat("\n"+strings.Join(lines[2:], "\n"), 5)
	if got := many.grid(ctx, many.cells(Options{}), many.types()); got != want {
		t.Errorf("in pieces it is\n%.1000s\nwant\n%.1000s", got, want)
	}
	if want := 3*(2+len(many.Rows)) + 3; ctx.times != want { // each cell, and the pieces
		t.Errorf("it looked %d times whether it is to end, want %d", ctx.times, want)
	}
}

// TestStoppedOutput ends the writing of a long table between two pieces of it.
func TestStoppedOutput(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	table := &Table{Columns: []Column{{Name: "n"}}, Rows: make([][]starlark.Value, 3*piece)}
	for i := range table.Rows {
		table.Rows[i] = vals(i)
	}
	out := &calls{f: cancel}
	if err := Write(out, tabled{starlark.None, table}, Options{Context: ctx}); !errors.Is(err, context.Canceled) {
		t.Errorf("it gave %v, want %v", err, context.Canceled)
	}
	if out.n != 1 {
		t.Errorf("it wrote %d pieces, want 1", out.n)
	}
}

// calls calls f for each piece that is written.
type calls struct {
	n int
	f func()
}

func (c *calls) Write(p []byte) (int, error) {
	c.n++
	c.f()
	return len(p), nil
}

// elementsOf are the elements of a list.
func elementsOf(l *starlark.List) (all []starlark.Value) {
	for i := range l.Len() {
		all = append(all, l.Index(i))
	}
	return all
}

// tabled is a value with a table.
type tabled struct {
	starlark.Value
	t *Table
}

func (t tabled) Table(int) (*Table, error) { return t.t, nil }

// pictured is a value with a picture.
type pictured struct {
	starlark.Value
	p Picture
}

func (p pictured) Picture() Picture { return p.p }

// events are the rows of a map as they come.
type events struct{ *fakeMap }

func (e events) Live(func() error) (Rows, error) { return e.fakeMap.Rows() }
