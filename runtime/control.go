package runtime

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

var controlFunctions = []method.Row[*Session]{{
	Name:   "catch",
	Params: "fn, *args, **kwargs",
	Doc: "Call fn and return (value, error): one of the two is None.\n" +
		"An error has .message, .errno (\"ENOENT\"), .op, .map, .key, .count (entries done before a batch stopped) and .hint, " +
		"each None where there is nothing to say; str(error) is the message.\n" +
		"Interrupts, limits, exit() and internal errors pass through.",
	Example: `_, err = catch(m.update, "10.0.0.1", (1, 60), BPF_NOEXIST)
if err and err.errno != "EEXIST":
    fail(err.message)
flow, err = catch(lambda: m["10.0.0.9"])    # an operator wants a lambda`,
	Run: (*Session).catch,
}, {
	Name:   "defer",
	Params: "fn, *args, **kwargs",
	Doc: "Call fn when the script has ended, however it ended.\n" +
		"It runs after an error, exit() and an interrupt too. What was deferred last runs first.",
	Example: `m.pin("/sys/fs/bpf/job")
defer(m.unpin, "/sys/fs/bpf/job")    # the function and its arguments`,
	Run: (*Session).deferCall,
}, {
	Name:   "exit",
	Params: "status=0",
	Doc:    "End the script with an exit status from 0 to 255.\nDeferred calls still run.",
	Example: `if "10.0.0.9" not in m:
    warn("10.0.0.9 has no entry")
    exit(4)    # 1 to 3 are bpfsh's own`,
	Run: func(s *Session, c method.Call) (starlark.Value, error) {
		n, err := c.Uint(0, "status", 255)
		if err != nil {
			return nil, err
		}
		return nil, &Exit{int(n)}
	},
}, {
	Name:    "warn",
	Params:  "*args, sep=\" \"",
	Doc:     "Print the arguments to standard error.",
	Example: `warn("flows:", m.count(), "of", m.max_entries)`,
	Run: func(s *Session, c method.Call) (starlark.Value, error) {
		sep := " "
		if c.Args[0] != nil {
			var err error
			if sep, err = c.String(0, "sep"); err != nil {
				return nil, err
			}
		}
		text := ""
		for i, v := range c.Rest {
			if i > 0 {
				text += sep
			}
			if s, ok := starlark.AsString(v); ok {
				text += s
			} else {
				text += v.String()
			}
		}
		s.Warn(text)
		return starlark.None, nil
	},
}}

// Exit is the error that exit() ends a script with.
type Exit struct{ Status int }

func (e *Exit) Error() string   { return fmt.Sprintf("exit status %d", e.Status) }
func (e *Exit) ExitStatus() int { return e.Status }

// passes says whether err is none of catch's business.
func passes(thread *starlark.Thread, err error) bool {
	var exit *Exit
	var internal *InternalError
	return Context(thread).Err() != nil || errors.As(err, &exit) || errors.As(err, &internal)
}

func (s *Session) catch(c method.Call) (starlark.Value, error) {
	var v starlark.Value
	err := guard(func() (err error) {
		v, err = starlark.Call(c.Thread, c.Args[0], c.Rest, c.More)
		return err
	})
	switch {
	case err == nil:
		return starlark.Tuple{v, starlark.None}, nil
	case passes(c.Thread, err):
		return nil, err
	}
	return starlark.Tuple{starlark.None, &Caught{err}}, nil
}

// Detailed is an error with more to say than its text.
type Detailed interface {
	error
	// Detail is an attribute of the error as a script sees it: one of errno, op, map, key, count and hint. nil
	// is None.
	Detail(name string) starlark.Value
}

// Caught is an error as a value, in the hands of a script.
type Caught struct{ err error }

var _ starlark.HasAttrs = (*Caught)(nil)

