package builtins

import (
	"errors"
	"fmt"
	"io"

	"bpfsh/builtins/layout"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"
)

// Rows are the map's entries, as they are read; nil of a map whose entries cannot be listed.
func (m *Map) Rows() (render.Rows, error) {
	if m.closed {
		return nil, m.fail("show", nil, unix.EBADF)
	}
	if !m.kind.Keyed() {
		return nil, nil
	}
	return newRows(&entries{m, "items"}), nil
}

// MarshalJSON is json.encode(m): a list of {"key": …, "value": …}.
func (m *Map) MarshalJSON() ([]byte, error) { return render.JSON(m) }

// entryRows is a loop over entries without a script.
type entryRows struct {
	it       *entryIterator
	row      [2]starlark.Value
	progress *render.Progress // of what goes to a file or a pipe: a terminal shows the rows
}

func newRows(e *entries) *entryRows {
	r := &entryRows{it: e.Iterate().(*entryIterator)}
	if l := e.m.lib; l.display.Options != nil && !l.display.Options().Terminal {
		r.progress = l.progress("show", e.m.total)
	}
	return r
}

// Close takes the progress away.
func (r *entryRows) Close() error {
	r.progress.Done()
	return nil
}

func (r *entryRows) Columns() []render.Column {
	m := r.it.m
	key, value := head("key", layout.Slot{Type: m.key}), head("value", m.value)
	switch r.it.what {
	case "keys":
		key.Name = ""
		return []render.Column{key}
	case "values":
		value.Name = ""
		return []render.Column{value}
	default:
		return []render.Column{key, value}
	}
}

func (r *entryRows) Next() ([]starlark.Value, error) {
	it := r.it
	if err := it.ready(); err != nil {
		return nil, err
	}
	if it.i == 0 {
		r.progress.Add(it.batch.N)
	}
	n := 0
	if it.what != "values" {
		r.row[n] = it.key(it.i)
		n++
	}
	if it.what != "keys" {
		r.row[n] = it.value(it.i)
		n++
	}
	it.i++
	return r.row[:n], nil
}

// Rows are the entries, as they are read.
func (e *entries) Rows() (render.Rows, error) {
	if e.m.closed {
		return nil, e.m.fail(e.what, nil, unix.EBADF)
	}
	return newRows(e), nil
}

// MarshalJSON is json.encode of what is looped over.
func (e *entries) MarshalJSON() ([]byte, error) { return render.JSON(e) }

// Rows are the entries of the map that was read; nil if it is gone.
func (n *Nested) Rows() (render.Rows, error) {
	m, err := n.use()
	if errors.Is(err, unix.ENOENT) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return m.Rows()
}

func (n *Nested) MarshalJSON() ([]byte, error) { return render.JSON(n) }

// Rows are the entries of the batch.
func (b *Batch) Rows() (render.Rows, error) { return &batchRows{b: b}, nil }

func (b *Batch) MarshalJSON() ([]byte, error) { return render.JSON(b) }

type batchRows struct {
	b   *Batch
	i   int
	row [2]starlark.Value
}

func (r *batchRows) Columns() []render.Column {
	return []render.Column{head("key", layout.Slot{Type: r.b.m.key}), head("value", r.b.value)}
}

func (r *batchRows) Next() ([]starlark.Value, error) {
	if r.i == r.b.n {
		return nil, io.EOF
	}
	r.row[0], r.row[1] = r.b.keyAt(r.i), r.b.valueAt(r.i)
	r.i++
	return r.row[:], nil
}

// head is a column with a struct's fields under it. Values of all CPUs, and maps, are one value each.
func head(name string, slot layout.Slot) render.Column {
	c := render.Column{Name: name, Type: slot.Type.String(), Shown: slot.Shown, Whole: slot.Type.Printed()}
	if slot.CPUs == 0 {
		names, types := slot.Type.Columns()
		for i := range names {
			c.Fields = append(c.Fields, head(names[i], layout.Slot{Type: types[i]}))
		}
	}
	return c
}

// sliceRows are rows in memory. They are a value, too, where one is written.
type sliceRows struct {
	columns []render.Column
	rows    [][]starlark.Value
}

func (r *sliceRows) Columns() []render.Column { return r.columns }

func (r *sliceRows) Next() ([]starlark.Value, error) {
	if len(r.rows) == 0 {
		return nil, io.EOF
	}
	row := r.rows[0]
	r.rows = r.rows[1:]
	return row, nil
}

func (r *sliceRows) String() string        { return "" }
func (r *sliceRows) Type() string          { return "rows" }
func (r *sliceRows) Freeze()               {}
func (r *sliceRows) Truth() starlark.Bool  { return len(r.rows) > 0 }
func (r *sliceRows) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: rows") }

// Rows are the rows from the first on.
func (r *sliceRows) Rows() (render.Rows, error) { return &sliceRows{r.columns, r.rows}, nil }
