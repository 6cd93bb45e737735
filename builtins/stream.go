package builtins

import (
	"errors"
	"fmt"
	goruntime "runtime"
	"slices"
	"time"
	"weak"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/runtime/method"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"
)

var streamAttrs = []method.Attr[*Events]{
	{Name: "count", Doc: "How many events the loops over them were given.", Get: func(e *Events) (starlark.Value, error) { return starlark.MakeUint64(e.count), nil }},
	{Name: "lost", Doc: "What was missed: bytes of a ringbuf, events of a perf_event_array.\n" +
		"How many events were written over in a ringbuf cannot be known, and what a full one has refused, its program knows alone.",
		Get: func(e *Events) (starlark.Value, error) { return starlark.MakeUint64(e.missed().Amount), nil }},
	{Name: "overruns", Doc: "How many times something was missed.", Get: func(e *Events) (starlark.Value, error) { return starlark.MakeUint64(e.missed().Times), nil }},
}

var streamMethods = []method.Row[*Events]{{
	Name: "begin",
	Doc: "Begin to consume now, and not only where a loop begins.\n" +
		"What is sent to a perf_event_array between the two is there for the loop. At the prompt it asks as the loop does.",
	Example: `ring = create("ringbuf", max_entries=4096)
e = events(ring, consume=True, idle="10ms")
e.begin()
ring.kernel.output(b"hello")
print(list(e))`,
	Run: func(e *Events, _ method.Call) (starlark.Value, error) {
		return starlark.None, e.begin()
	},
}, {
	Name: "close",
	Doc: "Give up what is open for the events, before nobody holds them any more.\n" +
		"Where a loop ends, it does the same. A loop that begins again opens it again.",
	Example: `e = events(create("ringbuf", max_entries=4096))
e.close()`,
	Run: func(e *Events, c method.Call) (starlark.Value, error) {
		return starlark.None, e.m.explain(c.Name, nil, e.close())
	},
}}

// Events is what events returns: what is open to read them, and how to.
type Events struct {
	m             *Map
	typ           *layout.Type // nil: bytes
	consume       bool
	max           int  // of one loop; 0: any number
	timed         bool // there is a timeout
	patient       bool // a loop waits however long nothing comes
	timeout, idle time.Duration
	buffer        int
	from          uint64        // where to begin
	raw           engine.Stream // nil: it is not open
	told          bool          // whether there is room was looked at
	begun         bool          // it is open, and its Begin was called
	confirm       func() error  // asks before a consumer begins; nil: it was allowed
	drop          goruntime.Cleanup
	count         uint64
	missedBefore  engine.Missed // by what is not open any more
	buf           []byte
}

var (
	_ starlark.HasAttrs = (*Events)(nil)
	_ starlark.Iterable = (*Events)(nil)
)

func (e *Events) String() string        { return "events of " + e.m.String() }
func (e *Events) Type() string          { return "events" }
func (e *Events) Freeze()               {} // as of the map
func (e *Events) Truth() starlark.Bool  { return true }
func (e *Events) Hash() (uint32, error) { return 0, errors.New("unhashable type: events") }

var streamTable = method.NewTable("events", streamAttrs, streamMethods)

func (e *Events) AttrNames() []string                      { return streamTable.Names() }
func (e *Events) Attr(name string) (starlark.Value, error) { return streamTable.Attr(e, name) }

// open opens the stream, where it is not, behind the last event that it has given.
func (e *Events) open() error {
	m := e.m
	if m.closed {
		return m.fail("events", nil, unix.EBADF)
	}
	if e.raw != nil {
		return nil
	}
	err := m.lib.retry(func() (err error) {
		if e.consume {
			e.raw, err = m.raw.Consume(e.buffer)
		} else {
			e.raw, err = m.raw.Tap(e.from)
		}
		return err
	})
	if err != nil {
		e.raw = nil
		return m.fail("events", nil, err)
	}
	e.drop = goruntime.AddCleanup(e, func(raw engine.Stream) { _ = raw.Close() }, e.raw)
	m.remember(e)
	if !e.consume && !e.told {
		e.told = true
		e.tellCrowded()
	}
	return nil
}

