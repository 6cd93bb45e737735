package faulttest

import (
	"bpfsh/builtins/engine"

	"github.com/cilium/ebpf/btf"
)

// faulty is a map whose operations may fail. It names each, so that one that is new does not compile without a
// decision.
type faulty struct {
	next engine.Map
	e    *Engine
}

var _ engine.Map = (*faulty)(nil)

func (m *faulty) Info() *engine.Info           { return m.next.Info() }
func (m *faulty) Types() (key, value btf.Type) { return m.next.Types() }
func (m *faulty) Frozen() (bool, error)        { return value(m.e, m.Info(), "Frozen", m.next.Frozen) }
func (m *faulty) Memory() (uint64, error)      { return value(m.e, m.Info(), "Memory", m.next.Memory) }
func (m *faulty) Owner() (uint32, error)       { return value(m.e, m.Info(), "Owner", m.next.Owner) }
func (m *faulty) Value() uint32                { return m.next.Value() }
func (m *faulty) Spec() *btf.Spec              { return m.next.Spec() }
func (m *faulty) Freeze() error                { return m.e.try(m.Info(), "Freeze", m.next.Freeze) }

func (m *faulty) Lookup(key, value []byte, flags uint64) error {
	return m.e.try(m.Info(), "Lookup", func() error { return m.next.Lookup(key, value, flags) })
}

func (m *faulty) ReadAt(b []byte, offset int) error {
	return m.e.try(m.Info(), "ReadAt", func() error { return m.next.ReadAt(b, offset) })
}

func (m *faulty) WriteAt(b []byte, offset int) error {
	return m.e.try(m.Info(), "WriteAt", func() error { return m.next.WriteAt(b, offset) })
}

func (m *faulty) Tap(from uint64) (engine.Stream, error) {
	return value(m.e, m.Info(), "Tap", func() (engine.Stream, error) { return m.next.Tap(from) })
}

func (m *faulty) Consume(buffer int) (engine.Stream, error) {
	return value(m.e, m.Info(), "Consume", func() (engine.Stream, error) { return m.next.Consume(buffer) })
}

func (m *faulty) NextKey(key, next []byte) error {
	return m.e.try(m.Info(), "NextKey", func() error { return m.next.NextKey(key, next) })
}

func (m *faulty) LookupBatch(cur *engine.Cursor, keys, values []byte, n int) (int, error) {
	return value(m.e, m.Info(), "LookupBatch", func() (int, error) { return m.next.LookupBatch(cur, keys, values, n) })
}

// Close closes the map, whatever it answers: nothing is to be left open.
func (m *faulty) Close() error {
	err := m.e.call("Close")
	if closed := m.next.Close(); err == nil {
		err = closed
	}
	return m.e.answer("Close", m.Info(), err)
}

func (m *faulty) Update(key, value []byte, flags uint64) error {
	return m.e.try(m.Info(), "Update", func() error { return m.next.Update(key, value, flags) })
}

func (m *faulty) Delete(key []byte) error {
	return m.e.try(m.Info(), "Delete", func() error { return m.next.Delete(key) })
}

func (m *faulty) LookupAndDelete(key, value []byte, flags uint64) error {
	return m.e.try(m.Info(), "LookupAndDelete", func() error { return m.next.LookupAndDelete(key, value, flags) })
}

func (m *faulty) LookupAndDeleteBatch(cur *engine.Cursor, keys, values []byte, n int) (int, error) {
	return value(m.e, m.Info(), "LookupAndDeleteBatch", func() (int, error) { return m.next.LookupAndDeleteBatch(cur, keys, values, n) })
}

func (m *faulty) UpdateBatch(keys, values []byte, n int, flags uint64) (int, error) {
	return m.part("UpdateBatch", n, func(n int) (int, error) { return m.next.UpdateBatch(keys, values, n, flags) })
}

func (m *faulty) DeleteBatch(keys []byte, n int) (int, error) {
	return m.part("DeleteBatch", n, func(n int) (int, error) { return m.next.DeleteBatch(keys, n) })
}

// part does a batch; of the one that fails, the first entries.
func (m *faulty) part(op string, n int, do func(n int) (int, error)) (int, error) {
	failed := m.e.call(op)
	done, err := 0, error(nil)
	if failed == nil {
		done, err = do(n)
	} else if m.e.fault.Part > 0 && n > 0 {
		done, err = do(min(m.e.fault.Part, n-1))
	}
	if err != nil {
		failed = err // it was met before
	}
	return done, m.e.answer(op, m.Info(), failed)
}

func (m *faulty) Pin(path string, replace bool) error {
	return m.e.try(m.Info(), "Pin", func() error { return m.next.Pin(path, replace) })
}
