package dryrun

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"sort"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// step is one thing that was planned. Where entries were written it is the first time for the map.
type step struct {
	op       engine.ChangeOp
	target   *target // nil of an unpinned thing that is no map, and of a bpffs
	path     string
	replaced *engine.Info
}

// plan adds a step. The lock is held.
func (e *Engine) plan(s step) { e.steps = append(e.steps, s) }

// Plan is what would have changed so far, in the order in which it began to. A map that was written to and yet has
// what it had before is left out.
func (e *Engine) Plan() ([]engine.Change, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var plan []engine.Change
	for _, s := range e.steps {
		c := engine.Change{Op: s.op, Path: s.path, Replaced: s.replaced}
		if t := s.target; t != nil {
			c.Map, c.Key, c.Value, c.Spec = &t.info, t.key, t.value, t.created
		}
		if s.op == engine.Created || s.op == engine.Written {
			var err error
			if c.Entries, c.Gone, err = s.target.difference(); err != nil {
				return nil, err
			}
			if s.op == engine.Written && c.Entries.Each == nil {
				continue
			}
		}
		plan = append(plan, c)
	}
	return plan, nil
}

// difference is what has become of the entries. gone: the map was made here, and nothing holds it.
func (t *target) difference() (d engine.Difference, gone bool, err error) {
	if t.keeper == nil {
		t.keeper, err = t.e.copies.OpenID(t.info.ID, false)
		if errors.Is(err, unix.ENOENT) {
			t.keeper = nil
			return d, true, nil
		}
		if err != nil {
			t.keeper = nil
			return d, false, err
		}
		defer func() {
			err = errors.Join(err, t.keeper.Close())
			t.keeper = nil
		}()
	}
	if !t.kind().Keyed() {
		return t.done(), false, nil
	}
	d, err = t.compare()
	return d, false, err
}

// done is what was done to a map without keys.
func (t *target) done() (d engine.Difference) {
	acts := slices.Clone(t.sequence.done)
	for _, a := range acts {
		if a.op == engine.EntryPushed {
			d.Pushed++
		} else {
			d.Popped++
		}
	}
	if len(acts) == 0 {
		return d
	}
	d.Each = func(_ func(a, b []byte) int, visit func(engine.EntryChange) error) error {
		for _, a := range acts {
			c := engine.EntryChange{Op: a.op, New: a.value}
			if a.op == engine.EntryPopped {
				c.Old, c.New = a.value, nil
			}
			if err := visit(c); err != nil {
				return err
			}
		}
		return nil
	}
	return d
}

// difference is the entries that are not as they were: places in what was copied, and what is there now.
type difference struct {
	before, now *snapshot // now has only what is not as it was
	changes     []change
	absent      []byte // what an entry of an array is that was not copied
}

// change is an entry of before, of now, or of both; -1 for none.
type change struct{ old, new int32 }

// compare walks through the copy, and looks for each entry in what was copied.
func (t *target) compare() (engine.Difference, error) {
	now := newSnapshot(&t.info)
	d := &difference{before: &t.before, now: &now}
	if d.before.compare == nil { // the map was made here
		*d.before = newSnapshot(&t.info)
	}
	indexed := t.kind().Shape == engine.Indexed
	if indexed && t.created == nil {
		d.absent = make([]byte, now.v)
	}
	seen := make([]bool, d.before.n)
	walk := engine.NewWalk(t.keeper, 0)
	for {
		b, err := walk.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return engine.Difference{}, err
		}
		for i := range b.N {
			key, value := b.Keys[i*now.k:(i+1)*now.k], b.Values[i*now.v:(i+1)*now.v]
			place, found := d.before.find(key)
			switch {
			case found && bytes.Equal(d.before.value(place), value):
				seen[place] = true
			case found:
				seen[place] = true
				d.add(place, key, value)
			case indexed && zero(value):
			default:
				d.add(-1, key, value)
			}
		}
	}
	for place, seen := range seen {
		if !seen {
			d.changes = append(d.changes, change{int32(place), -1})
		}
	}
	return d.counted(), nil
}

func (d *difference) add(place int, key, value []byte) {
	d.changes = append(d.changes, change{int32(place), int32(d.now.n)})
	d.now.add(key, value)
}

func (d *difference) counted() (out engine.Difference) {
	for _, c := range d.changes {
		switch d.entry(c).Op {
		case engine.EntryAdded:
			out.Added++
		case engine.EntryChanged:
			out.Changed++
		default:
			out.Removed++
		}
	}
	if len(d.changes) > 0 {
		out.Each = d.each
	}
	return out
}

func (d *difference) entry(c change) (e engine.EntryChange) {
	e.Old = d.absent
	if c.old >= 0 {
		e.Key, e.Old = d.before.key(int(c.old)), d.before.value(int(c.old))
	}
	if c.new >= 0 {
		e.Key, e.New = d.now.key(int(c.new)), d.now.value(int(c.new))
	}
	switch {
	case e.New == nil:
		e.Op = engine.EntryRemoved
	case e.Old == nil:
		e.Op = engine.EntryAdded
	default:
		e.Op = engine.EntryChanged
	}
	return e
}

func (d *difference) each(compare func(a, b []byte) int, visit func(engine.EntryChange) error) error {
	if compare == nil {
		compare = d.now.compare
	}
	key := func(c change) []byte { return d.entry(c).Key }
	sort.Slice(d.changes, func(i, j int) bool { return compare(key(d.changes[i]), key(d.changes[j])) < 0 })
	for _, c := range d.changes {
		if err := visit(d.entry(c)); err != nil {
			return err
		}
	}
	return nil
}
