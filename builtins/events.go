package builtins

import (
	"context"
	"fmt"
	"io"
	"time"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/runtime"
	"bpfsh/runtime/method"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"
)

const (
	eventsParams = "type=None, max=None, timeout=None, idle=None, consume=False, backlog=False, buffer=65536, force=False"
	eventsDoc    = "The events that programs send through a map, as they come.\n" +
		"Of a ringbuf it takes nothing, and whoever consumes the events still gets each of them: it begins with the next one, or with backlog=True with those " +
		"that were not consumed, and counts in .lost what was written over before it was read; of a ring that has no room for more it warns. With consume=True it is the consumer, and each event is " +
		"freed when the loop has it. A perf_event_array can only be read with consume=True, which takes the place of whoever reads it, for good, when the loop begins; its events come " +
		"in the order of time as far as they are there, and have up to 7 bytes of no meaning behind them; buffer is the size of each CPU's buffer. " +
		"type is what an event is, a type or its spelling, such as \"struct event\" by its name in the program; what stands behind it in an event is left " +
		"out, and an event that is shorter is an error. Without type an event is bytes. The loop ends after max events, when timeout is over, or when " +
		"nothing came for as long as idle says; it goes on behind the last event if it is begun again. At the prompt a loop asks before it consumes, unless force."
)

// The same row twice: a map's events are found among its methods, and stand beside show and top as a function.
var (
	eventsFunctions = []method.Row[*Library]{{
		Name: "events", Params: "m, " + eventsParams, Doc: eventsDoc,
		Example: `ring = create("ringbuf", max_entries=4096)
T = typeof("struct { u32 pid; comm comm; }")
for e in events(ring, type=T, idle="10ms"):
    print(e.pid, e.comm)
show(events(ring, max=100, timeout=0.01), format="jsonl")`,
		Run: func(_ *Library, c method.Call) (starlark.Value, error) {
			m, err := mapArg(c, 0, "m")
			if err != nil {
				return nil, err
			}
			if m == nil {
				return nil, c.Bad("m", c.Args[0], "a map")
			}
			c.Args = c.Args[1:]
			return m.events(c)
		},
	}}
	eventsMethods = []method.Row[*Map]{{
		Name: "events", Params: eventsParams, Doc: eventsDoc,
		Example: `ring = create("ringbuf", max_entries=4096)
ring.kernel.output(b"hello")
print(list(ring.events(consume=True, max=1)))`,
		Run: (*Map).events,
	}}
)

// The places of the parameters of events.
const (
	eventsType = iota
	eventsMax
	eventsTimeout
	eventsIdle
	eventsConsume
	eventsBacklog
	eventsBuffer
	eventsForce
)

func (m *Map) events(c method.Call) (starlark.Value, error) {
	if !m.kind.Has(c.Name) {
		return nil, m.fail(c.Name, nil, errNotForType)
	}
	e := &Events{m: m, timed: given(c, eventsTimeout), patient: !given(c, eventsIdle), from: engine.Newest, buffer: 1 << 16}
	var err error
	if given(c, eventsType) {
		if e.typ, err = typeArg(c, m.lib.known(m.raw), eventsType, "type"); err != nil {
			return nil, err
		}
	}
	if e.max, err = c.Positive(eventsMax, "max"); err != nil {
		return nil, err
	}
	for i, to := range map[int]*time.Duration{eventsTimeout: &e.timeout, eventsIdle: &e.idle} {
		if given(c, i) {
			if *to, err = c.Duration(i, [...]string{eventsTimeout: "timeout", eventsIdle: "idle"}[i]); err != nil {
				return nil, err
			}
		}
	}
	if e.consume, err = c.Bool(eventsConsume, "consume"); err != nil {
		return nil, err
	}
	backlog, err := c.Bool(eventsBacklog, "backlog")
	if err != nil {
		return nil, err
	}
	if backlog {
		e.from = engine.Backlog
	}
	if c.Args[eventsBuffer] != nil {
		const least = 4096
		n, err := c.Uint32(eventsBuffer, "buffer")
		if err != nil {
			return nil, err
		}
		if n < least || n&(n-1) != 0 || n > 1<<30 {
			return nil, c.Bad("buffer", c.Args[eventsBuffer], "a power of two, from 4096")
		}
		e.buffer = int(n)
	}
	if m.kind.Keyed() && !e.consume {
		return nil, fmt.Errorf("%s: %s: of each CPU's events there is one reader alone: consume=True takes the place of who reads them now, which cannot be given back", c.Name, m.label())
	}
	if _, err := c.Bool(eventsForce, "force"); err != nil {
		return nil, err
	}
	if e.consume {
		e.confirm = func() error {
			return m.confirm(c, eventsForce, func() string {
				if m.kind.Keyed() {
					return "take the place of who reads the events of " + m.labelID() + ", for good?"
				}
				return "consume the events of " + m.labelID() + ", which nobody else gets then?"
			})
		}
	}
	if err := e.open(); err != nil { // so that it says at once what is not permitted
		return nil, err
	}
	return e, nil
}

