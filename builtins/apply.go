package builtins

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"bpfsh/builtins/engine"
	"bpfsh/runtime"
	"bpfsh/runtime/method"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"
)

var applyFunctions = []method.Row[*Library]{{
	Name:   "apply",
	Params: "m, desired, dry_run=False, force=False",
	Doc: "Make a map hold what is desired, with the fewest writes.\n" +
		"desired is a dict, anything that gives (key, value) pairs, a snapshot or another map; all of it is checked before the first write. Entries that are the same are not written, those that desired does not have are removed; " +
		"of an array, whose entries cannot be removed, they are set to zero. An entry is not removed whose key differs from a desired one only in bytes of no field: that is an error. What is new is written before what is old goes, unless the map is too full for both. " +
		"The result has the counts .added, .changed, .removed and .same. With dry_run nothing is written, and it shows what would be; of a frozen map that is refused as the write is. At the prompt it asks first where several entries go, unless force.",
	Example: `wanted = {"10.0.0.1": (3, 180), "10.0.0.7": (0, 0)}
show(apply(m, wanted, dry_run=True))
done = apply(m, wanted)
print(done.added, done.changed, done.removed, done.same)    # 1 0 1 1`,
	Run: (*Library).apply,
}, {
	Name:   "restore",
	Params: "m, snapshot, dry_run=False, force=False",
	Doc: "Make a map hold exactly the entries of a snapshot, byte for byte.\n" +
		"A map whose keys, values or size do not fit is refused before anything is written. Otherwise as apply.",
	Example: `before = snapshot(m)
m.clear()
print(restore(m, before).added, "entries are back")`,
	Run: (*Library).restore,
}}

func (l *Library) apply(c method.Call) (starlark.Value, error) {
	a, err := l.begin(c)
	if err != nil {
		return nil, err
	}
	defer a.m.giveBack()
	g := &gather{m: a.m, op: c.Name, ctx: a.ctx, what: "desired", readable: true}
	g.progress = l.progress(c.Name+" reads", nil)
	defer g.progress.Done()
	if err := g.entries(c.Args[1]); err != nil {
		return nil, err
	}
	g.progress.Done()
	switch c.Args[1].(type) {
	case *Map, *Snapshot:
	default:
		a.spelled = true
	}
	wanted := engine.NewEntries(a.m.info, g.n)
	k, v := len(a.m.keyBuf), len(a.m.valueBuf)
	for i := range g.n {
		key, value := g.keys[i*k:(i+1)*k], g.values[i*v:(i+1)*v]
		if at, added := wanted.Add(key, value); !added && !bytes.Equal(wanted.Value(at), value) {
			return nil, fmt.Errorf("%s: %s: desired has key %s twice, with other values (entry %d; nothing was done)", c.Name, a.m.label(), shorten(a.m.key.Decode(key).String()), i)
		}
	}
	return a.to(c, wanted, a.m.value.Same)
}

func (l *Library) restore(c method.Call) (starlark.Value, error) {
	a, err := l.begin(c)
	if err != nil {
		return nil, err
	}
	defer a.m.giveBack()
	s, ok := c.Args[1].(*Snapshot)
	if !ok {
		return nil, c.Bad("snapshot", c.Args[1], "a snapshot")
	}
	if err := fits(s.m, a.m); err != nil {
		return nil, fmt.Errorf("%s: %s: %w; nothing was done", c.Name, a.m.label(), err)
	}
	wanted := engine.NewEntries(a.m.info, s.m.held.N)
	wanted.Append(s.m.held.Batch)
	return a.to(c, wanted, nil)
}

// applying is what makes a map equal to what is wanted.
type applying struct {
	m       *Map
	ctx     context.Context
	dryRun  bool
	spelled bool // what is wanted are values of the script, which cannot tell keys apart that differ in their padding
	result  *Applied
	task    *task
	of      int // entries to write and to remove
}

// begin reads the arguments that apply and restore have in common, and refuses a map that cannot be made equal to
// anything.
func (l *Library) begin(c method.Call) (*applying, error) {
	m, err := asMap(c.Args[0])
	if m == nil && err == nil {
		err = c.Bad("m", c.Args[0], "a map")
	}
	if err != nil {
		return nil, err
	}
	dryRun, err := c.Bool(2, "dry_run")
	if err != nil {
		return nil, err
	}
	switch {
	case m.closed:
		return nil, m.fail(c.Name, nil, unix.EBADF)
	case !m.kind.Keyed(), !m.kind.Has("lookup_batch"), !m.kind.Has("update"):
		return nil, m.failAs(c.Name, "update_batch", errNotForType)
	case m.kind.Values != engine.Nothing && m.kind.Values != engine.Maps && m.kind.Values != engine.Programs:
		return nil, fmt.Errorf("%s: %s: what %s holds does not tell which object it is, so that nothing can be compared", c.Name, m.label(), article(m.kind.Name))
	}
	if !dryRun {
		if err := m.writable(c.Name); err != nil {
			return nil, err
		}
	}
	return &applying{m: m, ctx: runtime.Context(c.Thread), dryRun: dryRun}, nil
}

