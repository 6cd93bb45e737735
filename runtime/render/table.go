package render

import (
	"context"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"go.starlark.net/starlark"
)

// Table is rows under named columns.
type Table struct {
	Title   string // a line above; "" for none
	Columns []Column
	Rows    [][]starlark.Value // each as long as Columns
	Total   int                // rows there are; more than len(Rows) where some were left out
	Noun    string             // what a row is: "entry"
	Nouns   string             // and several of them: "entries"
	Footer  string             // a line below, in the place of how many rows there are; "" for none
	Parts   []*Table           // what some rows hold, to show behind them

	record bool  // the rows are the fields of one record
	before int   // rows that stand before these, of a table that is written in pieces
	least  []int // the least widths of its columns then; nil: none
}

// Column is the head of a column.
type Column struct {
	Name string
	Of   string // what it is a part of, which stands before a name that another column has too: "key"
	Type string // under the name; "" for none
	// Fields are the fields of each value under the column, if all of them are records with these; nil if they are not.
	// Only Rows have columns with fields: a row of a Table has a value for each of them.
	Fields []Column
	// Shown is what people see of a value under the column that Rows give; nil: what the value itself says.
	Shown func(starlark.Value) starlark.Value
	// Yield is for a Table. Where it is too wide, one with 0 stays, and of the others those that there is room for, of which
	// the least comes first.
	Yield int
	// Whole says that people see a value with fields as one.
	Whole bool
	// Right says that the cells stand at the right, as numbers do, though they are texts.
	Right bool
}

// String lays the table out, and its parts behind it, each further to the right. Numbers stand at the right of their
// column, the rest at the left.
func (t *Table) String() string { return t.layout(Options{}) }

// layout is String within the options' width, and in colour if they say so.
func (t *Table) layout(o Options) string {
	if o.Width > 0 {
		o.Width = max(o.Width, narrowest)
	}
	out := t.own(o)
	const indent = "\n  "
	if o.Width > 0 {
		o.Width -= len(indent) - 1
	}
	for _, part := range t.Parts {
		if stopped(o.Context) != nil {
			break
		}
		out += indent + strings.ReplaceAll(part.layout(o), "\n", indent)
	}
	return out
}

// own is the table without its parts.
func (t *Table) own(o Options) string {
	t, left := t.fitted(o)
	var out []string
	if t.Title != "" || len(t.Columns) == 0 {
		out = append(out, strings.TrimRight(escapeLine(t.Title), " "))
	}
	if len(t.Columns) > 0 {
		out = append(out, t.body(o))
	}
	if t.Nouns != "" || t.Footer != "" {
		out = append(out, t.footer(left))
	}
	return strings.Join(out, "\n")
}

// footer says how many rows there are, and which columns have left.
func (t *Table) footer(left []string) string {
	if t.Footer != "" {
		return escapeLine(t.Footer)
	}
	out := Count(t.Total) + " " + t.Nouns
	if t.Total == 1 {
		out = Count(t.Total) + " " + t.Noun
	}
	if t.Total > len(t.Rows) {
		out += " (" + Count(len(t.Rows)) + " shown)"
	}
	if len(left) > 0 {
		out += ", without " + escapeLine(strings.Join(left, ", "))
	}
	return out
}

// body is the head and the rows; where they are too wide, one below the other.
func (t *Table) body(o Options) string {
	rows, types := t.cells(o), t.types()
	grid := t.grid(o.Context, rows, types)
	if o.Width > 0 && widest(o.Context, grid) > o.Width {
		types = t.shortTypes(rows, types, o.ASCII)
		grid = t.grid(o.Context, rows, types)
	}
	switch {
	case o.Width == 0 || widest(o.Context, grid) <= o.Width:
	case t.record:
		return t.fieldView(t.longCells(o), o)
	case len(rows) > 0:
		return t.recordView(t.longCells(o), o)
	}
	if !o.Color {
		return grid
	}
	head, rest, _ := strings.Cut(grid, "\n")
	if head = bold(head); types != nil {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		head += "\n" + dim(line)
	}
	if rest == "" {
		return head
	}
	return head + "\n" + rest
}

// most is how many rows are laid out at once: that cannot be stopped.
const most = 1000

