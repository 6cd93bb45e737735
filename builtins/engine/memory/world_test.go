package memory_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"bpfsh/builtins/engine"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// operation is one step of a scenario. What it does not need is zero.
type operation struct {
	name         string
	handle       int // the handle that it is done with
	key, value   []byte
	n            int
	flags        uint64
	cpu          int
	offset, size int
	path         string
	yes          bool // readonly, replace, missing_ok, or "go on from the cursor"
}

// result is what an engine has answered.
type result struct {
	err  string
	n    int
	data string
}

func (r result) String() string {
	s := r.err
	if s == "" {
		s = "ok"
	}
	if r.n != 0 {
		s += fmt.Sprintf(" n=%d", r.n)
	}
	if r.data != "" {
		s += fmt.Sprintf(" %.400s", r.data)
	}
	return s
}

const handles = 4

// world is one engine in the middle of a scenario.
type world struct {
	e       engine.Engine
	s       *scenario
	handles [handles]engine.Map
	cur     engine.Cursor
	inner   []engine.Map
	id      uint32
	pins    []string
	added   map[string]bool // the values that are in the bloom filter
}

// values are bytes as this engine wants them: inner maps are numbers from 1 in a scenario.
func (w *world) values(b []byte) []byte {
	if len(w.inner) == 0 {
		return b
	}
	out := slices.Clone(b)
	for at := 0; at+4 <= len(out); at += 4 {
		i := int(binary.NativeEndian.Uint32(out[at:])) - 1
		none := uint32(1<<32 - 1)
		if i >= 0 && i < len(w.inner) {
			none = w.inner[i].Value()
		}
		binary.NativeEndian.PutUint32(out[at:], none)
	}
	return out
}

// shown is the other way round, for n values. What is between the values of two CPUs is left out: programs leave there
// what they like.
func (w *world) shown(info *engine.Info, b []byte) []byte {
	out := slices.Clone(b)
	switch {
	case len(w.inner) > 0:
		for at := 0; at+4 <= len(out); at += 4 {
			id := binary.NativeEndian.Uint32(out[at:])
			for i, m := range w.inner {
				if m.Info().ID == id {
					binary.NativeEndian.PutUint32(out[at:], uint32(i)+1)
				}
			}
		}
	case info.CPUs > 0:
		stride := (int(info.ValueSize) + 7) &^ 7
		for at := 0; at+stride <= len(out); at += stride {
			clear(out[at+int(info.ValueSize) : at+stride])
		}
	}
	return out
}

// errUnknown is the name of what a dry run cannot know.
const errUnknown = "unknown"

func errorName(err error) string {
	if err == nil {
		return ""
	}
	if refused, ok := errors.AsType[*engine.LoadError](err); ok {
		return "LoadError " + unix.ErrnoName(refused.Errno)
	}
	if _, ok := errors.AsType[*engine.UnknownError](err); ok {
		return errUnknown
	}
	if errno, ok := errors.AsType[unix.Errno](err); ok {
		switch name := unix.ErrnoName(errno); {
		case errno == unix.EOPNOTSUPP: // which has two names
			return "EOPNOTSUPP"
		case name != "":
			return name
		}
		return fmt.Sprint(int(errno))
	}
	return err.Error()
}

