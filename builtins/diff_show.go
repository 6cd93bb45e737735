package builtins

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"bpfsh/builtins/layout"
	"bpfsh/runtime/method"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
)

var (
	_ starlark.HasAttrs = (*Diff)(nil)
	_ render.Tabler     = (*Diff)(nil)
	_ render.Rower      = (*Diff)(nil)
)

func (d *Diff) Type() string          { return "diff" }
func (d *Diff) Freeze()               {} // it never changes
func (d *Diff) Hash() (uint32, error) { return 0, errors.New("unhashable type: diff") }
func (d *Diff) AttrNames() []string   { return diffTable.Names() }
func (d *Diff) String() string        { return "<diff: " + d.summary() + ">" }

// Truth says whether there is a difference.
func (d *Diff) Truth() starlark.Bool { return len(d.Added)+len(d.Removed)+len(d.Changed) > 0 }

func (d *Diff) Attr(name string) (starlark.Value, error) { return diffTable.Attr(d, name) }

// Entries are what the diff says about itself, for a list of it.
func (d *Diff) Entries() []method.Entry { return method.AttrEntries(diffAttrs) }

// summary is how many entries differ.
func (d *Diff) summary() string {
	return fmt.Sprintf("%s added, %s removed, %s changed, %s same",
		render.Count(len(d.Added)), render.Count(len(d.Removed)), render.Count(len(d.Changed)), render.Count(d.Same))
}

// kinds of differences: what stands before their rows, and what they are called, in a plan and when they have come about.
var kindsOfDifference = map[string]struct{ come, planned string }{"+": {"added", "add"}, "-": {"removed", "remove"}, "~": {"changed", "change"}}

func (x difference) sign() string {
	switch {
	case x.before < 0:
		return "+"
	case x.after < 0:
		return "-"
	default:
		return "~"
	}
}

// Table has a row for each part of a value that differs.
func (d *Diff) Table(limit int) (*render.Table, error) {
	t := &render.Table{Columns: append([]render.Column{{}}, columnsOf("key", d.after.m.key)...), Footer: d.summary()}
	plain := len(d.parts) == 1 && d.parts[0].Path == ""
	if !plain {
		t.Columns = append(t.Columns, render.Column{Name: "field", Of: "value"})
	}
	values, more := len(t.Columns), []string{"before", "after", "delta", "rate"}
	switch {
	case d.plan != nil:
		t.Footer, more = "", []string{"old", "new"}
	case !d.rated:
		more = more[:3]
	}
	for _, name := range more {
		t.Columns = append(t.Columns, render.Column{Name: name, Right: true})
	}
	all, numbers, ctx := d.all(), false, d.context()
	for i, x := range all {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		before, after := d.values(x)
		parts := d.differing(before, after)
		if limit >= 0 && len(t.Rows) > 0 && len(t.Rows)+len(parts) > limit {
			t.Footer = strings.TrimPrefix(fmt.Sprintf("%s (%s of %s shown)", t.Footer, render.Count(i), render.Count(len(all))), " ")
			break
		}
		for _, part := range parts {
			row := append([]starlark.Value{starlark.String(x.sign())}, cellsOf(d.after.m.key, d.key(x))...)
			if !plain {
				row = append(row, starlark.String(part.Path))
			}
			numbers = numbers || part.Number()
			row = append(row, d.shown(part, before), d.shown(part, after))
			if d.plan == nil {
				row = append(row, d.deltas(part, before, after)...)
			}
			t.Rows = append(t.Rows, row)
		}
	}
	t.Columns[values].Right, t.Columns[values+1].Right = numbers, numbers
	if d.seconds > 0 {
		t.Footer += fmt.Sprintf(" (%s apart)", apart(d.seconds))
	}
	return t, nil
}

// deltas are the cells of how much a part differs, and how fast.
func (d *Diff) deltas(part *layout.Part, before, after []byte) []starlark.Value {
	delta, reset := part.Delta(before, after)
	cells := []starlark.Value{starlark.String(deltaText(delta, reset))}
	if d.rated {
		rate := ""
		if n, ok := d.perSecond(part, delta).(starlark.Float); ok && !reset {
			rate = render.Rate(float64(n))
		}
		cells = append(cells, starlark.String(rate))
	}
	return cells
}

// apart is a time in seconds, for people.
func apart(seconds float64) string {
	switch {
	case seconds < 1:
		return fmt.Sprintf("%.3g ms", 1000*seconds)
	case seconds < 120:
		return fmt.Sprintf("%.1f s", seconds)
	case seconds < 7200:
		return fmt.Sprintf("%.1f min", seconds/60)
	default:
		return fmt.Sprintf("%.1f h", seconds/3600)
	}
}