// grid lays cells out. Each is one line, so that each row is.
func (t *Table) grid(ctx context.Context, rows [][]string, types []string) string {
	lines := [][]string{t.names()}
	if types != nil {
		lines = append(lines, types)
	}
	heads := len(lines)
	lines = append(lines, rows...)
	columns := make([]table.ColumnConfig, len(t.Columns))
	for i := range t.Columns {
		c := &columns[i]
		c.Number = i + 1
		if t.numeric(i) {
			c.Align, c.AlignHeader = text.AlignRight, text.AlignRight
		}
		if t.least != nil {
			c.WidthMin = t.least[i]
		}
		for j := 0; j < len(lines) && len(lines) > most && stopped(ctx) == nil; j++ { // so that the pieces are alike
			c.WidthMin = max(c.WidthMin, width(lines[j][i]))
		}
	}
	var pieces []string
	for len(lines) > 0 && stopped(ctx) == nil {
		n := min(most, len(lines))
		pieces = append(pieces, gridOf(columns, lines[:n], heads))
		lines, heads = lines[n:], 0
	}
	return strings.Join(pieces, "\n")
}

// gridOf lays out lines, of which the first are heads.
func gridOf(columns []table.ColumnConfig, lines [][]string, heads int) string {
	w := table.NewWriter()
	w.SetStyle(plain)
	w.SetColumnConfigs(columns)
	for i, line := range lines {
		if row := rowOf(line); i < heads {
			w.AppendHeader(row)
		} else {
			w.AppendRow(row)
		}
	}
	w.SuppressTrailingSpaces()
	return w.Render()
}

func rowOf(cells []string) table.Row {
	row := make(table.Row, len(cells))
	for i, c := range cells {
		row[i] = c
	}
	return row
}

func (t *Table) names() []string {
	times := map[string]int{}
	for _, c := range t.Columns {
		times[c.Name]++
	}
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		if times[c.Name] > 1 && c.Of != "" {
			c.Name = c.Of + "." + c.Name
		}
		names[i] = escapeLine(c.Name)
	}
	return names
}

// types is the row of types; nil if no column has one.
func (t *Table) types() []string {
	types, typed := make([]string, len(t.Columns)), false
	for i, c := range t.Columns {
		types[i] = escapeLine(c.Type)
		typed = typed || c.Type != ""
	}
	if !typed {
		return nil
	}
	return types
}

// shortTypes cuts the types that alone make their columns wide.
func (t *Table) shortTypes(rows [][]string, types []string, ascii bool) []string {
	const enough = 12
	if types == nil {
		return nil
	}
	short := make([]string, len(types))
	for i := range types {
		limit := max(enough, width(t.Columns[i].Name))
		for _, r := range rows {
			limit = max(limit, width(r[i]))
		}
		short[i] = snip(types[i], limit, ascii)
	}
	return short
}

// cells are the texts in a grid.
func (t *Table) cells(o Options) [][]string { return t.texts(o, !t.record) }

// longCells are the texts where each has lines of its own, which may be cut anywhere.
func (t *Table) longCells(o Options) [][]string {
	o.Color = false
	return t.texts(o, false)
}

func (t *Table) texts(o Options, narrow bool) [][]string {
	rows := make([][]string, len(t.Rows))
	for i, r := range t.Rows {
		if stopped(o.Context) != nil {
			return rows[:i]
		}
		for _, v := range r {
			room := 0
			if d, ok := v.(Drawn); ok && narrow {
				room = d.Room
			}
			rows[i] = append(rows[i], o.drawn(v, room))
		}
	}
	return rows
}

// numeric says whether a column has only numbers, or what looks like them; None is one that is not known.
func (t *Table) numeric(column int) bool {
	if t.Columns[column].Right {
		return true
	}
	numbers := 0
	for _, r := range t.Rows {
		switch v := r[column].(type) {
		case Drawn:
			if !v.Number {
				return false
			}
			numbers++
		case starlark.Int, starlark.Float:
			numbers++
		case starlark.NoneType:
		default:
			if _, ok := spreadOf(shown(r[column])); !ok {
				return false
			}
			numbers++
		}
	}
	return numbers > 0
}

// cell is a value on one line, with no character that a terminal might obey.
func cell(v starlark.Value, ascii bool) string {
	v = shown(v)
	if values, ok := spreadOf(v); ok {
		return spreadCell(values, ascii)
	}
	return escapeLine(printed(v))
}

// plain has two spaces between columns and no lines, so that rows can be copied.
var plain = table.Style{
	Name:    "plain",
	Box:     table.BoxStyle{PaddingRight: "  "},
	Format:  table.FormatOptions{Header: text.FormatDefault},
	Options: table.Options{},
}
