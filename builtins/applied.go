package builtins

import (
	"errors"
	"fmt"
	"io"

	"bpfsh/runtime/method"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
)

// Applied is what apply and restore have done, or would do.
type Applied struct {
	m                             *Map
	op                            string
	Added, Changed, Removed, Same int
	plan                          *Diff // nil: it was done
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
		return a.plan, nil
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
	t, err := a.plan.Table(limit)
	if err == nil {
		t.Title = a.title()
	}
	return t, err
}

// Rows are what would be done; of what was done, how much it was.
func (a *Applied) Rows() (render.Rows, error) {
	if a.plan != nil {
		return a.plan.Rows()
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