// eventIterator is one loop over events.
type eventIterator struct {
	e     *Events
	ctx   context.Context
	given int
	until time.Time // the loop ends then; zero if it has no such end
	since time.Time // of the last event, or of the beginning; zero before that
	flush func() error
}

// Iterate begins a loop.
func (e *Events) Iterate() starlark.Iterator { return e.loop(nil) }

// loop is Iterate with what is to be done before it waits.
func (e *Events) loop(flush func() error) *eventIterator {
	return &eventIterator{e: e, ctx: runtime.Context(e.m.thread), flush: flush}
}

func (it *eventIterator) Next(p *starlark.Value) bool {
	v, err := it.next()
	if err == io.EOF {
		return false
	}
	if err != nil {
		it.Done() // which is not called behind a failure
		runtime.Raise(it.e.m.thread, "events", err)
	}
	*p = v
	return true
}

// Done gives up what is mapped; a loop that is begun again maps it again.
func (it *eventIterator) Done() { it.e.close() }

// next is the next event; io.EOF: the loop is at its end.
func (it *eventIterator) next() (starlark.Value, error) {
	e := it.e
	if e.max > 0 && it.given == e.max {
		return nil, io.EOF
	}
	for waited := false; ; waited = true {
		if it.ctx.Err() != nil {
			return nil, context.Cause(it.ctx)
		}
		if err := e.begin(); err != nil {
			return nil, err
		}
		if it.since.IsZero() { // an answer takes its time
			it.since = time.Now()
			if e.timed {
				it.until = it.since.Add(e.timeout)
			}
		}
		// With a timeout of 0 the loop ends where nothing is there; a longer one ends it also where something always is.
		if e.timeout > 0 && !time.Now().Before(it.until) {
			return nil, io.EOF
		}
		v, err := e.take()
		if err == nil {
			it.given++
			if !e.patient {
				it.since = time.Now()
			}
			return v, nil
		}
		if err != unix.EAGAIN {
			return nil, err
		}
		if err := it.wait(!waited); err != nil {
			return nil, err
		}
	}
}

// wait waits for an event, but not for long: it has to look whether the run was stopped, and a program may keep the kernel
// from waking us. first says that there was none for the first time.
func (it *eventIterator) wait(first bool) error {
	e, most := it.e, 20*time.Millisecond
	now := time.Now()
	if e.timed {
		most = min(most, it.until.Sub(now))
	}
	if !e.patient {
		most = min(most, it.since.Add(e.idle).Sub(now))
	}
	if most <= 0 {
		return io.EOF
	}
	if first { // what was printed is to be read while nothing comes
		if it.flush != nil {
			if err := it.flush(); err != nil {
				return err
			}
		}
		if err := e.m.lib.display.flush(); err != nil {
			return err
		}
	}
	return e.m.explain("events", nil, e.raw.Wait(most))
}

var _ render.Live = (*Events)(nil)

// Live are the events as rows.
func (e *Events) Live(flush func() error) (render.Rows, error) {
	return &eventRows{it: e.loop(flush), before: e.missed()}, nil
}

type eventRows struct {
	it     *eventIterator
	before engine.Missed
	row    [1]starlark.Value
}

func (r *eventRows) Columns() []render.Column {
	if t := r.it.e.typ; t != nil {
		return []render.Column{head("", layout.Slot{Type: t})}
	}
	return []render.Column{{}}
}

func (r *eventRows) Next() ([]starlark.Value, error) {
	v, err := r.it.next()
	r.row[0] = v
	return r.row[:], err
}

// Close tells what was missed: who is shown events has no place to look for it.
func (r *eventRows) Close() error {
	r.it.Done()
	e := r.it.e
	missed, warn := e.missed(), e.m.lib.display.Warn
	if n := missed.Amount - r.before.Amount; n > 0 && warn != nil {
		what := "byte"
		if e.m.kind.Keyed() {
			what = "event"
		}
		warn(fmt.Sprintf("events: %s: missed %s in %s", e.m.label(), method.Counted(int(n), what), method.Counted(int(missed.Times-r.before.Times), "overrun")))
	}
	return nil
}