// steps are the operations of a scenario.
var steps = map[string]func(w *world, m engine.Map, o *operation) result{
	"lookup": func(w *world, m engine.Map, o *operation) result {
		v := w.values(room(m, o.value))
		err := m.Lookup(o.key, v, o.flags)
		if w.s.bloom() {
			return w.member(o.value, err)
		}
		return w.value(m, v, err)
	},
	"update": func(w *world, m engine.Map, o *operation) result {
		return w.update(o, 1, m.Update(o.key, w.values(o.value), o.flags))
	},
	"delete": func(w *world, m engine.Map, o *operation) result { return result{err: errorName(m.Delete(o.key))} },
	"pop": func(w *world, m engine.Map, o *operation) result {
		v := room(m, nil)
		return w.value(m, v, m.LookupAndDelete(o.key, v, o.flags))
	},
	"next_key": func(w *world, m engine.Map, o *operation) result {
		next := make([]byte, m.Info().KeySize)
		err := m.NextKey(o.key, next)
		if err != nil {
			clear(next)
		}
		return result{err: errorName(err), data: fmt.Sprintf("%x", next)}
	},
	"keys":         (*world).keys,
	"lookup_batch": (*world).batch,
	"pop_batch":    (*world).batch,
	"update_batch": func(w *world, m engine.Map, o *operation) result {
		n, err := m.UpdateBatch(o.key, w.values(o.value), o.n, o.flags)
		return result{err: errorName(err), n: n}
	},
	"delete_batch": func(w *world, m engine.Map, o *operation) result {
		n, err := m.DeleteBatch(o.key, o.n)
		return result{err: errorName(err), n: n}
	},
	"update_all": func(w *world, m engine.Map, o *operation) result {
		out := engine.UpdateAll(m, o.key, w.values(o.value), o.n, o.flags, func(int) error { return nil })
		w.update(o, out.Done, nil)
		return outcome(out)
	},
	"delete_all": func(w *world, m engine.Map, o *operation) result {
		return outcome(engine.DeleteAll(m, o.key, o.n, o.yes, func(int) error { return nil }))
	},
	"walk":  func(w *world, m engine.Map, o *operation) result { return w.walk(m, engine.NewWalk(m, o.n)) },
	"clear": func(w *world, m engine.Map, o *operation) result { return w.walk(m, engine.NewPop(m, o.n)) },

	"read_at": func(w *world, m engine.Map, o *operation) result {
		b := make([]byte, o.n)
		err := m.ReadAt(b, o.offset)
		return result{err: errorName(err), data: fmt.Sprintf("%x", b)}
	},
	"write_at": func(w *world, m engine.Map, o *operation) result {
		if _, closed := m.Frozen(); closed != nil { // EBADF or, read-only, EPERM
			return result{}
		}
		return result{err: errorName(m.WriteAt(o.value[:o.n], o.offset))}
	},

	"freeze": func(w *world, m engine.Map, o *operation) result {
		frozen, _ := m.Frozen()
		err := m.Freeze()
		if frozen && err == frozenTwice() {
			err = unix.EPERM
		}
		return result{err: errorName(err)}
	},
	"info": func(w *world, m engine.Map, o *operation) result {
		i := *m.Info()
		i.ID = 0
		frozen, err := m.Frozen()
		var key, value btf.Type
		if err == nil { // a handle that is closed may have them or not
			key, value = m.Types()
		}
		return result{err: errorName(err), data: fmt.Sprintf("%+v frozen %v types %v %v", i, frozen, key, value)}
	},
	"counts": func(w *world, m engine.Map, o *operation) result {
		counts, err := w.e.Counts()
		if _, closed := m.Frozen(); closed != nil || !w.s.kind().Counted { // the kernel says 0, and frees maps when it has time
			return result{err: errorName(err)}
		}
		n, ok := counts[w.id]
		return result{err: errorName(err), n: n, data: fmt.Sprint(ok)}
	},
	"holders": func(w *world, m engine.Map, o *operation) result { // of the programs there are those that did operations
		h, err := w.e.Holders()
		open := slices.Contains(h.Processes.By[w.id], engine.ThisProcess()) // others look at it at times, as at every map
		return result{err: errorName(err), data: fmt.Sprintf("%q %v", h.Pins.By[w.id], open)}
	},
	"open_id": func(w *world, m engine.Map, o *operation) result {
		if _, closed := m.Frozen(); closed != nil { // the kernel frees a map when it has time
			return result{}
		}
		return w.opened(o, func() (engine.Map, error) { return w.e.OpenID(w.id, o.yes) })
	},
	"open_pin": func(w *world, m engine.Map, o *operation) result {
		return w.opened(o, func() (engine.Map, error) { return w.e.OpenPin(o.path, o.yes) })
	},
	"pin": func(w *world, m engine.Map, o *operation) result {
		err := m.Pin(o.path, o.yes)
		if err == nil {
			w.pins = append(w.pins, o.path)
		}
		return result{err: errorName(err)}
	},
	"pinnable": func(w *world, m engine.Map, o *operation) result {
		_, err := w.e.Pinnable(o.path, false)
		if strings.HasSuffix(o.path, "/") { // which is no pin to be replaced
			return result{err: errorName(err)}
		}
		_, replaces := w.e.Pinnable(o.path, true)
		return result{err: errorName(err), data: errorName(replaces)}
	},
	"unpin": func(w *world, m engine.Map, o *operation) result {
		return result{err: errorName(w.e.Unpin(o.path))}
	},
	"close": func(w *world, m engine.Map, o *operation) result { return result{err: errorName(m.Close())} },

	"kernel.lookup": func(w *world, m engine.Map, o *operation) result {
		v := make([]byte, m.Info().ValueSize)
		return w.value(m, v, m.ProgramLookup(o.key, v, o.cpu))
	},
	"kernel.lookup_percpu": func(w *world, m engine.Map, o *operation) result {
		v := make([]byte, m.Info().ValueSize)
		return w.value(m, v, m.ProgramLookupPerCPU(o.key, v, o.cpu))
	},
	"kernel.peek": func(w *world, m engine.Map, o *operation) result {
		v := room(m, o.value)[:m.Info().ValueSize]
		err := m.ProgramPeek(v)
		if w.s.bloom() {
			return w.member(o.value, err)
		}
		return w.value(m, v, err)
	},
	"kernel.update": func(w *world, m engine.Map, o *operation) result {
		return result{err: errorName(m.ProgramUpdate(o.key, o.value[:m.Info().ValueSize], o.flags, o.cpu))}
	},
	"kernel.delete": func(w *world, m engine.Map, o *operation) result {
		return result{err: errorName(m.ProgramDelete(o.key))}
	},
	"kernel.push": func(w *world, m engine.Map, o *operation) result {
		return w.update(o, 1, m.ProgramPush(o.value[:m.Info().ValueSize], o.flags))
	},
	"kernel.pop": func(w *world, m engine.Map, o *operation) result {
		v := make([]byte, m.Info().ValueSize)
		return w.value(m, v, m.ProgramPop(v))
	},
	"kernel.add": func(w *world, m engine.Map, o *operation) result {
		sum, told, err := m.ProgramAdd(o.key, o.offset, o.size, o.flags, o.cpu)
		return result{err: errorName(err), data: fmt.Sprint(sum, told)}
	},
	"kernel.count": func(w *world, m engine.Map, o *operation) result {
		n, err := m.ProgramCount()
		return result{err: errorName(err), n: n}
	},
	"kernel.items": func(w *world, m engine.Map, o *operation) result {
		b, err := m.ProgramEntries(o.cpu)
		k, v := int(m.Info().KeySize), int(m.Info().ValueSize)
		var got []string
		for i := range b.N {
			got = append(got, fmt.Sprintf("%x=%x", b.Keys[i*k:(i+1)*k], b.Values[i*v:(i+1)*v]))
		}
		return w.entries(got, err)
	},
}

