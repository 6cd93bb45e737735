package faulttest

import (
	"bpfsh/builtins/engine"
)

func (m *faulty) ProgramLookup(key, value []byte, cpu int) error {
	return m.e.try(m.Info(), "ProgramLookup", func() error { return m.next.ProgramLookup(key, value, cpu) })
}

func (m *faulty) ProgramLookupPerCPU(key, value []byte, cpu int) error {
	return m.e.try(m.Info(), "ProgramLookupPerCPU", func() error { return m.next.ProgramLookupPerCPU(key, value, cpu) })
}

func (m *faulty) ProgramPeek(value []byte) error {
	return m.e.try(m.Info(), "ProgramPeek", func() error { return m.next.ProgramPeek(value) })
}

func (m *faulty) ProgramCount() (int, error) {
	return value(m.e, m.Info(), "ProgramCount", m.next.ProgramCount)
}

func (m *faulty) ProgramEntries(cpu int) (engine.Batch, error) {
	return value(m.e, m.Info(), "ProgramEntries", func() (engine.Batch, error) { return m.next.ProgramEntries(cpu) })
}

func (m *faulty) ProgramUpdate(key, value []byte, flags uint64, cpu int) error {
	return m.e.try(m.Info(), "ProgramUpdate", func() error { return m.next.ProgramUpdate(key, value, flags, cpu) })
}

func (m *faulty) ProgramDelete(key []byte) error {
	return m.e.try(m.Info(), "ProgramDelete", func() error { return m.next.ProgramDelete(key) })
}

func (m *faulty) ProgramPush(value []byte, flags uint64) error {
	return m.e.try(m.Info(), "ProgramPush", func() error { return m.next.ProgramPush(value, flags) })
}

func (m *faulty) ProgramPop(value []byte) error {
	return m.e.try(m.Info(), "ProgramPop", func() error { return m.next.ProgramPop(value) })
}

func (m *faulty) ProgramOutput(record []byte, cpu int) error {
	return m.e.try(m.Info(), "ProgramOutput", func() error { return m.next.ProgramOutput(record, cpu) })
}

func (m *faulty) ProgramAdd(key []byte, offset, size int, n uint64, cpu int) (sum uint64, told bool, err error) {
	sum, err = value(m.e, m.Info(), "ProgramAdd", func() (sum uint64, err error) {
		sum, told, err = m.next.ProgramAdd(key, offset, size, n, cpu)
		return sum, err
	})
	return sum, told, err
}
