package builtins

import (
	"io"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/runtime"
	"bpfsh/runtime/method"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
)

var showFunctions = []method.Row[*Library]{{
	Name:   "show",
	Params: "x, limit=40",
	Doc: "Print a value for people.\n" +
		"A map, a batch, a record and a list of records show as tables. limit is the most rows to print, with a footer that says how many there are; limit=None prints all.",
	Run: func(l *Library, c method.Call) (starlark.Value, error) {
		limit := render.Limit
		if c.Args[1] != nil {
			n, err := c.Positive(1, "limit")
			if err != nil {
				return nil, err
			}
			if limit = n; n == 0 {
				limit = -1
			}
		}
		text, err := render.Show(c.Args[0], limit)
		if err != nil {
			return nil, err
		}
		c.Thread.Print(c.Thread, text)
		return starlark.None, nil
	},
}}

var (
	_ render.Tabler = (*Map)(nil)
	_ render.Tabler = (*Batch)(nil)
)

// Table is the map's first entries; of a map whose entries cannot be listed, its line alone.
func (m *Map) Table(limit int) (*render.Table, error) {
	if !m.kind.Keyed() || m.closed {
		return &render.Table{Title: m.String()}, nil
	}
	t := &render.Table{Title: m.String(), Columns: columns(m.key, m.value), Noun: "entry", Nouns: "entries"}
	ctx := runtime.Context(m.thread)
	walk := engine.NewWalk(m.raw, 0)
	for {
		b, err := m.nextBatch(ctx, "show", walk)
		if err == io.EOF {
			return t, nil
		}
		if err != nil {
			return nil, err
		}
		k, v := int(m.info.KeySize), len(m.valueBuf)
		for i := 0; i < b.N && (limit < 0 || len(t.Rows) < limit); i++ {
			t.Rows = append(t.Rows, cells(m.key.Decode(b.Keys[i*k:(i+1)*k]), m.value.Decode(b.Values[i*v:(i+1)*v])))
		}
		t.Total += b.N
	}
}

// Table is the batch's first entries.
func (b *Batch) Table(limit int) (*render.Table, error) {
	t := &render.Table{Columns: columns(b.key, b.value), Total: b.n, Noun: "entry", Nouns: "entries"}
	for i := 0; i < b.n && (limit < 0 || i < limit); i++ {
		t.Rows = append(t.Rows, cells(b.keyAt(i), b.valueAt(i)))
	}
	return t, nil
}

// columns has one column for a plain key or value, and one for each field of a struct.
func columns(key *layout.Type, value layout.Slot) []render.Column {
	var cols []render.Column
	if key != nil {
		cols = append(cols, columnsOf("key", key)...)
	}
	if value.CPUs > 0 {
		return append(cols, render.Column{Name: "value", Type: value.Type.String()})
	}
	return append(cols, columnsOf("value", value.Type)...)
}

func columnsOf(name string, t *layout.Type) []render.Column {
	names, types := t.Columns()
	if names == nil {
		return []render.Column{{Name: name, Type: t.String()}}
	}
	var cols []render.Column
	for i := range names {
		cols = append(cols, render.Column{Name: names[i], Type: types[i].String()})
	}
	return cols
}

func cells(key, value starlark.Value) []starlark.Value {
	var row []starlark.Value
	for _, v := range []starlark.Value{key, value} {
		if r, ok := v.(*layout.Record); ok {
			for i := range r.Fields() {
				row = append(row, r.Field(i))
			}
			continue
		}
		row = append(row, v)
	}
	return row
}
