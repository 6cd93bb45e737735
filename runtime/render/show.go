package render

import (
	"context"
	"io"
	"slices"

	"go.starlark.net/starlark"
)

// Tabler is a value that shows as a table, such as a map.
type Tabler interface {
	starlark.Value
	// Table has at most limit rows; all if limit is negative.
	Table(limit int) (*Table, error)
}

// Rowless is a value of a kind that has rows, and has none itself when Rowless is true: to show it is an error then, and a
// prompt answers with what it is in a script.
type Rowless interface{ Rowless() bool }

// Fielder is a value that shows as one row: a record.
type Fielder interface {
	starlark.Value
	Fields() []string
	Field(i int) starlark.Value
}

// Shower is a value that people see otherwise than it is written in a script: a record with a time in it.
type Shower interface{ Shown() starlark.Value }

// Limit is the number of rows that are for people unless they ask for another.
const Limit = 40

// Show is the text of a value: a table of what has rows, with its cells escaped; for the rest what print would
// print, as it is. limit is the most rows to show; negative for all.
func Show(v starlark.Value, limit int) (string, error) {
	v = shown(v)
	t, err := tableOf(nil, v, limit)
	switch {
	case err != nil:
		return "", err
	case t != nil:
		return t.String(), nil
	default:
		return printed(v), nil
	}
}

// Echo is how a prompt answers with a value: a table of what has rows, and the rest as it is written in a script.
func Echo(v starlark.Value) (string, error) { return Options{}.Echo(v) }

func shown(v starlark.Value) starlark.Value {
	if s, ok := v.(Shower); ok {
		return s.Shown()
	}
	return v
}

// tableOf makes a table of what has rows: a map, a record, a dict, a list of records. It returns nil for anything else.
func tableOf(ctx context.Context, v starlark.Value, limit int) (*Table, error) {
	switch v := v.(type) {
	case Tabler:
		return v.Table(limit)
	case Rower:
		return rowerTable(ctx, v, limit)
	case Fielder:
		t := &Table{Columns: []Column{{Name: "field"}, {Name: "value"}}, record: true}
		for i, name := range v.Fields() {
			t.Rows = append(t.Rows, []starlark.Value{starlark.String(name), v.Field(i)})
		}
		t.Total = len(t.Rows)
		return t, nil
	case *starlark.Dict:
		t := &Table{Columns: keyValue, Total: v.Len(), Noun: "entry", Nouns: "entries"}
		for _, item := range v.Items() {
			if len(t.Rows) == limit {
				break
			}
			t.Rows = append(t.Rows, item)
		}
		return t, nil
	case *starlark.List, starlark.Tuple:
		return listTable(ctx, v.(starlark.Indexable), limit), stopped(ctx)
	}
	return nil, nil
}

// rowerTable reads all rows, and keeps the first.
func rowerTable(ctx context.Context, v Rower, limit int) (*Table, error) {
	rows, err := v.Rows()
	if rows == nil || err != nil {
		return nil, err
	}
	defer closeRows(rows)
	t := &Table{Title: v.String(), Columns: leafColumns(rows.Columns()), Noun: "entry", Nouns: "entries"}
	for {
		row, err := rows.Next()
		if err == io.EOF {
			return t, nil
		}
		if err == nil {
			err = stopped(ctx)
		}
		if err != nil {
			return nil, err
		}
		if t.Total++; limit >= 0 && t.Total > limit {
			continue
		}
		t.Rows = append(t.Rows, leafCells(rows.Columns(), row))
	}
}

// leafColumns are a table's columns for those of rows: each field has one of its own.
func leafColumns(columns []Column) (leaves []Column) {
	for _, c := range columns {
		if len(c.Fields) == 0 || c.Whole {
			c.Name = orValue(c.Name)
			c.Fields = []Column{c}
		}
		for _, field := range c.Fields {
			field.Of = c.Name
			leaves = append(leaves, field)
		}
	}
	return leaves
}