func (e *Caught) String() string        { return message(e.err) }
func (e *Caught) Type() string          { return "error" }
func (e *Caught) Freeze()               {}
func (e *Caught) Truth() starlark.Bool  { return true }
func (e *Caught) Hash() (uint32, error) { return method.HashString(message(e.err)), nil }
func (e *Caught) AttrNames() []string   { return caughtTable.Names() }

func (e *Caught) Attr(name string) (starlark.Value, error) { return caughtTable.Attr(e, name) }

func (e *Caught) detail(name string) (starlark.Value, error) {
	var d Detailed
	if errors.As(e.err, &d) {
		if v := d.Detail(name); v != nil {
			return v, nil
		}
	}
	return starlark.None, nil
}

// message is what an error says, without the way it came.
func message(err error) string {
	var e *starlark.EvalError
	if errors.As(err, &e) {
		return e.Msg
	}
	return err.Error()
}

func caughtDetail(name, doc string) method.Attr[*Caught] {
	return method.Attr[*Caught]{Name: name, Doc: doc, Get: func(e *Caught) (starlark.Value, error) { return e.detail(name) }}
}

var caughtAttrs = []method.Attr[*Caught]{
	{Name: "message", Doc: "What went wrong, in one line.", Get: func(e *Caught) (starlark.Value, error) { return starlark.String(message(e.err)), nil }},
	caughtDetail("errno", "The kernel's name for the error, such as \"ENOENT\"."),
	caughtDetail("op", "The operation that failed, such as \"update\"."),
	caughtDetail("map", "The map it failed on."),
	caughtDetail("key", "The key it failed at."),
	caughtDetail("count", "The entries that were done before an operation on many stopped."),
	caughtDetail("hint", "What may help."),
}

var caughtTable = method.NewTable[*Caught]("error", caughtAttrs)

// CaughtEntries is what error values say about themselves.
func CaughtEntries() []method.Entry { return method.AttrEntries(caughtAttrs) }

type deferredCall struct {
	from   string // the file that has deferred it
	fn     starlark.Value
	args   starlark.Tuple
	kwargs []starlark.Tuple
}

func (d *deferredCall) call(s *Session, thread *starlark.Thread) (starlark.Value, error) {
	s.deferredBy = d.from
	return starlark.Call(thread, d.fn, d.args, d.kwargs)
}

func (s *Session) deferCall(c method.Call) (starlark.Value, error) {
	if _, ok := c.Args[0].(starlark.Callable); !ok {
		return nil, c.Bad("fn", c.Args[0], "a function")
	}
	s.deferred = append(s.deferred, deferredCall{s.callerFile(c.Thread), c.Args[0], slices.Clone(c.Rest), slices.Clone(c.More)})
	return starlark.None, nil
}

// Finish runs what was deferred, last first. Each call is a run of its own, which can be interrupted; all run,
// whatever becomes of the others, until their limits are used up. The errors are joined.
func (s *Session) Finish() error {
	var errs []error
	left, start, steps := s.limits(), time.Now(), s.thread.ExecutionSteps()
	for len(s.deferred) > 0 {
		if s.cfg.Timeout > 0 {
			left.time = max(1, s.cfg.Timeout-time.Since(start))
		}
		if used := s.thread.ExecutionSteps() - steps; s.cfg.MaxSteps > 0 {
			left.steps = max(1, s.cfg.MaxSteps-min(used, s.cfg.MaxSteps))
		}
		d := s.deferred[len(s.deferred)-1]
		s.deferred = s.deferred[:len(s.deferred)-1]
		err := s.run(left, func() error {
			_, err := d.call(s, s.thread)
			return err
		})
		errs = append(errs, err)
		if n := len(s.deferred); n > 0 && (errors.Is(err, ErrTimeout) || errors.Is(err, ErrSteps)) {
			s.deferred = nil
			errs = append(errs, fmt.Errorf("deferred calls that did not run: %d", n))
		}
	}
	return errors.Join(errs...)
}
