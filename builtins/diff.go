package builtins

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"sort"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/runtime"
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

var diffFunctions = []method.Row[*Library]{{
	Name:   "diff",
	Params: "a, b",
	Doc: "What has changed from a to b, each a snapshot, or a map as it is now.\n" +
		"It has .added, .removed and .changed, and .same and .seconds. It shows what differs most first, field by field; of a counter of 64 bits that went down it says \"reset\". " +
		"Rates are of two snapshots of one map. The values of all CPUs are added up.",
	Example: `before = snapshot(m)
m["10.0.0.1"] = (13, 780)
d = diff(before, m)
show(d)
print([c.key for c in d.changed if c.delta.packets > 9], d.seconds)`,
	Run: (*Library).diff,
}}

// Diff is what two snapshots do not have in common.
type Diff struct {
	before, after *Snapshot
	*engine.Changes
	seconds float64       // between the two; 0 if it is not known
	rated   bool          // they are of one map, so that rates mean something
	parts   []layout.Part // of values
	plan    *Map          // that is to become like after; nil: after is how it became
	sorted  []difference  // nil until it is asked for
}

// difference is an entry that is not the same in both, at its places; -1: it is not there.
type difference struct {
	before, after int
	weight        uint64 // how far apart its numbers are
}

func (l *Library) diff(c method.Call) (starlark.Value, error) {
	ctx := runtime.Context(c.Thread)
	before, err := l.snapshotOf(ctx, c, 0, "a")
	if err != nil {
		return nil, err
	}
	after, err := l.snapshotOf(ctx, c, 1, "b")
	if err != nil {
		return nil, err
	}
	d, err := compare(ctx, before, after)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	return d, nil
}

// snapshotOf reads a snapshot, or takes one of a map.
func (l *Library) snapshotOf(ctx context.Context, c method.Call, i int, name string) (*Snapshot, error) {
	if s, ok := c.Args[i].(*Snapshot); ok {
		return s, nil
	}
	m, err := asMap(c.Args[i])
	if m == nil && err == nil {
		err = c.Bad(name, c.Args[i], "a snapshot, or a map")
	}
	if err != nil {
		return nil, err
	}
	return m.snapshot(ctx, c.Name)
}

// compare finds what two snapshots do not have in common. What belongs to no field does not count.
func compare(ctx context.Context, before, after *Snapshot) (*Diff, error) {
	a, b := before.m, after.m
	if err := fits(a, b); err != nil {
		return nil, err
	}
	d := newDiff(before, after)
	if s := after.time.Sub(before.time).Seconds(); s > 0 && !before.time.IsZero() {
		d.seconds = s
	}
	d.rated = d.seconds > 0 && a.info.ID == b.info.ID && a.info.Name == b.info.Name && a.kind == b.kind && before.host == after.host
	var err error
	d.Changes, err = engine.Compare(a.held, b.held, b.value.Same, stopped(ctx))
	return d, err
}

func newDiff(before, after *Snapshot) *Diff {
	m := after.m
	d := &Diff{before: before, after: after, parts: m.value.Parts()}
	for i := range d.parts {
		if m.kind.Values != engine.Nothing { // ids
			d.parts[i].Name()
		}
	}
	return d
}

// fits says why the bytes of one map's entries do not mean the same in the other.
func fits(a, b *Map) error {
	differ := func(what string, x, y any) error {
		return fmt.Errorf("the %s of %s are %v, and those of %s %v", what, a.labelID(), x, b.labelID(), y)
	}
	switch {
	case !a.key.Fits(b.key):
		return differ("keys", a.key, b.key)
	case !a.value.Fits(b.value.Type):
		return differ("values", a.value.Type, b.value.Type)
	case a.value.CPUs != b.value.CPUs:
		return differ("values", ofCPUs(a.value.CPUs), ofCPUs(b.value.CPUs))
	default:
		return nil
	}
}

func ofCPUs(n int) string {
	switch n {
	case 0:
		return "one for each key"
	case 1:
		return "of 1 CPU"
	default:
		return fmt.Sprintf("of %d CPUs", n)
	}
}

// context is done when the run that looks at the diff has to end.
func (d *Diff) context() context.Context { return runtime.Context(d.after.m.thread) }

// all are the differences, the largest first, and equal ones in the order of their keys. In a run that was stopped they are
// in any order.
func (d *Diff) all() []difference {
	if d.sorted != nil {
		return d.sorted
	}
	all := make([]difference, 0, len(d.Changed)+len(d.Added)+len(d.Removed))
	for _, c := range d.Changed {
		all = append(all, difference{before: int(c.Old), after: int(c.New)})
	}
	for _, at := range d.Added {
		all = append(all, difference{before: -1, after: int(at)})
	}
	for _, at := range d.Removed {
		all = append(all, difference{before: int(at), after: -1})
	}
	ctx := d.context()
	for i := range all {
		if d.plan != nil || ctx.Err() != nil {
			break
		}
		before, after := d.values(all[i])
		for j := range d.parts {
			all[i].weight = max(all[i].weight, d.parts[j].Weight(before, after))
		}
	}
	sort.Sort(&byWeight{d, all, d.order(), ctx})
	if ctx.Err() == nil {
		d.sorted = all
	}
	return all
}

// byWeight sorts differences, the largest first, and equal ones by their keys; those of a plan by their keys alone.
type byWeight struct {
	d     *Diff
	all   []difference
	order func(a, b []byte) int
	ctx   context.Context // ends the comparing
}

