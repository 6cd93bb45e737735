package builtins

import (
	"context"

	"bpfsh/builtins/engine"
	"bpfsh/runtime/render"

	"golang.org/x/sys/unix"
)

// progress tells somebody at a terminal how far an operation is; nil, which tells nobody, where there is none.
func (l *Library) progress(what string, total func() int) *render.Progress {
	if l.display.Progress == nil {
		return nil
	}
	p := l.display.Progress()
	if p != nil {
		p.What = what
		p.Start(total)
	}
	return p
}

// task is an operation on many entries of a map, in steps.
type task struct {
	*render.Progress
	stop func(int) error
	at   int
}

// task begins one. total is how many entries there are; nil, or 0 of it, if that is not known. The task is to be Done.
func (m *Map) task(ctx context.Context, op string, total func() int) *task {
	return &task{Progress: m.lib.progress(op, total), stop: m.stop(ctx)}
}

// next is what engine.UpdateAll and DeleteAll ask between their steps.
func (t *task) next(at int) error {
	t.Add(at - t.at)
	t.at = at
	return t.stop(at)
}

// stop says whether work on many entries has to end between two steps: because the run does, or the map was closed.
func (m *Map) stop(ctx context.Context) func(int) error {
	return func(int) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if m.closed {
			return unix.EBADF
		}
		return nil
	}
}

// total is how many entries there are, if that is known at once; 0 if it is not.
func (m *Map) total() int {
	if m.held != nil {
		return m.held.N
	}
	if m.kind.Shape == engine.Indexed {
		return int(m.info.MaxEntries)
	}
	n, _ := m.counted()
	return n
}
