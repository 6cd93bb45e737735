package render

import (
	"context"
	"io"
	"strings"

	"go.starlark.net/starlark"
)

// Live is a value with rows that come in time, and maybe without an end, such as events: they are written as they come.
// A prompt shows what it is, and does not wait for them.
type Live interface {
	starlark.Value
	// Live starts at the next row. flush is to be called before it waits for one: those before are to be seen by then.
	Live(flush func() error) (Rows, error)
}

// live is a Live that is written: its rows, of which there are so many at most.
type live struct {
	Live
	flush func() error
	limit int // negative: all
	ctx   context.Context
}

var _ Rower = live{}

func (l live) Rows() (Rows, error) {
	rows, err := l.Live.Live(l.flush)
	if err != nil {
		return nil, err
	}
	return &cut{rows, l.limit, l.ctx}, nil
}

// writeLive writes a table as its rows come: those that are there together keep common columns, and later ones the same,
// unless they are wider.
func writeLive(out *lines, v Live, o Options) error {
	if o.Width > 0 {
		o.Width = max(o.Width, narrowest)
	}
	ctx := o.Context
	o.Context, out.ctx = nil, nil // an event that was read may be nowhere else
	t := &Table{Noun: "event"}
	out.buf = append(out.buf, strings.TrimRight(escapeLine(v.String()), " ")...)
	if err := out.end(); err != nil {
		return err
	}
	headed := false
	page := func() error {
		if len(t.Rows) > 0 {
			var text string
			text, headed = t.page(o, headed)
			out.buf = append(out.buf, text...)
			if err := out.end(); err != nil {
				return err
			}
		}
		return out.flush()
	}
	rows, err := live{v, page, o.Limit, ctx}.Rows()
	if err != nil {
		return err
	}
	defer closeRows(rows)
	t.Columns = leafColumns(rows.Columns())
	for {
		row, err := rows.Next()
		if err != nil {
			if failed := page(); err == io.EOF || failed != nil {
				return failed
			}
			return err
		}
		t.Rows = append(t.Rows, leafCells(rows.Columns(), row))
		if len(t.Rows) == most {
			if err := page(); err != nil {
				return err
			}
		}
	}
}

// page is the rows up to now, which are gone then, under a head where they are in columns and none is above them. under
// says that one is, and headed that the next page has one above it.
func (t *Table) page(o Options, under bool) (text string, headed bool) {
	rows, types := t.cells(o), t.types()
	for i, r := range rows {
		if i == 0 && t.least == nil {
			t.least = make([]int, len(t.Columns))
		}
		for column, c := range r {
			t.least[column] = max(t.least[column], width(c))
		}
	}
	text = t.body(o)
	t.before += len(t.Rows)
	t.Rows = nil
	if first, _, _ := strings.Cut(text, "\n"); strings.Contains(first, "-[ ") { // one below the other
		return text, false
	}
	if under {
		_, text, _ = strings.Cut(text, "\n")
		if types != nil {
			_, text, _ = strings.Cut(text, "\n")
		}
	}
	return text, true
}
