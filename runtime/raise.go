package runtime

import (
	"fmt"
	"runtime/debug"

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

// guard runs f, and turns a failure into its error and any other panic into an InternalError. It stands in three
// places: around a run, in catch, and in Breakable.
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
