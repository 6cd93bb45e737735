package runtime

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"go.starlark.net/starlark"
)

// failure is the one panic that means a script's error: an iterator's Next has no other way to fail.
type failure struct {
	err error              // an *EvalError: it knows the line of the loop
	top *starlark.Function // the outermost frame; its globals outlive the failure
}

// Raise makes err the failure of the loop that the thread is in. It is for a starlark.Iterator's Next, which
// could otherwise only end the loop as if all were well. It does not return: it unwinds to the run, or to catch.
//
// op stands in the traceback for what has failed.
func Raise(thread *starlark.Thread, op string, err error) {
	// A call of a builtin that fails gives an error with the call stack and, within, err itself.
	fail := starlark.NewBuiltin(op, func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
		return nil, err
	})
	_, err = starlark.Call(thread, fail, nil, nil)
	var top *starlark.Function
	if n := thread.CallStackDepth(); n > 0 {
		top, _ = thread.DebugFrame(n - 1).Callable().(*starlark.Function)
	}
	panic(failure{err, top})
}

// guard runs f, and turns a failure into its error and any other panic into an InternalError. It stands in two
// places: around a run, and in catch.
func guard(f func() error) (err error) {
	defer func() {
		switch x := recover().(type) {
		case nil:
		case failure:
			err = x.err
		default:
			err = &InternalError{x, debug.Stack()}
		}
	}()
	return f()
}

// InternalError is a bug in bpfsh, or in what it is made of.
type InternalError struct {
	Panic any
	Stack []byte
}

func (e *InternalError) Error() string { return fmt.Sprintf("internal error: %v", e.Panic) }

const contextKey = "context"

// Context is done when the run that the thread is in has to end. What takes long asks it; context.Cause says why.
func Context(thread *starlark.Thread) context.Context {
	if ctx, ok := thread.Local(contextKey).(context.Context); ok {
		return ctx
	}
	return context.Background()
}

// Why a run can be stopped, beside a signal.
var (
	ErrTimeout = errors.New("the time limit was reached")
	ErrSteps   = errors.New("the step limit was reached")
)

// Stopped is the error of a run that was interrupted.
type Stopped struct {
	Cause error // what Interrupt was given
	err   error // what the run had come to; nil if it did not begin
}

func (e *Stopped) Error() string   { return e.Cause.Error() }
func (e *Stopped) Unwrap() []error { return []error{e.Cause, e.err} }

// Interrupt ends the run for the reason that cause gives. It may be called from any goroutine, and says whether
// something was running.
func (s *Session) Interrupt(cause error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		return false
	}
	s.cancel(cause)
	s.thread.Cancel(cause.Error())
	if s.stuck == nil && s.cfg.Stuck != nil {
		s.stuck = time.AfterFunc(patience, func() { s.cfg.Stuck(cause) })
	}
	return true
}