func (s *byWeight) Len() int      { return len(s.all) }
func (s *byWeight) Swap(i, j int) { s.all[i], s.all[j] = s.all[j], s.all[i] }
func (s *byWeight) Less(i, j int) bool {
	if s.ctx.Err() != nil {
		return false
	}
	x, y := s.all[i], s.all[j]
	if x.weight != y.weight {
		return x.weight > y.weight
	}
	return s.order(s.d.key(x), s.d.key(y)) < 0
}

// order compares keys as people do.
func (d *Diff) order() func(a, b []byte) int {
	if d.after.m.kind.Trie {
		return engine.CompareAddresses
	}
	if order := d.after.m.inOrder(); order != nil {
		return order
	}
	return bytes.Compare
}

// key is the key of an entry that differs.
func (d *Diff) key(x difference) []byte {
	if x.after >= 0 {
		return d.after.m.held.Key(x.after)
	}
	return d.before.m.held.Key(x.before)
}

// values are its values; nil where it is not there.
func (d *Diff) values(x difference) (before, after []byte) {
	if x.before >= 0 {
		before = d.before.m.held.Value(x.before)
	}
	if x.after >= 0 {
		after = d.after.m.held.Value(x.after)
	}
	return before, after
}

// perSecond is the rate of a part's difference; None where there is none, or where it is less than 0.
func (d *Diff) perSecond(part *layout.Part, delta starlark.Value) starlark.Value {
	if !d.rated || delta == nil || part.Moment() {
		return starlark.None
	}
	n, ok := starlark.AsFloat(delta)
	if !ok || n < 0 || math.IsInf(n, 0) {
		return starlark.None
	}
	return starlark.Float(n / d.seconds)
}

var diffTable = method.NewTable("diff", diffAttrs, []method.Row[*Diff]{})

var diffAttrs = []method.Attr[*Diff]{{
	Name: "added",
	Doc:  "The entries that only b has, as a batch.",
	Get:  func(d *Diff) (starlark.Value, error) { return batchOf(d.after, d.Added), nil },
}, {
	Name: "removed",
	Doc:  "The entries that only a has, as a batch.",
	Get:  func(d *Diff) (starlark.Value, error) { return batchOf(d.before, d.Removed), nil },
}, {
	Name: "changed",
	Doc: "The entries whose values differ, those that differ most first.\n" +
		"Each has key, before, after, delta, per_second and reset; of a struct delta and per_second have the fields that have changed, and reset the names of those that went down.",
	Get: func(d *Diff) (starlark.Value, error) { return &changedEntries{d: d, at: d.both()}, nil },
}, {
	Name: "same",
	Doc:  "How many entries are the same in both.",
	Get:  func(d *Diff) (starlark.Value, error) { return starlark.MakeInt(d.Same), nil },
}, {
	Name: "seconds",
	Doc:  "The time between the two snapshots; None where it is not known.",
	Get: func(d *Diff) (starlark.Value, error) {
		if d.seconds == 0 {
			return starlark.None, nil
		}
		return starlark.Float(d.seconds), nil
	},
}, {
	Name: "before",
	Doc:  "The snapshot that a diff begins at.",
	Get:  func(d *Diff) (starlark.Value, error) { return d.before, nil },
}, {
	Name: "after",
	Doc:  "The snapshot that a diff ends at: the next one can begin there.",
	Get:  func(d *Diff) (starlark.Value, error) { return d.after, nil },
}}

// batchOf is some entries of a snapshot.
func batchOf(s *Snapshot, places []uint32) *Batch {
	keys := make([]byte, 0, len(places)*len(s.m.keyBuf))
	values := make([]byte, 0, len(places)*len(s.m.valueBuf))
	for _, at := range places {
		keys, values = append(keys, s.m.held.Key(int(at))...), append(values, s.m.held.Value(int(at))...)
	}
	return &Batch{s.m, s.m.value, string(keys), string(values), len(places)}
}

// both are the places in all of the entries that both have.
func (d *Diff) both() []int {
	var at []int
	for i, x := range d.all() {
		if x.before >= 0 && x.after >= 0 {
			at = append(at, i)
		}
	}
	return at
}

// changedEntries is the entries of a diff that both snapshots have: a sequence.
type changedEntries struct {
	d  *Diff
	at []int
}

var (
	_ starlark.Indexable = (*changedEntries)(nil)
	_ starlark.Sequence  = (*changedEntries)(nil)
)

func (e *changedEntries) String() string        { return fmt.Sprintf("<%d changed>", len(e.at)) }
func (e *changedEntries) Type() string          { return "changed" }
func (e *changedEntries) Freeze()               {} // it never changes
func (e *changedEntries) Truth() starlark.Bool  { return len(e.at) > 0 }
func (e *changedEntries) Hash() (uint32, error) { return 0, errors.New("unhashable type: changed") }
func (e *changedEntries) Len() int              { return len(e.at) }

// Index is change i, as a record.
func (e *changedEntries) Index(i int) starlark.Value {
	facts := layout.NewFacts("change")
	row := e.d.row(e.d.all()[e.at[i]])
	for i, c := range e.d.columns() {
		if i > 0 { // that it is a change
			facts.Add(c.Name, row[i])
		}
	}
	return facts
}

func (e *changedEntries) Iterate() starlark.Iterator { return &changedIterator{e, 0} }

type changedIterator struct {
	e *changedEntries
	i int
}

func (it *changedIterator) Next(p *starlark.Value) bool {
	if it.i == it.e.Len() {
		return false
	}
	*p = it.e.Index(it.i)
	it.i++
	return true
}

func (it *changedIterator) Done() {}
