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
	return value(e, "NextID", func() (uint32, error) { return e.next.NextID(id) })
}

func (e *Engine) CPUs() (int, error)              { return value(e, "CPUs", e.next.CPUs) }
func (e *Engine) Clock() (uint64, error)          { return value(e, "Clock", e.next.Clock) }
func (e *Engine) Counts() (map[uint32]int, error) { return value(e, "Counts", e.next.Counts) }
func (e *Engine) Missing(r *engine.Right) string  { return e.next.Missing(r) }
func (e *Engine) Holders() (engine.Holders, error) {
	return value(e, "Holders", e.next.Holders)
}
func (e *Engine) Pinnable(path string) error {
	return e.try("Pinnable", func() error { return e.next.Pinnable(path) })
}

func (e *Engine) Unpin(path string) error {
	return e.try("Unpin", func() error { return e.next.Unpin(path) })
}

// open wraps the map that an operation has opened.
func (e *Engine) open(op string, do func() (engine.Map, error)) (engine.Map, error) {
	m, err := value(e, op, do)
	if err != nil {
		return nil, err
	}
	return &faulty{m, e}, nil
}

// try does an operation, if it is not the one that fails.
func (e *Engine) try(op string, do func() error) error {
	if err := e.call(op); err != nil {
		return err
	}
	return do()
}

// value is try for an operation that has a result.
func value[T any](e *Engine, op string, do func() (T, error)) (result T, err error) {
	if err := e.call(op); err != nil {
		return result, err
	}
	return do()
}
