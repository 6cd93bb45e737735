package builtins

import (
	"context"
	"fmt"
	"io"
	"sort"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/runtime"
	"bpfsh/runtime/method"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"
)

// Display is where show writes, and how unless it is told otherwise.
type Display struct {
	Out     io.Writer             // nil: nowhere
	Options func() render.Options // asked each time, since a terminal's width changes; nil: the zero value
	// Progress makes what tells somebody at a terminal how far an operation on many entries is. nil, and a nil
	// Progress: nobody looks.
	Progress func() *render.Progress
	Warn     func(text string) // tells of what a script may not have meant; nil: nobody
	// Flush writes out what Out has kept; nil: it keeps nothing.
	Flush func() error
	// Screen is where frames are drawn, each in place of the one before. nil, and a nil Screen: nowhere.
	Screen func() Screen
}

// flush writes out what was kept.
func (d Display) flush() error {
	if d.Flush == nil {
		return nil
	}
	return d.Flush()
}

// Screen is a terminal that frames are drawn on.
type Screen interface {
	Size() (columns, rows int)
	// Begin makes what is written to the display's Out a part of the next frame.
	Begin()
	// Draw shows a frame: a head, what was written since Begin, and a body.
	Draw(head, body string) error
	// End gives the terminal back, with the last frame on it.
	End() error
}

// options are how values are written now.
func (l *Library) options() render.Options {
	o := render.Options{}
	if l.display.Options != nil {
		o = l.display.Options()
	}
	o.Pictures = l.Picture
	return o
}

// SetDisplay says where show writes.
func (l *Library) SetDisplay(d Display) { l.display = d }

var showFunctions = []method.Row[*Library]{{
	Name:   "show",
	Params: "x, limit=40, format=None",
	Doc: "Print a value, as a table or as format says.\n" +
		"A map, a batch, a record and a list of records show as tables. limit is the most rows to print, with a footer that says how many there are; limit=None prints all. " +
		"format is \"table\", \"json\", \"jsonl\", \"csv\", \"tsv\" or \"markdown\", else what --format says; but for table and markdown they give all rows unless there is a limit.",
	Example: `show(m, limit=None)                     # a table of all rows
show(m, limit=10, format="jsonl")       # without limit= all rows
show([m["10.0.0.1"], m["10.0.0.2"]])    # records, a row each`,
	Run: func(l *Library, c method.Call) (starlark.Value, error) {
		o := l.options()
		if c.Args[1] != nil {
			n, err := c.Positive(1, "limit")
			if err != nil {
				return nil, err
			}
			if o.Limit = n; n == 0 {
				o.Limit = -1
			}
		}
		if given(c, 2) {
			name, err := c.String(2, "format")
			if err != nil {
				return nil, err
			}
			if o.Format, err = render.ParseFormat(name); err != nil {
				return nil, fmt.Errorf("%s: %w", c.Name, err)
			}
		}
		if l.display.Out == nil {
			return starlark.None, nil
		}
		return starlark.None, render.Write(l.display.Out, c.Args[0], o)
	},
}}

var (
	_ render.Tabler  = (*Map)(nil)
	_ render.Tabler  = (*Batch)(nil)
	_ render.Rower   = (*Map)(nil)
	_ render.Rower   = (*Batch)(nil)
	_ render.Rower   = (*Nested)(nil)
	_ render.Rower   = (*entries)(nil)
	_ render.Rowless = (*Map)(nil)
)

// Table is the map's first entries; of a map whose entries cannot be listed, its line alone.
func (m *Map) Table(limit int) (*render.Table, error) {
	if m.closed {
		return nil, m.fail("show", nil, unix.EBADF)
	}
	if !m.kind.Keyed() {
		return &render.Table{Title: m.String()}, nil
	}
	t := &render.Table{Title: m.String(), Columns: columns(m.key, m.value), Noun: "entry", Nouns: "entries"}
	shown, total, err := m.first(limit)
	if err != nil {
		return nil, err
	}
	t.Total = total
	ctx := runtime.Context(m.thread)
	for _, e := range shown {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		key, value := m.key.Decode([]byte(e.key)), m.decodeValue([]byte(e.value))
		t.Rows = append(t.Rows, m.cells(key, m.value, value))
		if inner, ok := value.(*Nested); ok {
			t.Parts = append(t.Parts, inner.part(key, limit))
		}
	}
	return t, nil
}

