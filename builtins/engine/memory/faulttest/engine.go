package faulttest

import (
	"bpfsh/builtins/engine"
)

var _ engine.Engine = (*Engine)(nil)

func (e *Engine) Create(spec engine.Spec) (engine.Map, error) {
	return e.open("Create", func() (engine.Map, error) { return e.next.Create(spec) })
}

func (e *Engine) OpenID(id uint32, readonly bool) (engine.Map, error) {
	return e.open("OpenID", func() (engine.Map, error) { return e.next.OpenID(id, readonly) })
}

func (e *Engine) OpenPin(path string, readonly bool) (engine.Map, error) {
	return e.open("OpenPin", func() (engine.Map, error) { return e.next.OpenPin(path, readonly) })
}

func (e *Engine) NextID(id uint32) (uint32, error) {
	return value(e, nil, "NextID", func() (uint32, error) { return e.next.NextID(id) })
}

func (e *Engine) CPUs() (int, error)              { return value(e, nil, "CPUs", e.next.CPUs) }
func (e *Engine) Clock() (uint64, error)          { return value(e, nil, "Clock", e.next.Clock) }
func (e *Engine) Counts() (map[uint32]int, error) { return value(e, nil, "Counts", e.next.Counts) }
func (e *Engine) Missing(r *engine.Right) string  { return e.next.Missing(r) }
func (e *Engine) Holders() (engine.Holders, error) {
	return value(e, nil, "Holders", e.next.Holders)
}
func (e *Engine) Pinnable(path string, replace bool) (string, error) {
	return value(e, nil, "Pinnable", func() (string, error) { return e.next.Pinnable(path, replace) })
}

func (e *Engine) Unpin(path string) error {
	return e.try(nil, "Unpin", func() error { return e.next.Unpin(path) })
}

// open wraps the map that an operation has opened.
func (e *Engine) open(op string, do func() (engine.Map, error)) (engine.Map, error) {
	if err := e.call(op); err != nil {
		return nil, e.answer(op, nil, err)
	}
	m, err := do()
	if err != nil {
		return nil, e.answer(op, nil, err)
	}
	return &faulty{m, e}, e.answer(op, m.Info(), nil)
}

// try does an operation, if it is not the one that fails. on is the map that it is of; nil: the engine.
func (e *Engine) try(on *engine.Info, op string, do func() error) error {
	err := e.call(op)
	if err == nil {
		err = do()
	}
	return e.answer(op, on, err)
}

// value is try for an operation that has a result.
func value[T any](e *Engine, on *engine.Info, op string, do func() (T, error)) (result T, err error) {
	err = e.try(on, op, func() (err error) {
		result, err = do()
		return err
	})
	return result, err
}
