package render

import (
	"context"
	"io"

	"go.starlark.net/starlark"
)

// Rower is a value with entries that are read one by one, such as a map.
type Rower interface {
	starlark.Value
	// Rows starts at the first entry. nil: there are none that can be listed, and the value is written as its text.
	Rows() (Rows, error)
}

// Rows is a cursor over rows. If it is an io.Closer it is closed when it is done with, also before its end.
type Rows interface {
	// Columns are the heads, the same for all rows: one at least. Where there is one alone it may have no name: JSON then
	// is of the values, and not of objects.
	Columns() []Column
	// Next is the next row: one value for each column, as a script sees it. The next call may overwrite it. io.EOF is
	// the end.
	Next() ([]starlark.Value, error)
}

// rowsOf are the rows of a value that has some: of a map, a table, a dict, a sequence, or anything to loop over. The
// elements of what has no columns stand under one without a name. It returns nil for anything else.
func rowsOf(v starlark.Value) (Rows, error) {
	switch v := v.(type) {
	case Rower:
		return v.Rows()
	case Tabler:
		t, err := v.Table(-1)
		if err != nil || len(t.Columns) == 0 {
			return nil, err
		}
		return &tableRows{t, 0}, nil
	case starlark.Indexable:
		if !single(v) {
			return &listRows{list: v}, nil
		}
	case *starlark.Dict:
		return &pairRows{items: v.Items()}, nil
	case Fielder:
	case starlark.Iterable:
		return &iterRows{it: v.Iterate()}, nil
	}
	return nil, nil
}

// single says that v is indexable and yet one value.
func single(v starlark.Value) bool {
	switch v.(type) {
	case starlark.String, starlark.Bytes:
		return true
	}
	return false
}

// cut ends rows after the first few, and where the writing ends.
type cut struct {
	Rows
	left int // negative: all
	ctx  context.Context
}

func (c *cut) Next() ([]starlark.Value, error) {
	if c.left == 0 {
		return nil, io.EOF
	}
	if err := stopped(c.ctx); err != nil {
		return nil, err
	}
	c.left--
	return c.Rows.Next()
}

func (c *cut) Close() error {
	closeRows(c.Rows)
	return nil
}

func closeRows(r Rows) {
	if c, ok := r.(io.Closer); ok {
		c.Close()
	}
}

var (
	keyValue = []Column{{Name: "key"}, {Name: "value"}}
	nameless = []Column{{}}
)

type tableRows struct {
	t *Table
	i int
}

func (r *tableRows) Columns() []Column { return r.t.Columns }

func (r *tableRows) Next() ([]starlark.Value, error) {
	if r.i == len(r.t.Rows) {
		return nil, io.EOF
	}
	r.i++
	return r.t.Rows[r.i-1], nil
}

type pairRows struct {
	items []starlark.Tuple
	i     int
}

func (r *pairRows) Columns() []Column { return keyValue }

func (r *pairRows) Next() ([]starlark.Value, error) {
	if r.i == len(r.items) {
		return nil, io.EOF
	}
	r.i++
	return r.items[r.i-1], nil
}

type listRows struct {
	list starlark.Indexable
	i    int
	row  [1]starlark.Value
}

func (r *listRows) Columns() []Column { return nameless }

func (r *listRows) Next() ([]starlark.Value, error) {
	if r.i >= r.list.Len() {
		return nil, io.EOF
	}
	r.row[0] = r.list.Index(r.i)
	r.i++
	return r.row[:], nil
}

type iterRows struct {
	it  starlark.Iterator
	row [1]starlark.Value
}

func (r *iterRows) Columns() []Column { return nameless }

func (r *iterRows) Next() ([]starlark.Value, error) {
	if !r.it.Next(&r.row[0]) {
		return nil, io.EOF
	}
	return r.row[:], nil
}

func (r *iterRows) Close() error {
	r.it.Done()
	return nil
}
