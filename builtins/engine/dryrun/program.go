package dryrun

import (
	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

func (h *handle) ProgramLookup(key, value []byte, cpu int) error {
	m, err := h.there()
	if err != nil {
		return err
	}
	return m.ProgramLookup(key, value, cpu)
}

func (h *handle) ProgramLookupPerCPU(key, value []byte, cpu int) error {
	m, err := h.there()
	if err != nil {
		return err
	}
	return m.ProgramLookupPerCPU(key, value, cpu)
}

func (h *handle) ProgramPeek(value []byte) error {
	m, err := h.there()
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
	m, err := h.there()
	if err != nil {
		return 0, err
	}
	return m.ProgramCount()
}

func (h *handle) ProgramEntries(cpu int) (engine.Batch, error) {
	m, err := h.there()
	if err != nil {
		return engine.Batch{}, err
	}
	return m.ProgramEntries(cpu)
}

func (h *handle) ProgramUpdate(key, value []byte, flags uint64, cpu int) error {
	m, err := h.plan(program)
	if err != nil {
		return err
	}
	return m.ProgramUpdate(key, value, flags, cpu)
}

func (h *handle) ProgramDelete(key []byte) error {
	m, err := h.plan(program)
	if err != nil {
		return err
	}
	return m.ProgramDelete(key)
}

func (h *handle) ProgramPush(value []byte, flags uint64) error {
	m, err := h.plan(program)
	if err != nil {
		return err
	}
	return h.push(value, flags, func() error { return m.ProgramPush(value, flags) })
}

func (h *handle) ProgramPop(value []byte) error {
	m, err := h.plan(program)
	if err != nil {
		return err
	}
	return h.pop(value, func() error { return m.ProgramPop(value) })
}

func (h *handle) ProgramAdd(key []byte, offset, size int, n uint64, cpu int) (sum uint64, told bool, err error) {
	m, err := h.plan(program)
	if err != nil {
		return 0, false, err
	}
	return m.ProgramAdd(key, offset, size, n, cpu)
}