// Rowless says that the map is closed, or has entries that cannot be listed.
func (m *Map) Rowless() bool { return m.closed || m.kind.Keyed() && !m.kind.Has("items") }

// entry is one entry as bytes.
type entry struct{ key, value string }

// first are the map's first entries, at most limit (all if it is negative), and how many there are. Those of a trie are
// in the order of addresses.
func (m *Map) first(limit int) (shown []entry, total int, err error) {
	k, v := int(m.info.KeySize), len(m.valueBuf)
	err = m.each(runtime.Context(m.thread), "show", func(b engine.Batch) error {
		for i := 0; i < b.N && (limit < 0 || len(shown) < limit || m.kind.Trie); i++ {
			shown = append(shown, entry{string(b.Keys[i*k : (i+1)*k]), string(b.Values[i*v : (i+1)*v])})
		}
		total += b.N
		return nil
	})
	if m.kind.Trie {
		ctx := runtime.Context(m.thread)
		sort.Slice(shown, func(i, j int) bool {
			return ctx.Err() == nil && engine.CompareAddresses([]byte(shown[i].key), []byte(shown[j].key)) < 0
		})
		if limit >= 0 && len(shown) > limit {
			shown = shown[:limit]
		}
	}
	return shown, total, err
}

// part is the table of a map that is under key in another one. One that cannot be read says why.
func (n *Nested) part(key starlark.Value, limit int) *render.Table {
	t, err := n.Table(limit)
	if err != nil {
		return &render.Table{Title: fmt.Sprintf("%s: %v", key, err)}
	}
	t.Title = fmt.Sprintf("%s: %s", key, t.Title)
	return t
}

// Table is the batch's first entries.
func (b *Batch) Table(limit int) (*render.Table, error) {
	t := &render.Table{Columns: columns(b.m.key, b.value), Total: b.n, Noun: "entry", Nouns: "entries"}
	ctx := runtime.Context(b.m.thread)
	for i := 0; i < b.n && (limit < 0 || i < limit); i++ {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		t.Rows = append(t.Rows, b.m.cells(b.keyAt(i), b.value, b.valueAt(i)))
	}
	return t, nil
}

// columns has one column for a plain key or value, and one for each field of a struct.
func columns(key *layout.Type, value layout.Slot) []render.Column {
	var cols []render.Column
	if key != nil {
		cols = append(cols, columnsOf("key", key)...)
	}
	return append(cols, columnsOf("value", value.Type)...)
}

func columnsOf(name string, t *layout.Type) []render.Column {
	names, types := t.Columns()
	if names == nil || t.Printed() {
		return []render.Column{{Name: name, Type: t.String()}}
	}
	var cols []render.Column
	for i := range names {
		cols = append(cols, render.Column{Name: names[i], Of: name, Type: types[i].String()})
	}
	return cols
}

// cells are one row: numbers that stand for something are shown as that.
func (m *Map) cells(key starlark.Value, slot layout.Slot, value starlark.Value) []starlark.Value {
	row := fieldsOf(nil, m.key.Shown(key))
	if p, ok := value.(*layout.PerCPU); ok {
		if fields := p.Columns(); fields != nil {
			return append(row, fields...)
		}
	}
	return fieldsOf(row, slot.Shown(value))
}

// fieldsOf appends the fields of a record, or one value.
func fieldsOf(row []starlark.Value, v starlark.Value) []starlark.Value {
	r, ok := v.(render.Fielder)
	if !ok {
		return append(row, v)
	}
	for i := range r.Fields() {
		row = append(row, r.Field(i))
	}
	return row
}