// room is a value to read into; of a bloom filter, the question.
func room(m engine.Map, question []byte) []byte {
	v := make([]byte, m.Info().Stride())
	copy(v, question)
	return v
}

func (w *world) value(m engine.Map, v []byte, err error) result {
	if err != nil {
		return result{err: errorName(err)}
	}
	return result{data: fmt.Sprintf("%x", w.shown(m.Info(), v))}
}

// update notes the first n values of a bloom filter.
func (w *world) update(o *operation, n int, err error) result {
	if w.s.bloom() && err == nil {
		size := len(o.value) / max(1, o.n)
		for i := range n {
			w.added[string(o.value[i*size:(i+1)*size])] = true
		}
	}
	return result{err: errorName(err)}
}

// member is the answer of a bloom filter. If it has a seed of its own, only that what was added is there can be said.
func (w *world) member(value []byte, err error) result {
	if !w.s.exact && !w.added[string(value)] && (err == nil || err == unix.ENOENT) {
		return result{}
	}
	return result{err: errorName(err)}
}

func outcome(o engine.Outcome) result {
	return result{err: errorName(o.Err), n: o.Done, data: fmt.Sprint("at ", o.At)}
}

// keys walks by next_key.
func (w *world) keys(m engine.Map, o *operation) result {
	var got []string
	var at []byte
	for range 4096 {
		next := make([]byte, m.Info().KeySize)
		if err := m.NextKey(at, next); err != nil {
			return w.entries(got, err)
		}
		at, got = next, append(got, fmt.Sprintf("%x", next))
	}
	return w.entries(got, errors.New("no end"))
}

