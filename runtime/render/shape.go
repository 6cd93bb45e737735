package render

import (
	"context"
	"fmt"
	"io"
	"slices"

	"go.starlark.net/starlark"
)

// shaped gives rows without types the columns that their first one has the shape of: elements that are records become
// rows of fields, and those that are pairs become keys and values.
type shaped struct {
	rows    Rows
	columns []Column
	record  bool             // a row is the fields of the one value that was read
	pair    bool             // a row is the elements of it
	first   []starlark.Value // that was read and not given yet
	row     []starlark.Value // that is given
	n       int
}

// shape looks at the first row, and at all of them where they are in memory: those that do not fit under common columns
// stand under one. Where they are read one by one, such a row is an error.
func shape(ctx context.Context, rows Rows) (Rows, error) {
	var again Rows
	switch r := rows.(type) {
	case *listRows:
		again = &listRows{list: r.list}
	case *pairRows:
		again = &pairRows{items: r.items}
	}
	s, err := newShaped(rows)
	if err != nil || again == nil {
		return s, err
	}
	for {
		if err := stopped(ctx); err != nil {
			return nil, err
		}
		if _, err := s.Next(); err == io.EOF {
			return newShaped(again)
		} else if err != nil {
			return &shaped{rows: again, columns: again.Columns()}, nil
		}
	}
}

func newShaped(rows Rows) (*shaped, error) {
	s := &shaped{rows: rows, columns: slices.Clone(rows.Columns())}
	row, err := rows.Next()
	if err == io.EOF {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	s.first = slices.Clone(row)
	if rows.Columns()[0].Name == "" {
		if rec := recordOf(row[0]); rec != nil && len(rec.Fields()) > 0 {
			s.record, s.columns = true, fieldsOf(rec)
			return s, nil
		}
		if pair, ok := row[0].(starlark.Tuple); ok && len(pair) == 2 {
			s.pair, s.columns, row = true, slices.Clone(keyValue), pair
		}
	}
	for i := range s.columns {
		s.columns[i].Fields = fieldsOf(row[i])
	}
	return s, nil
}

func (s *shaped) Columns() []Column { return s.columns }

func (s *shaped) Close() error {
	closeRows(s.rows)
	return nil
}

func (s *shaped) Next() ([]starlark.Value, error) {
	row := s.first
	if s.first = nil; row == nil {
		var err error
		if row, err = s.rows.Next(); err != nil {
			return nil, err
		}
	}
	s.n++
	switch {
	case s.record:
		rec := recordOf(row[0])
		if rec == nil || !fits(s.columns, rec) {
			return nil, s.odd(row[0])
		}
		s.row = s.row[:0]
		for i := range s.columns {
			s.row = append(s.row, rec.Field(i))
		}
		return s.row, nil
	case s.pair:
		pair, ok := row[0].(starlark.Tuple)
		if !ok || len(pair) != 2 {
			return nil, s.odd(row[0])
		}
		row = pair
	}
	for i, c := range s.columns {
		if rec, ok := row[i].(Fielder); len(c.Fields) > 0 && (!ok || !fits(c.Fields, rec)) {
			return nil, s.odd(row[i])
		}
	}
	return row, nil
}

func (s *shaped) odd(v starlark.Value) error {
	return fmt.Errorf("row %d: %s does not fit under the columns of the first row", s.n, v.Type())
}

// fieldsOf are the columns of a record's fields; nil for anything else.
func fieldsOf(v starlark.Value) []Column {
	f, ok := v.(Fielder)
	if !ok {
		return nil
	}
	var columns []Column
	for i, name := range f.Fields() {
		columns = append(columns, Column{Name: name, Fields: fieldsOf(f.Field(i))})
	}
	return columns
}

// fits says whether a record has the fields of columns.
func fits(columns []Column, f Fielder) bool {
	names := f.Fields()
	if len(names) != len(columns) {
		return false
	}
	for i, c := range columns {
		if names[i] != c.Name {
			return false
		}
		if len(c.Fields) > 0 {
			if inner, ok := f.Field(i).(Fielder); !ok || !fits(c.Fields, inner) {
				return false
			}
		}
	}
	return true
}

// recordOf is an element of a list as a record: a dict whose keys are texts is one too. It is nil for anything else.
func recordOf(v starlark.Value) Fielder {
	switch v := v.(type) {
	case Fielder:
		return v
	case *starlark.Dict:
		r := dictRecord{Dict: v}
		for _, key := range v.Keys() {
			name, ok := key.(starlark.String)
			if !ok {
				return nil
			}
			r.names = append(r.names, string(name))
		}
		if len(r.names) > 0 {
			return r
		}
	}
	return nil
}

type dictRecord struct {
	*starlark.Dict
	names []string
}

func (r dictRecord) Fields() []string { return r.names }

func (r dictRecord) Field(i int) starlark.Value {
	v, _, _ := r.Get(starlark.String(r.names[i])) // a text is hashable, and this one is there
	return v
}