// differing are the parts that are not the same. Of an entry that is new or gone they are those that are not zero, or
// else the first.
func (d *Diff) differing(before, after []byte) []*layout.Part {
	x, y := before, after
	if x == nil {
		x = make([]byte, len(y))
	}
	if y == nil {
		y = make([]byte, len(x))
	}
	var parts []*layout.Part
	for i := range d.parts {
		if !d.parts[i].Same(x, y) {
			parts = append(parts, &d.parts[i])
		}
	}
	if parts == nil && len(d.parts) > 0 {
		parts = append(parts, &d.parts[0])
	}
	return parts
}

// shown is a part of a value as people see it.
func (d *Diff) shown(part *layout.Part, value []byte) starlark.Value {
	if value == nil {
		return starlark.String("-")
	}
	v := part.Value(value)
	if n, ok := v.(starlark.Int); ok && part.Number() {
		return starlark.String(commas(n.String()))
	}
	return part.Shown(v)
}

// cellsOf are the cells of a key.
func cellsOf(t *layout.Type, key []byte) []starlark.Value {
	v := t.Shown(t.Decode(key))
	r, ok := v.(render.Fielder)
	if !ok {
		return []starlark.Value{v}
	}
	var cells []starlark.Value
	for i := range r.Fields() {
		cells = append(cells, r.Field(i))
	}
	return cells
}

// deltaText is a difference with its sign.
func deltaText(delta starlark.Value, reset bool) string {
	if reset {
		return "reset"
	}
	if delta == nil {
		return ""
	}
	text := delta.String()
	if _, whole := delta.(starlark.Int); whole {
		text = commas(text)
	}
	if n, ok := starlark.AsFloat(delta); ok && n > 0 {
		text = "+" + text
	}
	return text
}

// commas puts commas between the thousands of a whole number.
func commas(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return sign + digits
}

// Rows are the entries that differ, for machines.
func (d *Diff) Rows() (render.Rows, error) { return &diffRows{d: d}, nil }

// MarshalJSON is json.encode(d): a list of what differs.
func (d *Diff) MarshalJSON() ([]byte, error) { return render.JSON(d) }

type diffRows struct {
	d *Diff
	i int
}

func (r *diffRows) Columns() []render.Column { return r.d.columns() }

func (r *diffRows) Next() ([]starlark.Value, error) {
	all := r.d.all()
	if r.i == len(all) {
		return nil, io.EOF
	}
	r.i++
	return r.d.row(all[r.i-1]), nil
}

func (d *Diff) columns() []render.Column {
	key, before, after := head("key", layout.Slot{Type: d.after.m.key}), head("before", d.before.m.value), head("after", d.after.m.value)
	if d.plan != nil {
		before.Name, after.Name = "old", "new"
		return []render.Column{{Name: "op"}, {Name: "map"}, {Name: "id"}, {Name: "type"}, key, before, after}
	}
	return []render.Column{{Name: "change"}, key, before, after, {Name: "delta"}, {Name: "per_second"}, {Name: "reset"}}
}

// row is an entry that differs: the columns, of a struct with what has changed in it.
func (d *Diff) row(x difference) []starlark.Value {
	before, after := d.values(x)
	words := kindsOfDifference[x.sign()]
	entry := []starlark.Value{d.after.m.key.Decode(d.key(x)), starlark.None, starlark.None}
	if before != nil {
		entry[1] = d.before.m.decodeValue(before)
	}
	if after != nil {
		entry[2] = d.after.m.decodeValue(after)
	}
	if m := d.plan; m != nil {
		return append([]starlark.Value{starlark.String(words.planned), starlark.String(m.info.Name), number(m.info.ID), starlark.String(m.kind.Name)}, entry...)
	}
	row := append([]starlark.Value{starlark.String(words.come)}, entry...)
	deltas, rates, resets := layout.NewFacts("delta"), layout.NewFacts("per_second"), starlark.Tuple{}
	for _, part := range d.differing(before, after) {
		delta, reset := part.Delta(before, after)
		if reset {
			resets, delta = append(resets, starlark.String(part.Path)), nil
		}
		if part.Path == "" {
			return append(row, orNone(delta), d.perSecond(part, delta), starlark.Bool(reset))
		}
		if delta != nil {
			deltas.Add(part.Path, delta)
			rates.Add(part.Path, d.perSecond(part, delta))
		}
	}
	return append(row, deltas, rates, resets)
}

func orNone(v starlark.Value) starlark.Value {
	if v == nil {
		return starlark.None
	}
	return v
}
