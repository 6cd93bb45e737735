package render

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"go.starlark.net/starlark"
)

// cells are the cells of one line. They are in one buffer, so that a line costs no allocation for each.
type cells struct {
	text []byte
	ends []int
}

func (c *cells) reset()   { c.text, c.ends = c.text[:0], c.ends[:0] }
func (c *cells) end()     { c.ends = append(c.ends, len(c.text)) }
func (c *cells) len() int { return len(c.ends) }
func (c *cells) start(i int) int {
	if i == 0 {
		return 0
	}
	return c.ends[i-1]
}

// writeFlat writes a head and a line for each row. A record takes a column for each of its fields, named "key.saddr".
// None is an empty cell, and what holds several values, such as an array, is JSON.
func writeFlat(out *lines, v starlark.Value, o Options, w flatWriter) error {
	rows, err := flatRows(o.Context, v, o.limit())
	if err != nil {
		return err
	}
	if rows == nil {
		out.buf = append(out.buf, printed(v)...)
		return out.end()
	}
	defer closeRows(rows)
	columns, c := rows.Columns(), &cells{}
	if c.heads("", columns); (columns[0].Name != "" || len(columns[0].Fields) > 0 || w.alwaysHead()) && c.other(o.Heads) {
		if err := w.write(c); err != nil {
			return err
		}
	}
	for {
		row, err := rows.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		c.reset()
		for i := range columns {
			if err := c.value(&columns[i], row[i]); err != nil {
				return err
			}
		}
		if err := w.write(c); err != nil {
			return err
		}
	}
}

// flatRows are the rows of a value with all columns known; nil if it is one cell.
func flatRows(ctx context.Context, v starlark.Value, limit int) (Rows, error) {
	if _, ok := v.(Rower); ok {
		return cutRows(ctx, v, limit)
	}
	if _, ok := v.(Tabler); ok {
		return cutRows(ctx, v, limit)
	}
	if _, ok := v.(Fielder); ok {
		v = starlark.Tuple{v}
	}
	rows, err := cutRows(ctx, v, limit)
	if rows == nil || err != nil {
		return nil, err
	}
	c := rows.(*cut)
	shaped, err := shape(ctx, c.Rows)
	if err != nil {
		closeRows(c)
		return nil, err
	}
	c.Rows = shaped
	return c, nil
}

// other says whether the cells differ from those that were written last, and remembers them.
func (c *cells) other(last *string) bool {
	if last == nil {
		return true
	}
	before := *last
	*last = fmt.Sprint(c.ends, string(c.text))
	return *last != before
}

// heads appends the names of columns, and of those in them.
func (c *cells) heads(prefix string, columns []Column) {
	for _, col := range columns {
		switch name := prefix + col.Name; {
		case len(col.Fields) == 0:
			c.text = append(c.text, orValue(name)...)
			c.end()
		case name == "":
			c.heads("", col.Fields)
		default:
			c.heads(name+".", col.Fields)
		}
	}
}

// orValue names the column of elements that have no name.
func orValue(name string) string {
	if name == "" {
		return "value"
	}
	return name
}

// value appends the cells of a column. A value that should be a record and is none stands in the first of them.
func (c *cells) value(col *Column, v starlark.Value) error {
	if len(col.Fields) == 0 {
		return c.cell(v)
	}
	if f, ok := v.(Fielder); ok {
		for i := range col.Fields {
			if err := c.value(&col.Fields[i], f.Field(i)); err != nil {
				return err
			}
		}
		return nil
	}
	if err := c.cell(v); err != nil {
		return err
	}
	for range leaves(col.Fields) - 1 {
		c.end()
	}
	return nil
}

func leaves(columns []Column) (n int) {
	for _, col := range columns {
		n += max(1, leaves(col.Fields))
	}
	return n
}

func (c *cells) cell(v starlark.Value) error {
	switch v := v.(type) {
	case starlark.NoneType:
	case starlark.Int:
		c.text = appendInt(c.text, v)
	case starlark.String:
		c.text = append(c.text, v...)
	case starlark.Bytes:
		c.text = appendHex(c.text, string(v))
	case starlark.Float:
		c.text = append(c.text, v.String()...)
	default:
		if err := c.document(v); err != nil {
			return err
		}
	}
	c.end()
	return nil
}

// document appends JSON; of a type that has a text of its own, that text.
func (c *cells) document(v starlark.Value) error {
	e := encoder{buf: c.text}
	if err := e.value(v); err != nil {
		return err
	}
	own := ""
	if start := len(c.text); e.buf[start] == '"' && json.Unmarshal(e.buf[start:], &own) == nil {
		c.text = append(e.buf[:start], own...)
		return nil
	}
	c.text = e.buf
	return nil
}
