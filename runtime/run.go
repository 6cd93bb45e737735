package runtime

import (
	"context"
	"errors"
	"math"
	"time"

	"go.starlark.net/starlark"
)

const contextKey = "context"

// Context is done when the run that the thread is in has to end. What takes long asks it; context.Cause says why.
func Context(thread *starlark.Thread) context.Context {
	if ctx, ok := thread.Local(contextKey).(context.Context); ok {
		return ctx
	}
	return context.Background()
}

// Context is done when what runs has to end. It is for the goroutine that scripts run on.
func (s *Session) Context() context.Context { return Context(s.thread) }

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

// limits are what a run may use.
type limits struct {
	time  time.Duration // 0: as long as it likes
	steps uint64        // 0: as many as it likes
}

// begin makes what Interrupt ends, or takes what is there: the sequence that a run is in.
func (s *Session) begin() (ctx context.Context, end func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running != nil {
		return s.running, func() {}
	}
	s.running, s.cancel = context.WithCancelCause(context.Background())
	s.runs++
	return s.running, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.cancel(nil)
		s.running, s.cancel = nil, nil
		s.thread.SetLocal(contextKey, nil)
		s.thread.Uncancel()
		s.calm()
	}
}

// Runs is how many runs have begun; a sequence is one, and what follows on a Breakable that was broken. It may be called from any goroutine.
func (s *Session) Runs() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.runs
}

// Sequence calls f, and an interrupt ends all the runs that f makes: also one that comes between two of them. The
// context is done then.
func (s *Session) Sequence(f func(context.Context) error) error {
	ctx, end := s.begin()
	defer end()
	return f(ctx)
}

// run makes one run of f, up to a flushed output.
func (s *Session) run(l limits, f func() error) error {
	ctx, end := s.begin()
	defer end()
	if cause := context.Cause(ctx); cause != nil {
		return &Stopped{Cause: cause}
	}
	limit := uint64(math.MaxUint64)
	if l.steps > 0 {
		limit = s.thread.ExecutionSteps() + l.steps
	}
	s.thread.SetMaxExecutionSteps(limit)
	if l.time > 0 {
		timer := time.AfterFunc(l.time, func() { s.Interrupt(ErrTimeout) })
		defer timer.Stop()
	}
	s.thread.SetLocal(contextKey, ctx)
	err := guard(f)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = &Stopped{Cause: cause, err: err}
	}
	return errors.Join(err, s.Flush())
}

func (s *Session) limits() limits { return limits{s.cfg.Timeout, s.cfg.MaxSteps} }

// ErrBreak is, for errors.Is, why somebody at a terminal interrupts: they have seen enough.
var ErrBreak = errors.New("interrupted")

const sessionKey = "session"

// Breakable calls f, which goes on until somebody has seen enough. An interrupt that is an ErrBreak ends f alone: f's
// context is done then, its error is dropped, and the run goes on. Any other interrupt ends the run, as ever.
func Breakable(thread *starlark.Thread, f func(context.Context) error) error {
	s, ok := thread.Local(sessionKey).(*Session)
	if !ok {
		return f(Context(thread))
	}
	ctx, end := s.beginBreakable()
	err := guard(func() error { return f(ctx) })
	if end() {
		return nil
	}
	return err
}

// beginBreakable makes what an ErrBreak ends. end says whether one did.
func (s *Session) beginBreakable() (ctx context.Context, end func() (broken bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	outer, before := Context(s.thread), s.breaks
	ctx, cancel := context.WithCancelCause(outer)
	s.breaks = cancel
	s.thread.SetLocal(contextKey, ctx)
	return ctx, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		broken := ctx.Err() != nil && outer.Err() == nil
		cancel(nil)
		s.breaks = before
		s.thread.SetLocal(contextKey, outer)
		if broken {
			s.runs++ // what was interrupted has ended
			s.thread.Uncancel()
			s.calm()
		}
		return broken
	}
}

// calm ends the wait for a run to end that was interrupted. The caller holds mu.
func (s *Session) calm() {
	if s.stuck != nil {
		s.stuck.Stop()
		s.stuck = nil
	}
}

// Interrupt ends the run for the reason that cause gives. It may be called from any goroutine, and says whether
// something was running.
func (s *Session) Interrupt(cause error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		return false
	}
	if s.breaks != nil && errors.Is(cause, ErrBreak) {
		s.breaks(cause)
	} else {
		s.cancel(cause)
	}
	s.thread.Cancel(cause.Error())
	if s.stuck == nil && s.cfg.Stuck != nil {
		s.stuck = time.AfterFunc(patience, func() { s.cfg.Stuck(cause) })
	}
	return true
}