// writable refuses what could not be written, before anything is done for it: an update of no entries changes nothing, and
// is refused as any other.
func (m *Map) writable(op string) error {
	if _, err := m.raw.UpdateBatch(nil, nil, 0, 0); errors.Is(err, unix.EPERM) {
		return m.failAs(op, "update_batch", err)
	}
	return nil
}

// failAs is the error of an operation that is done by another.
func (m *Map) failAs(op, as string, err error) error {
	if err == errNotForType {
		err = engine.NotSupported
	}
	return newError(Error{Op: op, as: as, Map: m, Count: -1, Err: err, lib: m.lib})
}

// to makes the map hold what is wanted. equal is as engine.Compare takes it.
func (a *applying) to(c method.Call, wanted *engine.Entries, equal func(a, b []byte) bool) (starlark.Value, error) {
	m := a.m
	if err := a.room(c, wanted); err != nil {
		return nil, err
	}
	before, err := m.snapshot(a.ctx, c.Name)
	if err != nil {
		return nil, a.nothing(c, err)
	}
	given := wanted.N
	if m.kind.Shape == engine.Indexed {
		zero := make([]byte, len(m.valueBuf))
		for i := range before.m.held.N {
			wanted.Add(before.m.held.Key(i), zero)
		}
	}
	d := newDiff(before, &Snapshot{m: m.detached(wanted)})
	if d.Changes, err = engine.Compare(before.m.held, wanted, equal, stopped(a.ctx)); err != nil {
		return nil, a.nothing(c, err)
	}
	if a.spelled {
		if err := a.alike(c, d, wanted); err != nil {
			return nil, err
		}
	}
	a.result = &Applied{m: m, op: c.Name, Same: d.Same}
	if a.dryRun {
		frozen, err := m.raw.Frozen()
		switch {
		case err != nil:
			return nil, m.fail(c.Name, nil, err)
		case frozen && bool(d.Truth()):
			return nil, m.failAs(c.Name, "update_batch", unix.EPERM)
		}
		d.plan, a.result.plan = m, d
		a.result.Added, a.result.Changed, a.result.Removed = len(d.Added), len(d.Changed), len(d.Removed)
		return a.result, nil
	}
	zeroed := 0
	for _, x := range d.Changed {
		if int(x.New) >= given {
			zeroed++
		}
	}
	what := "remove"
	if zeroed > 0 {
		what = "zero"
	}
	if err := m.allow(c, 3, what, func() (int, error) { return len(d.Removed) + zeroed, nil }); err != nil {
		return nil, err
	}
	if err := a.write(c.Name, d); err != nil {
		return nil, err
	}
	if len(d.Removed) > 0 {
		m.said(c.Name, "removed", a.result.Removed)
	}
	return a.result, nil
}

// alike refuses to remove an entry whose key reads as one that is wanted: only bytes that belong to no field, such as a
// program leaves uninitialized, tell the two apart, and a dict of the map's own entries holds one of them.
func (a *applying) alike(c method.Call, d *Diff, wanted *engine.Entries) error {
	key := a.m.key
	if len(d.Removed) == 0 || !key.Padded() {
		return nil
	}
	removed := make(map[string][]byte, len(d.Removed))
	for _, i := range d.Removed {
		k := d.before.m.held.Key(int(i))
		removed[string(key.WithoutPadding(k))] = k
	}
	for i := range wanted.N {
		want := wanted.Key(i)
		if k, ok := removed[string(key.WithoutPadding(want))]; ok {
			return fmt.Errorf("%s: %s: key %s is there with bytes %x, and desired with bytes %x, which differ only where there is no field, so that it would be removed; "+
				"open the map with key=\"bytes[%d]\" to tell them apart; nothing was done", c.Name, a.m.label(), shorten(key.Decode(k).String()), k, want, key.Size())
		}
	}
	return nil
}

// nothing says of a run that was stopped before the first write that there was none.
func (a *applying) nothing(c method.Call, err error) error {
	if a.ctx.Err() == nil {
		return err
	}
	return a.m.failCount(c.Name, nil, 0, 0, -1, 0, err)
}

// room says whether the map has room for what is wanted.
func (a *applying) room(c method.Call, wanted *engine.Entries) error {
	m := a.m
	if m.info.MaxEntries > 0 && wanted.N > int(m.info.MaxEntries) {
		return fmt.Errorf("%s: %s has room for %s, and %s are wanted; nothing was done", c.Name, m.label(), entriesIn(int(m.info.MaxEntries)), render.Count(wanted.N))
	}
	if m.kind.Shape != engine.Indexed && m.kind.Shape != engine.Slots {
		return nil
	}
	for i := range wanted.N {
		if at := binary.NativeEndian.Uint32(wanted.Key(i)); at >= m.info.MaxEntries {
			return fmt.Errorf("%s: %s: the index %d is out of range: this %s has 0 to %d; nothing was done", c.Name, m.label(), at, m.kind.Name, m.info.MaxEntries-1)
		}
	}
	return nil
}