// leafCells are the cells of a row under leafColumns, as people see them.
func leafCells(columns []Column, row []starlark.Value) (cells []starlark.Value) {
	for i, c := range columns {
		v := shown(row[i])
		if c.Shown != nil {
			v = c.Shown(row[i])
		}
		n := len(c.Fields)
		if c.Whole {
			n = 0
		}
		cells = appendFields(cells, v, n)
	}
	return cells
}

// appendFields appends a record's n fields; of a value that should be a record and is none, itself and empty cells.
// Where n is 0 it is one cell.
func appendFields(cells []starlark.Value, v starlark.Value, n int) []starlark.Value {
	if f, ok := v.(Fielder); ok && n > 0 {
		for i := range n {
			cells = append(cells, f.Field(i))
		}
		return cells
	}
	cells = append(cells, v)
	for range n - 1 {
		cells = append(cells, starlark.String(""))
	}
	return cells
}

// listTable makes a table of a list whose elements are all records with the same fields, or all pairs of a key and a
// value of which one is a record. The records in dicts are spread too, if they are alike in all. It returns nil for any
// other list.
func listTable(ctx context.Context, list starlark.Indexable, limit int) *Table {
	if t := tableBy(ctx, spreadDict, list, limit); t != nil {
		return t
	}
	return tableBy(ctx, spread, list, limit)
}

func tableBy(ctx context.Context, spread func(starlark.Value) ([]Column, []starlark.Value), list starlark.Indexable, limit int) *Table {
	if list.Len() == 0 {
		return nil
	}
	t := &Table{Total: list.Len(), Noun: "row", Nouns: "rows"}
	for i := range list.Len() {
		if stopped(ctx) != nil {
			return nil
		}
		names, cells := spread(list.Index(i))
		if names == nil || i > 0 && !slices.EqualFunc(names, t.Columns, func(a, b Column) bool { return a.Name == b.Name && a.Of == b.Of }) {
			return nil
		}
		t.Columns = names
		if limit < 0 || i < limit {
			t.Rows = append(t.Rows, cells)
		}
	}
	return t
}

// fieldColumns are the names of a record's fields; of is what the record is a part of.
func fieldColumns(rec Fielder, of string) []Column {
	var columns []Column
	yielder, _ := rec.(Yielder)
	for i, name := range rec.Fields() {
		c := Column{Name: name, Of: of}
		if yielder != nil {
			c.Yield = yielder.Yield(i)
		}
		columns = append(columns, c)
	}
	return columns
}

// spread is an element of a list as cells and their names; nil if it stays one value.
func spread(v starlark.Value) (names []Column, cells []starlark.Value) {
	if rec := recordOf(shown(v)); rec != nil {
		names = fieldColumns(rec, "")
		return names, appendFields(nil, rec, len(names))
	}
	pair, ok := v.(starlark.Tuple)
	if !ok || len(pair) != 2 {
		return nil, nil
	}
	return spreadParts([]string{"key", "value"}, pair)
}

// spreadDict is a dict with a record in it as cells and their names; nil for anything else.
func spreadDict(v starlark.Value) (names []Column, cells []starlark.Value) {
	rec, ok := recordOf(v).(dictRecord)
	if !ok {
		return nil, nil
	}
	parts := make([]starlark.Value, len(rec.names))
	for i := range parts {
		parts[i] = rec.Field(i)
	}
	return spreadParts(rec.names, parts)
}

// spreadParts spreads the records among values that have names; nil if there is none.
func spreadParts(of []string, parts []starlark.Value) (names []Column, cells []starlark.Value) {
	records := false
	for i, part := range parts {
		part = shown(part)
		rec, ok := part.(Fielder)
		if !ok || len(rec.Fields()) == 0 {
			names, cells = append(names, Column{Name: of[i]}), append(cells, part)
			continue
		}
		records = true
		fields := fieldColumns(rec, of[i])
		names, cells = append(names, fields...), appendFields(cells, rec, len(fields))
	}
	if !records {
		return nil, nil
	}
	return names, cells
}
