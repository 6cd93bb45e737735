package render

import (
	"cmp"
	"slices"
	"strings"

	"go.starlark.net/starlark"
)

// Drawn is a value that people see drawn: as a bar, in units, cut where there is no room. The machine formats have the
// value itself.
type Drawn struct {
	starlark.Value
	// Draw is the text for a place with room for so many characters; 0: for any number.
	Draw   func(room int, ascii bool) string
	Room   int  // in a table of many rows; 0: any
	Number bool // it stands at the right of its column
	Loud   bool // it stands out where there are colours
}

// Yielder is a record some of whose fields leave a table that is too wide.
type Yielder interface {
	Fielder
	// Yield is the Yield of the Column of field i.
	Yield(i int) int
}

// ListText is the items of a list, as many as there is room for; 0: all.
func ListText(items []string, room int, ascii bool) string {
	items = slices.Clone(items)
	for i := range items {
		items[i] = escapeLine(items[i])
	}
	all := strings.Join(items, ", ")
	if room == 0 || width(all) <= room {
		return all
	}
	for n := len(items) - 1; n > 0; n-- {
		if some := strings.Join(items[:n], ", ") + ", " + cutMark(ascii); width(some) <= room {
			return some
		}
	}
	return snip(all, room, ascii)
}

// drawn is the text of a cell with the options' colours.
func (o Options) drawn(v starlark.Value, room int) string {
	d, ok := v.(Drawn)
	if !ok {
		return cell(v, o.ASCII)
	}
	text := escapeLine(d.Draw(room, o.ASCII))
	if d.Loud && o.Color {
		return red(text)
	}
	return text
}

func red(text string) string { return "\x1b[1;31m" + text + "\x1b[0m" }

// fitted is the table with the columns that there is room for, and the names of those that have left; such a column without
// a text leaves too, and nobody misses it. Where it would not fit with those alone that stay, it keeps all.
func (t *Table) fitted(o Options) (narrow *Table, left []string) {
	fits := func(t *Table) bool { return widest(o.Context, t.grid(o.Context, t.cells(o), t.types())) <= o.Width }
	stays := func(c Column) bool { return c.Yield == 0 }
	if o.Width == 0 || t.record || !slices.ContainsFunc(t.Columns, func(c Column) bool { return !stays(c) }) || fits(t) {
		return t, nil
	}
	in := make([]bool, len(t.Columns))
	order := make([]int, len(t.Columns)) // the more a column is wanted, the sooner it is tried
	for i, c := range t.Columns {
		in[i], order[i] = stays(c), i
	}
	if narrow = t.with(in); !fits(narrow) {
		return t, nil
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(t.Columns[a].Yield, t.Columns[b].Yield) })
	cells := t.cells(o)
	empty := func(column int) bool {
		return !slices.ContainsFunc(cells, func(row []string) bool { return row[column] != "" })
	}
	for _, i := range order {
		if in[i] || empty(i) {
			continue
		}
		in[i] = true
		if wider := t.with(in); fits(wider) {
			narrow = wider
		} else {
			in[i] = false
		}
	}
	for i, c := range t.Columns {
		if !in[i] && !empty(i) {
			left = append(left, c.Name)
		}
	}
	return narrow, left
}

// with is the table with some of its columns.
func (t *Table) with(in []bool) *Table {
	some := *t
	some.Columns, some.Rows = chosen(t.Columns, in), make([][]starlark.Value, len(t.Rows))
	for i, row := range t.Rows {
		some.Rows[i] = chosen(row, in)
	}
	return &some
}

func chosen[T any](of []T, in []bool) (some []T) {
	for i, x := range of {
		if in[i] {
			some = append(some, x)
		}
	}
	return some
}
