package render

import (
	"time"

	"go.starlark.net/starlark"
)

// Timed is the rows of a value with a time before each, for programs: what is looked at again and again. A value
// without rows is one row.
type Timed struct {
	starlark.Value
	At time.Time
}

var _ Rower = Timed{}

// Rows are the value's, in the shape of its first one.
func (t Timed) Rows() (Rows, error) {
	rows, err := rowsOf(t.Value)
	if err != nil {
		return nil, err
	}
	if rows == nil {
		rows = &listRows{list: starlark.Tuple{t.Value}}
	}
	shaped, err := shape(nil, rows)
	if err != nil {
		closeRows(rows)
		return nil, err
	}
	columns := []Column{{Name: "time"}}
	for _, c := range shaped.Columns() {
		c.Name = orValue(c.Name)
		columns = append(columns, c)
	}
	return &timedRows{shaped, columns, []starlark.Value{starlark.String(t.At.UTC().Format("2006-01-02T15:04:05.000Z"))}}, nil
}

type timedRows struct {
	rows    Rows
	columns []Column
	row     []starlark.Value
}

func (r *timedRows) Columns() []Column { return r.columns }

func (r *timedRows) Next() ([]starlark.Value, error) {
	row, err := r.rows.Next()
	if err != nil {
		return nil, err
	}
	r.row = append(r.row[:1], row...)
	return r.row, nil
}

func (r *timedRows) Close() error {
	closeRows(r.rows)
	return nil
}
