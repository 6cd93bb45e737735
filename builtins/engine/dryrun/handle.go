package dryrun

import (
	"bpfsh/builtins/engine"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// handle is one open map. It names each operation, so that one that is new does not compile without a decision.
type handle struct {
	target  *target
	info    engine.Info
	real    engine.Map // cannot write; nil: the map was made here
	planned engine.Map // on the copy, with the rights of this handle; nil until it is wanted
	closed  bool
}

var _ engine.Map = (*handle)(nil)

// there is the map that reads go to. One that is closed says so.
func (h *handle) there() (engine.Map, error) {
	h.target.e.mu.Lock()
	defer h.target.e.mu.Unlock()
	if h.closed || !h.target.filled {
		return h.kept(), nil
	}
	return h.copied()
}

// copied is the copy, which there is. The lock is held.
func (h *handle) copied() (m engine.Map, err error) {
	if h.planned == nil {
		h.planned, err = h.target.e.copies.OpenID(h.info.ID, h.info.ReadOnly)
	}
	return h.planned, err
}

func (h *handle) Info() *engine.Info { return &h.info }
func (h *handle) Value() uint32      { return h.info.ID }

// kept is where the facts are that a plan does not change.
func (h *handle) kept() engine.Map {
	if h.real != nil {
		return h.real
	}
	return h.planned
}

func (h *handle) Types() (key, value btf.Type) { return h.kept().Types() }
func (h *handle) Spec() *btf.Spec              { return h.kept().Spec() }
func (h *handle) Memory() (uint64, error)      { return h.kept().Memory() }
func (h *handle) Owner() (uint32, error)       { return h.kept().Owner() }

func (h *handle) Frozen() (bool, error) {
	h.target.e.mu.Lock()
	defer h.target.e.mu.Unlock()
	if h.closed || h.target.keeper == nil {
		return h.kept().Frozen()
	}
	if err := h.target.heed(h.real); err != nil {
		return false, err
	}
	return h.target.keeper.Frozen()
}

// Lookup asks a bloom filter for what was added here, and then for what was there.
func (h *handle) Lookup(key, value []byte, flags uint64) error {
	m, err := h.there()
	if err != nil {
		return err
	}
	switch h.target.kind().Shape {
	case engine.Members:
		err = m.Lookup(key, value, flags)
		if err == unix.ENOENT && h.real != nil && m != h.real {
			err = h.real.Lookup(key, value, flags)
		}
		return err
	case engine.Ordered:
		return h.peek(func() error { return m.Lookup(key, value, flags) })
	}
	return m.Lookup(key, value, flags)
}

// ReadAt reads a map's memory by a handle of its own until there is a copy: kernels map nothing through one that cannot
// write. Where that cannot be opened, the answer is theirs.
func (h *handle) ReadAt(b []byte, offset int) error {
	m, err := h.there()
	if err != nil {
		return err
	}
	if m != h.real || h.info.ReadOnly || h.closed || h.info.Flags&unix.BPF_F_MMAPABLE == 0 {
		return m.ReadAt(b, offset)
	}
	e := h.target.e
	e.mu.Lock()
	free, err := e.byID(h.info.ID, false)
	e.mu.Unlock()
	if err != nil {
		return m.ReadAt(b, offset)
	}
	defer free.Close()
	return free.ReadAt(b, offset)
}

func (h *handle) Close() error {
	e := h.target.e
	e.mu.Lock()
	defer e.mu.Unlock()
	if h.closed {
		return unix.EBADF
	}
	h.closed = true
	h.target.handles--
	var err error
	for _, m := range []engine.Map{h.real, h.planned} {
		if m != nil {
			if failed := m.Close(); err == nil {
				err = failed
			}
		}
	}
	if failed := h.target.hold(); err == nil {
		err = failed
	}
	return err
}