func (w *world) batch(m engine.Map, o *operation) result {
	if !o.yes {
		w.cur = engine.Cursor{}
	}
	k, v := int(m.Info().KeySize), m.Info().Stride()
	keys, values := make([]byte, o.n*k), make([]byte, o.n*v)
	read := m.LookupBatch
	if o.name == "pop_batch" {
		read = m.LookupAndDeleteBatch
	}
	n, err := read(&w.cur, keys, values, o.n)
	r := w.entries(w.list(m, keys, values, n), err)
	r.n = n
	if place := w.cur.Opaque; w.s.exact && place != nil {
		if w.s.buckets() {
			place = place[:4]
		}
		r.data += fmt.Sprintf(" to %x", place)
	}
	return r
}

func (w *world) list(m engine.Map, keys, values []byte, n int) (got []string) {
	k, v := int(m.Info().KeySize), m.Info().Stride()
	for i := range n {
		got = append(got, fmt.Sprintf("%x=%x", keys[i*k:(i+1)*k], w.shown(m.Info(), values[i*v:(i+1)*v])))
	}
	return got
}

func (w *world) walk(m engine.Map, walk *engine.Walk) result {
	var got []string
	for {
		b, err := walk.Next()
		if err == io.EOF {
			err = nil
			return w.entries(got, err)
		}
		if err != nil {
			return w.entries(got, err)
		}
		got = append(got, w.list(m, b.Keys, b.Values, b.N)...)
	}
}

// entries is what was read; the order is part of it where it is the kernel's.
func (w *world) entries(got []string, err error) result {
	if !w.s.exact {
		slices.Sort(got)
	}
	return result{err: errorName(err), data: strings.Join(got, " ")}
}

// opened puts a map in the place of a handle.
func (w *world) opened(o *operation, open func() (engine.Map, error)) result {
	m, err := open()
	if err != nil {
		return result{err: errorName(err)}
	}
	if old := w.handles[o.n]; old != nil {
		old.Close()
	}
	w.handles[o.n] = m
	return result{data: fmt.Sprint(m.Info().ID == w.id)}
}

// do does one step. ok is false if there is no such handle.
func (w *world) do(o *operation) (r result, ok bool) {
	m := w.handles[o.handle]
	if m == nil {
		return r, false
	}
	before := slices.Concat(o.key, o.value)
	r = steps[o.name](w, m, o)
	if !bytes.Equal(before, slices.Concat(o.key, o.value)) {
		r.err += " (an argument was written)"
	}
	return r, true
}

// close ends the scenario.
func (w *world) close(t testing.TB) {
	for _, path := range w.pins {
		if err := w.e.Unpin(path); err != nil && err != unix.ENOENT {
			t.Errorf("unpin %s: %v", path, err)
		}
	}
	for _, m := range append(w.handles[:], w.inner...) {
		if m != nil {
			m.Close()
		}
	}
}
