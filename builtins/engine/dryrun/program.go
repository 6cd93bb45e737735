package dryrun

import (
	"bpfsh/builtins/engine"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// thereFor is there for a program that reads. One on the real map is loaded, and answers itself.
func (h *handle) thereFor(op string) (engine.Map, error) {
	m, err := h.there()
	if err == nil && m != h.real {
		err = h.loads(op)
	}
	return m, err
}

// planFor is plan for a program that writes.
func (h *handle) planFor(op string) (engine.Map, error) {
	if !h.info.ReadOnly { // which is said before a program is loaded
		if err := h.loads(op); err != nil {
			return nil, err
		}
	}
	return h.plan(program)
}

// loads says why the program of an operation would not be loaded, where it is for want of a capability. The memory that it
// works with wants one too, and is made before.
func (h *handle) loads(op string) error {
	e, kind := h.target.e, h.target.kind()
	if h.closed || len(e.lacks) == 0 {
		return nil
	}
	_, value := h.kept().Types()
	lock := lockAt(value)
	right := kind.Running(lock, false)
	if e.lacks[engine.Running] == "" {
		if right = kind.Running(lock, op == "items" || op == "count"); !kind.ProgramHas(op) {
			return nil
		}
	}
	if lacks := e.lacks[right]; lacks != "" {
		return &engine.LoadError{Errno: unix.EPERM, Missing: lacks}
	}
	return nil
}

// lockAt is where the spin lock of a value is; -1: it has none.
func lockAt(t btf.Type) int {
	if t == nil {
		return -1
	}
	if s, ok := btf.UnderlyingType(t).(*btf.Struct); ok {
		for _, m := range s.Members {
			if lock, ok := btf.UnderlyingType(m.Type).(*btf.Struct); ok && lock.Name == "bpf_spin_lock" {
				return int(m.Offset.Bytes())
			}
		}
	}
	return -1
}

func (h *handle) ProgramLookup(key, value []byte, cpu int) error {
	m, err := h.thereFor("lookup")
	if err != nil {
		return err
	}
	return m.ProgramLookup(key, value, cpu)
}

func (h *handle) ProgramLookupPerCPU(key, value []byte, cpu int) error {
	m, err := h.thereFor("lookup_percpu")
	if err != nil {
		return err
	}
	return m.ProgramLookupPerCPU(key, value, cpu)
}

func (h *handle) ProgramPeek(value []byte) error {
	m, err := h.thereFor("peek")
	if err != nil {
		return err
	}
	err = h.peek(func() error { return m.ProgramPeek(value) })
	if err == unix.ENOENT && h.target.kind().Shape == engine.Members && h.real != nil && m != h.real {
		err = h.real.ProgramPeek(value)
	}
	return err
}

func (h *handle) ProgramCount() (int, error) {
	m, err := h.thereFor("count")
	if err != nil {
		return 0, err
	}
	return m.ProgramCount()
}

func (h *handle) ProgramEntries(cpu int) (engine.Batch, error) {
	m, err := h.thereFor("items")
	if err != nil {
		return engine.Batch{}, err
	}
	return m.ProgramEntries(cpu)
}

func (h *handle) ProgramUpdate(key, value []byte, flags uint64, cpu int) error {
	m, err := h.planFor("update")
	if err != nil {
		return err
	}
	return m.ProgramUpdate(key, value, flags, cpu)
}

func (h *handle) ProgramDelete(key []byte) error {
	m, err := h.planFor("delete")
	if err != nil {
		return err
	}
	return m.ProgramDelete(key)
}

func (h *handle) ProgramPush(value []byte, flags uint64) error {
	m, err := h.planFor("push")
	if err != nil {
		return err
	}
	return h.push(value, flags, func() error { return m.ProgramPush(value, flags) })
}

func (h *handle) ProgramPop(value []byte) error {
	m, err := h.planFor("pop")
	if err != nil {
		return err
	}
	return h.pop(value, func() error { return m.ProgramPop(value) })
}

func (h *handle) ProgramAdd(key []byte, offset, size int, n uint64, cpu int) (sum uint64, told bool, err error) {
	m, err := h.planFor("add")
	if err != nil {
		return 0, false, err
	}
	return m.ProgramAdd(key, offset, size, n, cpu)
}
