package render

import (
	"context"
	"io"
	"slices"

	"go.starlark.net/starlark"
)

// writeJSON writes one document: a line for each row, and anything else on one line.
func writeJSON(out *lines, v starlark.Value, o Options) error {
	rows, err := documentRows(o.Context, v, o.limit())
	if err != nil {
		return err
	}
	if rows == nil {
		return writeDocument(out, firstItems(v, o.limit()))
	}
	defer closeRows(rows)
	columns := rows.Columns()
	out.buf = append(out.buf, '[')
	for n := 0; ; n++ {
		row, err := rows.Next()
		if err == io.EOF {
			if n > 0 {
				out.buf = append(out.buf, '\n')
			}
			out.buf = append(out.buf, ']')
			return out.end()
		}
		if err != nil {
			return err
		}
		if n > 0 {
			out.buf = append(out.buf, ',')
		}
		if err := out.end(); err != nil {
			return err
		}
		if err := out.row(columns, row); err != nil {
			return err
		}
	}
}

// documentRows are the rows that get a line each; nil for a value that is on one line.
func documentRows(ctx context.Context, v starlark.Value, limit int) (Rows, error) {
	switch list := v.(type) {
	case Rower, Tabler:
	case Fielder:
		return nil, nil
	case starlark.IterableMapping:
		if texts(list.Items()) {
			return nil, nil
		}
	case starlark.Indexable:
		if !single(v) && limit < 0 && (list.Len() == 0 || recordOf(list.Index(0)) == nil) {
			return nil, nil
		}
	}
	return cutRows(ctx, v, limit)
}

// cutRows are at most limit rows of a value; nil if it has none.
func cutRows(ctx context.Context, v starlark.Value, limit int) (Rows, error) {
	rows, err := rowsOf(v)
	if rows == nil || err != nil {
		return nil, err
	}
	return &cut{rows, limit, ctx}, nil
}

// firstItems cuts a dict.
func firstItems(v starlark.Value, limit int) starlark.Value {
	d, ok := v.(*starlark.Dict)
	if !ok || limit < 0 || d.Len() <= limit {
		return v
	}
	first := starlark.NewDict(limit)
	for _, item := range d.Items()[:limit] {
		first.SetKey(item[0], item[1]) // of a key that was one: it cannot fail
	}
	return first
}

// writeJSONL writes a line for each row; for a value that has none, one.
func writeJSONL(out *lines, v starlark.Value, o Options) error {
	rows, err := cutRows(o.Context, v, o.limit())
	if err != nil {
		return err
	}
	if rows == nil {
		rows = &listRows{list: starlark.Tuple{v}}
	}
	defer closeRows(rows)
	columns := rows.Columns()
	for {
		row, err := rows.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		start := len(out.buf)
		if err := out.row(columns, row); err != nil {
			return err
		}
		if o.Host != "" && !named(columns, row, hostField) {
			out.fromHost(start, o.Host)
		}
		if err := out.end(); err != nil {
			return err
		}
	}
}

// hostField is the field that says which machine a line is from.
const hostField = "host"

// named says whether a row has a field of a name.
func named(columns []Column, row []starlark.Value, name string) bool {
	if columns[0].Name != "" {
		return slices.ContainsFunc(columns, func(c Column) bool { return c.Name == name })
	}
	rec := recordOf(row[0])
	return rec != nil && slices.Contains(rec.Fields(), name)
}

// fromHost makes the document behind start an object that begins with the host: it gets the field, or else is the value of
// one.
func (l *lines) fromHost(start int, host string) {
	doc := slices.Clone(l.buf[start:])
	l.buf = append(l.buf[:start], `{"`+hostField+`":`...)
	l.buf = appendText(l.buf, host)
	switch {
	case doc[0] != '{':
		l.buf = append(append(append(l.buf, `,"value":`...), doc...), '}')
	case doc[1] == '}':
		l.buf = append(l.buf, '}')
	default:
		l.buf = append(append(l.buf, ','), doc[1:]...)
	}
}

// row appends a row as JSON; nothing of one that has none.
func (l *lines) row(columns []Column, row []starlark.Value) error {
	e := encoder{buf: l.buf, ctx: l.ctx}
	if err := e.row(columns, row); err != nil {
		return err
	}
	l.buf = e.buf
	return nil
}

func writeDocument(out *lines, v starlark.Value) error {
	e := encoder{buf: out.buf, ctx: out.ctx}
	if err := e.value(v); err != nil {
		return err
	}
	out.buf = e.buf
	return out.end()
}
