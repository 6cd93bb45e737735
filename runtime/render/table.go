package render

import (
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"
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
	Parts   []*Table           // what some rows hold, to show behind them
}

// Column is the head of a column.
type Column struct {
	Name string
	Type string // under the name; "" for none
}

// Tabler is a value that shows as a table, such as a map.
type Tabler interface {
	starlark.Value
	// Table has at most limit rows; all if limit is negative.
	Table(limit int) (*Table, error)
}

// Fielder is a value that shows as one row: a record.
type Fielder interface {
	starlark.Value
	Fields() []string
	Field(i int) starlark.Value
}

// Shower is a value that people see otherwise than it is written in a script: a record with a time in it.
type Shower interface{ Shown() starlark.Value }

// Limit is the number of rows that Show gives unless it is asked for another.
const Limit = 40

// Show is the text of a value: a table of what has rows, with its cells escaped; for the rest what print would
// print, as it is. limit is the most rows to show; negative for all.
func Show(v starlark.Value, limit int) (string, error) {
	v = shown(v)
	if t, ok := v.(Tabler); ok {
		table, err := t.Table(limit)
		if err != nil {
			return "", err
		}
		return table.String(), nil
	}
	if t := tableOf(v, limit); t != nil {
		return t.String(), nil
	}
	if s, ok := starlark.AsString(v); ok {
		return s, nil
	}
	return v.String(), nil
}

// Echo is how a prompt answers with a value: a table of what has rows, and the rest as it is written in a script.
func Echo(v starlark.Value) (string, error) {
	switch v.(type) {
	case Tabler, *starlark.List, starlark.Tuple:
		return Show(v, Limit)
	}
	return shown(v).String(), nil
}

func shown(v starlark.Value) starlark.Value {
	if s, ok := v.(Shower); ok {
		return s.Shown()
	}
	return v
}

// tableOf makes a table of a list of records, of a record, or of a dict. It returns nil for anything else.
func tableOf(v starlark.Value, limit int) *Table {
	switch v := v.(type) {
	case Fielder:
		t := &Table{Columns: []Column{{Name: "field"}, {Name: "value"}}}
		for i, name := range v.Fields() {
			t.Rows = append(t.Rows, []starlark.Value{starlark.String(name), v.Field(i)})
		}
		t.Total = len(t.Rows)
		return t
	case *starlark.Dict:
		t := &Table{Columns: []Column{{Name: "key"}, {Name: "value"}}, Total: v.Len(), Noun: "entry", Nouns: "entries"}
		for _, item := range v.Items() {
			if len(t.Rows) == limit {
				break
			}
			t.Rows = append(t.Rows, item)
		}
		return t
	case *starlark.List, starlark.Tuple:
		return recordTable(v.(starlark.Indexable), limit)
	}
	return nil
}

// recordTable makes a table of a list whose elements are all records with the same fields.
func recordTable(list starlark.Indexable, limit int) *Table {
	if list.Len() == 0 {
		return nil
	}
	first, ok := shown(list.Index(0)).(Fielder)
	if !ok {
		return nil
	}
	t := &Table{Total: list.Len(), Noun: "row", Nouns: "rows"}
	for _, name := range first.Fields() {
		t.Columns = append(t.Columns, Column{Name: name})
	}
	for i := range list.Len() {
		rec, ok := shown(list.Index(i)).(Fielder)
		if !ok || len(rec.Fields()) != len(t.Columns) {
			return nil
		}
		var row []starlark.Value
		for j, name := range rec.Fields() {
			if name != t.Columns[j].Name {
				return nil
			}
			row = append(row, rec.Field(j))
		}
		if limit < 0 || i < limit {
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

// String lays the table out, and its parts behind it, each further to the right. Numbers stand at the right of their
// column, the rest at the left.
func (t *Table) String() string {
	out := t.text()
	for _, part := range t.Parts {
		out += "\n  " + strings.ReplaceAll(part.String(), "\n", "\n  ")
	}
	return out
}

func (t *Table) text() string {
	if len(t.Columns) == 0 {
		return escapeLine(t.Title)
	}
	w := table.NewWriter()
	w.SetStyle(plain)
	head, types, typed := table.Row{}, table.Row{}, false
	for _, c := range t.Columns {
		head = append(head, escapeLine(c.Name))
		types = append(types, escapeLine(c.Type))
		typed = typed || c.Type != ""
	}
	w.AppendHeader(head)
	if typed {
		w.AppendHeader(types)
	}
	var configs []table.ColumnConfig
	for i := range t.Columns {
		if t.numeric(i) {
			configs = append(configs, table.ColumnConfig{Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight})
		}
	}
	w.SetColumnConfigs(configs)
	for _, r := range t.Rows {
		row := table.Row{}
		for _, v := range r {
			row = append(row, cell(v))
		}
		w.AppendRow(row)
	}
	w.SuppressTrailingSpaces()
	out := w.Render()
	if t.Title != "" {
		out = escapeLine(t.Title) + "\n" + out
	}
	if t.Nouns == "" {
		return out
	}
	noun := t.Nouns
	if t.Total == 1 {
		noun = t.Noun
	}
	if t.Total > len(t.Rows) {
		return fmt.Sprintf("%s\n%s %s (%d shown)", out, humanize.Comma(int64(t.Total)), noun, len(t.Rows))
	}
	return fmt.Sprintf("%s\n%s %s", out, humanize.Comma(int64(t.Total)), noun)
}

func (t *Table) numeric(column int) bool {
	for _, r := range t.Rows {
		switch r[column].(type) {
		case starlark.Int, starlark.Float:
		default:
			return false
		}
	}
	return len(t.Rows) > 0
}

func cell(v starlark.Value) string {
	if s, ok := starlark.AsString(v); ok {
		return escapeLine(s)
	}
	return escapeLine(v.String())
}

// plain has two spaces between columns and no lines, so that rows can be copied.
var plain = table.Style{
	Name:    "plain",
	Box:     table.BoxStyle{PaddingRight: "  ", UnfinishedRow: "…"},
	Format:  table.FormatOptions{Header: text.FormatDefault},
	Options: table.Options{},
}
