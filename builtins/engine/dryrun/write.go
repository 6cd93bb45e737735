package dryrun

import (
	"time"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// plan is the copy, with the entries, for a write; by is who writes. Where the handle or the freeze forbids the write, or
// nothing is written, the copy has no entries, and answers so.
func (h *handle) plan(by writer) (engine.Map, error) {
	t := h.target
	t.e.mu.Lock()
	defer t.e.mu.Unlock()
	if h.closed {
		return nil, unix.EBADF
	}
	if t.filled {
		if by != program && time.Since(t.heeded) > heedEvery {
			if err := t.heed(h.real); err != nil {
				return nil, err
			}
		}
		return h.copied()
	}
	frozen, err := h.forbidden(by)
	if err != nil {
		return nil, err
	}
	if frozen || by == asker {
		err = t.adopt(h.real)
	} else {
		err = t.fill(h.real)
	}
	if err != nil {
		if refused := frozen || h.info.ReadOnly; refused {
			return nil, unix.EPERM
		}
		return nil, err
	}
	return h.copied()
}

// writer is who writes to a map.
type writer uint8

const (
	process writer = iota
	program
	asker // a process that writes no entries, to see whether it may
)

// forbidden says whether the handle may not write, or nobody but a program. The lock is held.
func (h *handle) forbidden(by writer) (bool, error) {
	if h.info.ReadOnly {
		return true, nil
	}
	if by == program {
		return false, nil
	}
	if h.target.keeper != nil {
		if err := h.target.heed(h.real); err != nil {
			return false, err
		}
		return h.target.keeper.Frozen()
	}
	return h.real.Frozen()
}

// heedEvery is how long what others may have done is not asked for: to ask takes longer than a write.
const heedEvery = 20 * time.Millisecond

// heed freezes the copy if others have frozen the map. real is an open handle; nil: the map was made here. The lock is held.
func (t *target) heed(real engine.Map) error {
	if real == nil || t.keeper == nil {
		return nil
	}
	t.heeded = time.Now()
	there, err := real.Frozen()
	if err != nil || !there {
		return err
	}
	if here, err := t.keeper.Frozen(); here || err != nil {
		return err
	}
	return t.keeper.Freeze()
}

func (h *handle) Update(key, value []byte, flags uint64) error {
	m, err := h.planUpdate(value, 1)
	if err != nil {
		return err
	}
	return h.push(value, flags, func() error { return m.Update(key, value, flags) })
}

// planUpdate is plan for n values, which may be maps.
func (h *handle) planUpdate(values []byte, n int) (engine.Map, error) {
	by := process
	if n == 0 {
		by = asker
	}
	m, err := h.plan(by)
	if err != nil || !h.target.kind().Nests {
		return m, err
	}
	h.target.e.mu.Lock()
	defer h.target.e.mu.Unlock()
	return m, h.target.e.adoptInner(values, n)
}

func (h *handle) Delete(key []byte) error {
	m, err := h.plan(process)
	if err != nil {
		return err
	}
	return m.Delete(key)
}

func (h *handle) LookupAndDelete(key, value []byte, flags uint64) error {
	if flags&^unix.BPF_F_LOCK != 0 { // which is said before the handle is looked at
		return unix.EINVAL
	}
	m, err := h.plan(process)
	if err != nil {
		return err
	}
	return h.pop(value, func() error { return m.LookupAndDelete(key, value, flags) })
}

// LookupAndDeleteBatch goes on as LookupBatch does.
func (h *handle) LookupAndDeleteBatch(cur *engine.Cursor, keys, values []byte, n int) (int, error) {
	m, err := h.plan(process)
	if err != nil {
		return 0, err
	}
	t := h.target
	if t.created != nil || !t.buckets() {
		return m.LookupAndDeleteBatch(cur, keys, values, n)
	}
	if own, ok := t.own(cur); ok {
		n, err := m.LookupAndDeleteBatch(&own, keys, values, n)
		t.mark(cur, own)
		return n, err
	}
	if _, err := m.LookupAndDeleteBatch(&engine.Cursor{}, nil, nil, 0); err != nil { // it may not, or has no batches
		return 0, err
	}
	got, end := h.rest(cur, keys, values, n)
	k := int(h.info.KeySize)
	for i := range got {
		if err := m.Delete(keys[i*k : (i+1)*k]); err != nil {
			return i, err
		}
	}
	return got, end
}

func (h *handle) UpdateBatch(keys, values []byte, n int, flags uint64) (int, error) {
	m, err := h.planUpdate(values, n)
	if err != nil {
		return 0, err
	}
	return m.UpdateBatch(keys, values, n, flags)
}

func (h *handle) DeleteBatch(keys []byte, n int) (int, error) {
	m, err := h.plan(process)
	if err != nil {
		return 0, err
	}
	return m.DeleteBatch(keys, n)
}

func (h *handle) WriteAt(b []byte, offset int) error {
	m, err := h.plan(process)
	if err != nil {
		return err
	}
	return m.WriteAt(b, offset)
}

// Freeze copies no entries: they are read where they are until something is written.
func (h *handle) Freeze() error {
	t := h.target
	t.e.mu.Lock()
	defer t.e.mu.Unlock()
	if h.closed {
		return unix.EBADF
	}
	if t.e.lacks[engine.Freezing] != "" {
		return unix.EPERM
	}
	if h.real != nil {
		if err := t.adopt(h.real); err != nil {
			if forbidden, _ := h.forbidden(process); forbidden {
				return unix.EPERM
			}
			return err
		}
		if err := t.heed(h.real); err != nil {
			return err
		}
	}
	m, err := h.copied()
	if err != nil {
		return err
	}
	if err := m.Freeze(); err != nil {
		return err
	}
	t.e.plan(step{op: engine.Frozen, target: t})
	return nil
}