// tellCrowded warns of a ring buffer that nobody consumes, or not fast enough: where there is no room, nothing comes.
func (e *Events) tellCrowded() {
	m, warn := e.m, e.m.lib.display.Warn
	n, size := e.raw.Unconsumed(), m.info.MaxEntries
	if warn == nil || float64(n) < crowded*float64(size) {
		return
	}
	text := fmt.Sprintf("events: %s: %s of its %s bytes are not consumed, and programs lose what they send while there is no room", m.label(), render.Count(int(n)), render.Count(int(size)))
	if e.from != engine.Backlog {
		text += "; backlog=True shows what is there"
	}
	warn(text)
}

// begin opens the stream and, where it has not begun, begins it.
func (e *Events) begin() error {
	m := e.m
	if err := e.open(); err != nil || e.begun {
		return err
	}
	if e.confirm != nil {
		if err := e.confirm(); err != nil {
			return err
		}
		e.confirm = nil
	}
	replaced, err := e.raw.Begin()
	if err != nil {
		return m.fail("events", nil, err)
	}
	e.begun = true
	if warn := m.lib.display.Warn; replaced > 0 && warn != nil {
		warn(fmt.Sprintf("events: %s: took the place of its reader on %s, which gets no more events", m.label(), method.Counted(replaced, "CPU")))
	}
	return nil
}

// close gives the stream up, if it is open.
func (e *Events) close() error {
	if e.raw == nil {
		return nil
	}
	e.drop.Stop()
	e.missedBefore, e.from = e.missed(), e.raw.Position()
	err := e.raw.Close()
	e.raw, e.begun = nil, false
	return err
}

func (e *Events) missed() engine.Missed {
	all := e.missedBefore
	if e.raw != nil {
		now := e.raw.Missed()
		all.Times += now.Times
		all.Amount += now.Amount
	}
	return all
}

// take is the next event, which is then the script's. EAGAIN, as it is: there is none yet.
func (e *Events) take() (starlark.Value, error) {
	var err error
	if e.buf, err = e.raw.Next(e.buf[:0]); err == unix.EAGAIN {
		return nil, err
	}
	if err != nil {
		return nil, e.m.fail("events", nil, err)
	}
	v, err := e.decode(e.buf)
	if err != nil {
		return nil, err
	}
	if err := e.raw.Take(); err != nil {
		return nil, e.m.fail("events", nil, err)
	}
	e.count++
	return v, nil
}

func (e *Events) decode(b []byte) (starlark.Value, error) {
	if e.typ == nil {
		return starlark.Bytes(b), nil
	}
	if n := e.typ.Size(); len(b) < n {
		return nil, e.m.fail("events", nil, fmt.Errorf("an event has %s, and %s has %d", method.Counted(len(b), "byte"), e.typ, n))
	}
	return e.typ.Decode(b[:e.typ.Size()]), nil
}

// remember keeps a stream in the list of those to close with the map.
func (m *Map) remember(e *Events) {
	m.streams = slices.DeleteFunc(m.streams, func(p weak.Pointer[Events]) bool {
		other := p.Value()
		return other == nil || other == e || other.raw == nil
	})
	m.streams = append(m.streams, weak.Make(e))
	m.lib.open.more(e.holds())
}

// release closes the map, and what is open to read its events.
func (m *Map) release() (err error) {
	for _, p := range m.streams {
		if e := p.Value(); e != nil {
			err = errors.Join(err, e.close())
		}
	}
	if !m.closed {
		m.lib.open.kept.subtract(m.holds())
	}
	m.streams, m.closed = nil, true
	return errors.Join(err, m.raw.Close())
}
