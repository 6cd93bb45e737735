package builtins

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"bpfsh/builtins/layout"
	"bpfsh/runtime/method"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
)

// Applied is what apply and restore have done, or would do.
type Applied struct {
	m                             *Map
	op                            string
	Added, Changed, Removed, Same int
	plan                          *plannedDiff // nil: it was done
}

var (
	_ starlark.HasAttrs = (*Applied)(nil)
	_ render.Tabler     = (*Applied)(nil)
	_ render.Rower      = (*Applied)(nil)
)

var appliedTable = method.NewTable("applied", appliedAttrs, []method.Row[*Applied]{})

var appliedAttrs = []method.Attr[*Applied]{{
	Name: "added",
	Doc:  "How many entries were new, of what apply and restore return.",
	Get:  func(a *Applied) (starlark.Value, error) { return starlark.MakeInt(a.Added), nil },
}, {
	Name: "changed",
	Doc:  "How many entries had another value.",
	Get:  func(a *Applied) (starlark.Value, error) { return starlark.MakeInt(a.Changed), nil },
}, {
	Name: "removed",
	Doc:  "How many entries were removed.",
	Get:  func(a *Applied) (starlark.Value, error) { return starlark.MakeInt(a.Removed), nil },
}, {
	Name: "same",
	Doc:  "How many entries were as they should be, and were not written.",
	Get:  func(a *Applied) (starlark.Value, error) { return starlark.MakeInt(a.Same), nil },
}, {
	Name: "plan",
	Doc:  "The diff of what is there and what would be, with dry_run; else None.",
	Get: func(a *Applied) (starlark.Value, error) {
		if a.plan == nil {
			return starlark.None, nil
		}
		return a.plan.d, nil
	},
}}

func (a *Applied) Type() string          { return "applied" }
func (a *Applied) Freeze()               {} // it never changes
func (a *Applied) Hash() (uint32, error) { return 0, errors.New("unhashable type: applied") }
func (a *Applied) AttrNames() []string   { return appliedTable.Names() }
func (a *Applied) String() string        { return "<" + a.title() + ">" }

// Truth says whether something was to be done.
func (a *Applied) Truth() starlark.Bool { return a.Added+a.Changed+a.Removed > 0 }

func (a *Applied) Attr(name string) (starlark.Value, error) { return appliedTable.Attr(a, name) }

// Entries are what the result says about itself, for a list of it.
func (a *Applied) Entries() []method.Entry { return method.AttrEntries(appliedAttrs) }

// counts is what was written.
func (a *Applied) counts() string {
	return fmt.Sprintf("%s added, %s changed, %s removed", render.Count(a.Added), render.Count(a.Changed), render.Count(a.Removed))
}

func (a *Applied) title() string {
	op := a.op
	if a.plan != nil {
		op += ", dry_run"
	}
	return fmt.Sprintf("%s: %s: %s, %s same", op, a.m.labelID(), a.counts(), render.Count(a.Same))
}

// Table is a line, and below it what would be done.
func (a *Applied) Table(limit int) (*render.Table, error) {
	if a.plan == nil || !bool(a.Truth()) {
		return &render.Table{Title: a.title()}, nil
	}
	t := a.plan.table(limit)
	t.Title = a.title()
	return t, nil
}

// Rows are what would be done; of what was done, how much it was.
func (a *Applied) Rows() (render.Rows, error) {
	if a.plan != nil {
		return &planRows{plan: a.plan, m: a.m}, nil
	}
	return &appliedRow{a: a}, nil
}

// MarshalJSON is json.encode of the rows.
func (a *Applied) MarshalJSON() ([]byte, error) { return render.JSON(a) }

type appliedRow struct {
	a    *Applied
	done bool
}

func (r *appliedRow) Columns() []render.Column {
	return []render.Column{{Name: "map"}, {Name: "id"}, {Name: "type"}, {Name: "added"}, {Name: "changed"}, {Name: "removed"}, {Name: "same"}}
}

func (r *appliedRow) Next() ([]starlark.Value, error) {
	if r.done {
		return nil, io.EOF
	}
	r.done = true
	a := r.a
	return []starlark.Value{starlark.String(a.m.info.Name), number(a.m.info.ID), starlark.String(a.m.kind.Name),
		starlark.MakeInt(a.Added), starlark.MakeInt(a.Changed), starlark.MakeInt(a.Removed), starlark.MakeInt(a.Same)}, nil
}

// plannedDiff is what would be done to a map: a diff in the order of the keys, as a plan has it.
type plannedDiff struct{ d *Diff }

// entries are what would be written and removed, in the order of the keys.
func (p *plannedDiff) entries() []difference {
	all := slices.Clone(p.d.all())
	order := p.d.order()
	slices.SortStableFunc(all, func(x, y difference) int { return order(p.d.key(x), p.d.key(y)) })
	return all
}

// table has a row for each part of a value that would be another.
func (p *plannedDiff) table(limit int) *render.Table {
	d := p.d
	t := &render.Table{Columns: append([]render.Column{{}}, columnsOf("key", d.after.m.key)...)}
	plain := d.plain()
	if !plain {
		t.Columns = append(t.Columns, render.Column{Name: "field", Of: "value"})
	}
	t.Columns = append(t.Columns, render.Column{Name: "old"}, render.Column{Name: "new"})
	all, numbers := p.entries(), false
	for i, x := range all {
		before, after := d.values(x)
		parts := d.differing(before, after)
		if limit >= 0 && len(t.Rows)+len(parts) > limit && i > 0 {
			t.Footer = fmt.Sprintf("... %s more", render.Count(len(all)-i))
			break
		}
		for _, part := range parts {
			row := append([]starlark.Value{starlark.String(x.sign())}, cellsOf(d.after.m.key, d.key(x))...)
			if !plain {
				row = append(row, starlark.String(part.Path))
			}
			numbers = numbers || part.Number()
			t.Rows = append(t.Rows, append(row, d.shown(part, before), d.shown(part, after)))
		}
	}
	for i := len(t.Columns) - 2; i < len(t.Columns); i++ {
		t.Columns[i].Right = numbers
	}
	return t
}

// planRows are entries as --dry-run writes them.
type planRows struct {
	plan *plannedDiff
	m    *Map
	left []difference
	next int
}

func (r *planRows) Columns() []render.Column {
	d := r.plan.d
	return []render.Column{{Name: "op"}, {Name: "map"}, {Name: "id"}, {Name: "type"}, head("key", layout.Slot{Type: d.after.m.key}), head("old", d.before.m.value), head("new", d.after.m.value)}
}

func (r *planRows) Next() ([]starlark.Value, error) {
	if r.left == nil {
		r.left = r.plan.entries()
	}
	if r.next == len(r.left) {
		return nil, io.EOF
	}
	x, d := r.left[r.next], r.plan.d
	r.next++
	row := []starlark.Value{starlark.String(planWords[x.sign()]), starlark.String(r.m.info.Name), number(r.m.info.ID), starlark.String(r.m.kind.Name),
		d.after.m.key.Decode(d.key(x)), starlark.None, starlark.None}
	before, after := d.values(x)
	if before != nil {
		row[5] = d.before.m.decodeValue(before)
	}
	if after != nil {
		row[6] = d.after.m.decodeValue(after)
	}
	return row, nil
}

// planWords are the operations on entries as a plan names them.
var planWords = map[string]string{signAdded: "add", signRemoved: "remove", signChanged: "change"}
