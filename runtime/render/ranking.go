package render

import (
	"context"
	"fmt"
	"strings"

	"go.starlark.net/starlark"
)

// Ranked is elements in an order, and a number of each.
type Ranked struct {
	// Elements are what the numbers are of: a record has a column for each field. nil: there are only numbers.
	Elements []starlark.Value
	Head     string // of elements that are no records: "key"
	By       string // what the numbers are: "bytes"; a field of this name needs no second column
	Values   []float64
}

// columns are those of the elements, and of the numbers. Of a record the fields behind the first go first where there
// is little room.
func (r *Ranked) columns(o Options) (columns []chartColumn, rows [][]string) {
	rows = make([][]string, len(r.Values))
	if t := r.table(o.Context); t != nil {
		const last = 10 // what goes before shares and bars do
		names, cells := t.names(), t.cells(o)
		if stopped(o.Context) != nil {
			return nil, nil
		}
		for i, name := range names {
			if len(names) > 1 && (name == r.By || strings.HasSuffix(r.By, "."+name) || strings.HasSuffix(name, "."+r.By)) {
				continue
			}
			col := chartColumn{name: name, right: t.numeric(i), cut: true}
			if len(columns) > 0 && t.Columns[i].Of != "key" {
				col.drop = last + i
			}
			columns = append(columns, col)
			for j := range rows {
				rows[j] = append(rows[j], cells[j][i])
			}
		}
	}
	columns = append(columns, chartColumn{name: escapeLine(r.By), right: true})
	for i, v := range r.Values {
		rows[i] = append(rows[i], Short(v))
	}
	return columns, rows
}

// table is the elements under columns; nil if there are none.
func (r *Ranked) table(ctx context.Context) *Table {
	if r.Elements == nil {
		return nil
	}
	elements := starlark.Tuple(r.Elements)
	if t := listTable(ctx, elements, -1); t != nil {
		for i := range t.Columns {
			if t.Columns[i].Of == "" && r.Head == "key" {
				t.Columns[i].Of = "key"
			}
		}
		return t
	}
	t := &Table{Columns: []Column{{Name: r.Head}}}
	pairs := true
	for _, e := range elements {
		pair, ok := e.(starlark.Tuple)
		pairs = pairs && ok && len(pair) == 2
		t.Rows = append(t.Rows, []starlark.Value{e})
	}
	if pairs && r.Head != "key" {
		t.Columns = keyValue
		for i, e := range elements {
			t.Rows[i] = e.(starlark.Tuple)
		}
	}
	return t
}

// Ranking is the greatest of many elements, with what share of all they have.
type Ranking struct {
	Ranked
	Count int     // of all elements
	Total float64 // of all their numbers; 0: shares would say nothing
	Noun  string  // what an element is: "key"
}

// Draw has a line for each element, and one that says how many more there are.
func (r *Ranking) Draw(o Options) string {
	columns, rows := r.columns(o)
	columns = append([]chartColumn{{name: "#", right: true}}, columns...)
	c := &chart{columns: columns}
	cumulative, most := 0.0, 0.0
	for _, v := range r.Values {
		most = max(most, v)
	}
	for i, cells := range rows {
		cells = append([]string{fmt.Sprint(i + 1)}, cells...)
		if r.Total > 0 {
			cumulative += r.Values[i]
			cells = append(cells, Percent(r.Values[i]/r.Total), Percent(min(1, cumulative/r.Total)))
		}
		c.rows = append(c.rows, cells)
	}
	if r.Total > 0 {
		c.columns = append(c.columns, chartColumn{name: "share", right: true, drop: 1}, chartColumn{name: "cum", right: true, drop: 3})
		c.least, c.most, c.drop = 4, 60, 2
		c.drawn = func(row, cells int) string { return Bar(r.Values[row]/most, cells, o.ASCII) }
	}
	out := c.lines(o)
	if more := r.Count - len(r.Values); more > 0 {
		line := fmt.Sprintf("  %s %s more", o.signs().gap, Count(more))
		if r.Noun != "" {
			line += " " + r.Noun
			if more > 1 {
				line += "s"
			}
		}
		if r.Total > 0 {
			line += ", " + Percent(max(0, 1-cumulative/r.Total)) + " of the total"
		}
		out = append(out, o.aside(snip(line, o.drawnWidth(), o.ASCII)))
	}
	return strings.Join(out, "\n")
}
