package faulttest

import (
	"bpfsh/builtins/engine"
)

func (e *Engine) Program(id uint32) (engine.Handle, engine.Program, error) {
	return e.program("Program", func() (engine.Handle, engine.Program, error) { return e.next.Program(id) })
}

func (e *Engine) ProgramPin(path string) (engine.Handle, engine.Program, error) {
	return e.program("ProgramPin", func() (engine.Handle, engine.Program, error) { return e.next.ProgramPin(path) })
}

func (e *Engine) program(op string, do func() (engine.Handle, engine.Program, error)) (engine.Handle, engine.Program, error) {
	var p engine.Program
	h, err := value(e, nil, op, func() (h engine.Handle, err error) {
		h, p, err = do()
		return h, err
	})
	return h, p, err
}

func (e *Engine) NextProgram(id uint32) (uint32, error) {
	return value(e, nil, "NextProgram", func() (uint32, error) { return e.next.NextProgram(id) })
}

func (e *Engine) Path(path string) (engine.Handle, error) {
	return value(e, nil, "Path", func() (engine.Handle, error) { return e.next.Path(path) })
}

func (e *Engine) Process(pid uint32) (engine.Handle, error) {
	return value(e, nil, "Process", func() (engine.Handle, error) { return e.next.Process(pid) })
}

func (e *Engine) Descriptor(pid, fd uint32) (engine.Handle, error) {
	return value(e, nil, "Descriptor", func() (engine.Handle, error) { return e.next.Descriptor(pid, fd) })
}
