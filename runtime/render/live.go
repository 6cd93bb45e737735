package render

import (
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
}

var _ Rower = live{}

func (l live) Rows() (Rows, error) {
	rows, err := l.Live.Live(l.flush)
	if err != nil {
		return nil, err
	}
	return &cut{rows, l.limit}, nil
}

// writeLive writes a table as its rows come: those that are there together keep common columns, and later ones the same,
// unless they are wider.
func writeLive(out *lines, v Live, o Options) error {
	t := &Table{Title: v.String(), Noun: "event"}
	began := false
	page := func() error {
		if !began || len(t.Rows) > 0 {
			out.buf = append(out.buf, t.page(o, !began)...)
			if err := out.end(); err != nil {
				return err
			}
			began = true
			t.before += len(t.Rows)
			t.Rows = nil
		}
		return out.flush()
	}
	rows, err := live{v, page, o.Limit}.Rows()
	if err != nil {
		return err
	}
	defer closeRows(rows)
	t.Columns = leafColumns(rows.Columns())
	for {
		row, err := rows.Next()
		if err == io.EOF {
			return page()
		}
		if err != nil {
			return err
		}
		t.Rows = append(t.Rows, leafCells(rows.Columns(), row))
		const most = 1000
		if len(t.Rows) == most {
			if err := page(); err != nil {
				return err
			}
		}
	}
}

// page is the table without its footer, and from the second one on without its head.
func (t *Table) page(o Options, first bool) string {
	head := 1
	if t.types() != nil {
		head = 2
	}
	if o.Width > 0 {
		o.Width = max(o.Width, narrowest)
	}
	body := t.body(o)
	t.widen()
	if first {
		return strings.TrimRight(escapeLine(t.Title), " ") + "\n" + body
	}
	if strings.HasPrefix(strings.TrimPrefix(body, "\x1b[1m"), "-[ ") { // rows one below the other have no head
		return body
	}
	for range head {
		_, body, _ = strings.Cut(body, "\n")
	}
	return body
}

// widen keeps the widths of the columns for the next page.
func (t *Table) widen() {
	if t.least == nil {
		t.least = make([]int, len(t.Columns))
	}
	for i := range t.Columns {
		for _, r := range t.cells() {
			t.least[i] = max(t.least[i], width(r[i]))
		}
	}
}
