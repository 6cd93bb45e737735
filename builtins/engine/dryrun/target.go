package dryrun

import (
	"encoding/binary"
	"errors"
	"io"
	"time"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/memory"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// target is a map, whatever handles there are on it.
type target struct {
	e          *Engine
	info       engine.Info  // as a handle that reads and writes shows it
	path       string       // of a pin by which it was opened; "": of none
	created    *engine.Spec // nil: it is the other engine's
	key, value btf.Type     // of the map that was made here, or copied

	keeper  engine.Map // a handle of its own on the copy; nil while there is none
	filled  bool       // the copy has the entries
	before  snapshot   // what was copied
	handles int        // that were not closed
	pins    int        // that are planned
	heeded  time.Time  // when it was asked whether others had frozen it

	sequence sequence // of a queue, a stack and a bloom filter
}

func (t *target) kind() *engine.Kind { return engine.KindOf(t.info.Type) }

// hold keeps a map that was made here while a handle or a pin does, and no longer: then only an outer map can. A handle
// that was not closed counts, also where nobody has it any more. The lock is held.
func (t *target) hold() (err error) {
	held := t.handles > 0 || t.pins > 0
	switch {
	case t.created == nil: // a copy stays
	case held && t.keeper == nil:
		t.keeper, err = t.e.copies.OpenID(t.info.ID, false)
	case !held && t.keeper != nil:
		err, t.keeper = t.keeper.Close(), nil
	}
	return err
}

// adopt makes the copy, without entries. real is an open handle. The lock is held.
func (t *target) adopt(real engine.Map) error {
	if t.keeper != nil {
		return nil
	}
	spec, err := t.spec(real)
	if err != nil {
		return err
	}
	frozen, err := real.Frozen()
	if err != nil {
		return err
	}
	t.keeper, err = t.e.copies.Adopt(t.info.ID, spec, frozen)
	t.key, t.value = spec.Key, spec.Value
	return lacksType(err, "what a write does to a map of this type, which only a kernel has")
}

// lacksType says what is not known where the memory engine has no such type.
func lacksType(err error, what string) error {
	if errors.Is(err, memory.ErrNoType) {
		return &engine.UnknownError{What: what}
	}
	return err
}

// spec describes a map of the other engine.
func (t *target) spec(real engine.Map) (spec engine.Spec, err error) {
	i := real.Info()
	spec = engine.Spec{
		Type: i.Type, Name: i.Name, KeySize: i.KeySize, ValueSize: i.ValueSize, MaxEntries: i.MaxEntries,
		Flags: i.Flags &^ (unix.BPF_F_NUMA_NODE | t.kind().Sets), MapExtra: i.MapExtra, // the node is not told
	}
	spec.Key, spec.Value = real.Types()
	if t.kind().Nests {
		spec.Inner, err = t.template(real)
	}
	return spec, err
}

// byID opens a map of the other engine, by its pin where it was found so: not every process may open it by its id. The
// lock is held.
func (e *Engine) byID(id uint32, readonly bool) (engine.Map, error) {
	if t := e.targets[id]; t != nil && t.path != "" {
		if m, err := e.next.OpenPin(t.path, readonly); err == nil {
			if m.Info().ID == id {
				return m, nil
			}
			m.Close() // another is pinned there now
		}
	}
	return e.next.OpenID(id, readonly)
}

// template is what the values of a map of maps are like: one of them tells.
func (t *target) template(real engine.Map) (*engine.Spec, error) {
	b, err := engine.NewWalk(real, 1).Next()
	if err == io.EOF {
		return nil, &engine.UnknownError{What: "what its values must be like: it is empty, and was made elsewhere"}
	}
	if err != nil {
		return nil, err
	}
	inner, err := t.e.byID(binary.NativeEndian.Uint32(b.Values), true)
	if err == unix.EPERM {
		return nil, &engine.UnknownError{What: "what its values must be like: this process may not open them by their ids"}
	}
	if err != nil {
		return nil, err
	}
	spec, err := t.e.target(inner.Info()).spec(inner)
	return &spec, errors.Join(err, inner.Close())
}

// adoptInner makes copies, without entries, of the maps that n values name. One that there is not stays unknown, and is
// EBADF when it is written. The lock is held.
func (e *Engine) adoptInner(values []byte, n int) error {
	for i := range min(n, len(values)/4) {
		id := binary.NativeEndian.Uint32(values[4*i:])
		t := e.targets[id]
		if id >= FirstID || t != nil && t.keeper != nil {
			continue
		}
		real, err := e.byID(id, true)
		if errors.Is(err, unix.ENOENT) {
			continue
		}
		if err != nil {
			return err
		}
		if err := errors.Join(e.target(real.Info()).adopt(real), real.Close()); err != nil {
			return err
		}
	}
	return nil
}

// fill copies the entries. The copy is as before where that fails. The lock is held.
func (t *target) fill(real engine.Map) error {
	if t.filled {
		return nil
	}
	if err := t.adopt(real); err != nil {
		return err
	}
	s, err := t.read(real)
	if err != nil {
		return err
	}
	if t.kind().Nests {
		if err := t.e.adoptInner(s.values, s.n); err != nil {
			return err
		}
	}
	n, err := t.e.copies.Fill(t.info.ID, s.keys, s.values, s.n)
	switch {
	case errors.Is(err, unix.E2BIG), errors.Is(err, unix.ENOSPC): // entries came and went during the walk
		s.cut(n)
	case err != nil:
		return err
	}
	t.before, t.filled = s, true
	t.e.plan(step{op: engine.Written, target: t})
	return nil
}

// read reads all entries; of an array those that are not zero, and of a queue or stack the next value.
func (t *target) read(real engine.Map) (snapshot, error) {
	s := newSnapshot(&t.info)
	switch t.kind().Shape {
	case engine.Members:
		return s, nil
	case engine.Ordered:
		value := make([]byte, t.info.ValueSize)
		switch err := real.Lookup(nil, value, 0); {
		case errors.Is(err, unix.ENOENT):
			return s, nil
		case err != nil:
			return s, err
		}
		s.add(nil, value)
		t.sequence.hidden, t.sequence.n = true, 1
		return s, nil
	}
	walk := engine.NewWalk(real, 0)
	for {
		b, err := walk.Next()
		if err == io.EOF {
			return s, nil
		}
		if err != nil {
			return s, err
		}
		for i := range b.N {
			key, value := b.Keys[i*s.k:(i+1)*s.k], b.Values[i*s.v:(i+1)*s.v]
			switch {
			case t.kind().Evicts && s.n == int(t.info.MaxEntries): // entries came and went during the walk
			case t.kind().Shape == engine.Indexed && zero(value):
			default:
				s.add(key, value)
			}
		}
	}
}

func zero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