// write writes what differs. Entries change first; then come the new ones, and then those go that are not wanted, so
// that what the map says is never less than before; but as many as have to make room go before.
func (a *applying) write(op string, d *Diff) error {
	m := a.m
	changed := make([]uint32, len(d.Changed))
	for i, x := range d.Changed {
		changed[i] = x.New
	}
	change, err := a.written(op, batchOf(d.after, changed))
	if err != nil {
		return err
	}
	add, err := a.written(op, batchOf(d.after, d.Added))
	if err != nil {
		return err
	}
	first := 0
	switch {
	case m.kind.Evicts && len(d.Added) > 0: // what is new could push out what is wanted
		first = len(d.Removed)
	case m.kind.Shape == engine.Hashed && m.info.MaxEntries > 0:
		first = min(len(d.Removed), max(0, d.before.m.held.N+len(d.Added)-int(m.info.MaxEntries)))
	}
	a.of = len(d.Changed) + len(d.Added) + len(d.Removed)
	a.task = m.task(a.ctx, op, func() int { return a.of })
	defer a.task.Done()
	for _, step := range []struct {
		entries *Batch
		count   *int
		remove  bool
	}{
		{change, &a.result.Changed, false},
		{batchOf(d.before, d.Removed[:first]), &a.result.Removed, true},
		{add, &a.result.Added, false},
		{batchOf(d.before, d.Removed[first:]), &a.result.Removed, true},
	} {
		if err := a.step(op, step.entries, step.count, step.remove); err != nil {
			return err
		}
	}
	return nil
}

// step writes some entries, or removes them, and counts them.
func (a *applying) step(op string, b *Batch, count *int, remove bool) error {
	keys, as := []byte(b.keys), "update_batch"
	a.task.at = 0
	var out engine.Outcome
	if remove {
		as = "delete_batch"
		out = engine.DeleteAll(a.m.raw, keys, b.n, true, a.task.next)
	} else {
		out = engine.UpdateAll(a.m.raw, keys, []byte(b.values), b.n, 0, a.task.next)
	}
	*count += out.Done
	if out.Err == nil {
		return nil
	}
	r := a.result
	e := Error{Op: op, as: as, Map: a.m, Count: r.Added + r.Changed + r.Removed, Of: a.of, done: fmt.Sprintf(" (%s)", r.counts()), Err: out.Err, lib: a.m.lib}
	var errno unix.Errno
	if out.At < b.n && errors.As(out.Err, &errno) {
		e.Key = b.keyAt(out.At)
	}
	return newError(e)
}

// written is a batch with its values as they are written: objects are opened by their ids, all of them before the
// first write.
func (a *applying) written(op string, b *Batch) (*Batch, error) {
	if a.m.kind.Values == engine.Nothing && !a.m.kind.Programmed {
		return b, nil
	}
	var values []byte
	for i := range b.n {
		value, err := a.m.encodeValue(op, b.valueAt(i))
		if err != nil {
			return nil, fmt.Errorf("%w (key %s; nothing was done)", err, b.keyAt(i))
		}
		values = append(values, value...)
	}
	return &Batch{b.m, b.value, b.keys, string(values), b.n}, nil
}

// readableValue writes v to the buffer for values as it is read: an object is its id.
func (m *Map) readableValue(op string, v starlark.Value) ([]byte, error) {
	if id, ok := number32(v); ok && m.kind.Values != engine.Nothing {
		putValue(m.valueBuf, id)
		return m.valueBuf, nil
	}
	if n, ok := v.(*Nested); ok && m.kind.Nests {
		putValue(m.valueBuf, n.id)
		return m.valueBuf, nil
	}
	switch m.kind.Values {
	case engine.Nothing:
		if err := m.value.Encode(m.valueBuf, v); err != nil {
			return nil, m.bad(op, "value", err)
		}
		return m.valueBuf, nil
	default:
		h, err := m.lib.object(m.thread, m.kind.Values, v)
		if err != nil {
			return nil, m.bad(op, "value", err)
		}
		defer h.Close()
		switch h := h.(type) {
		case interface{ Info() *engine.Info }:
			putValue(m.valueBuf, h.Info().ID)
		case identified:
			putValue(m.valueBuf, h.id)
		default:
			return nil, fmt.Errorf("%s: %s: %s has no id", op, m.label(), method.Describe(v))
		}
		return m.valueBuf, nil
	}
}
