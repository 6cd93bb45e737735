package builtins

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"bpfsh/builtins/engine"
	"bpfsh/runtime"
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"
)

var iterateMethods = []method.Row[*Map]{{
	Name: "keys",
	Doc: "All keys, read while they are looped over.\n" +
		"Each key that stays in the map comes once, however busy the map is. Each loop reads anew. `for key in m` does the same.",
	Example: `unknown = [address for address in m.keys() if address not in seen]`,
	Run:     func(m *Map, c method.Call) (starlark.Value, error) { return m.entries(c.Name) },
}, {
	Name: "values",
	Doc:  "All values, read while they are looped over, as keys() does.",
	Example: `largest = max([flow.bytes for flow in m.values()])
total = sum(m.values(), by="bytes")`,
	Run: func(m *Map, c method.Call) (starlark.Value, error) { return m.entries(c.Name) },
}, {
	Name: "items",
	Doc:  "All (key, value) pairs, read while they are looped over, as keys() does.",
	Example: `for address, flow in m.items():
    if flow.packets < 10:
        m.delete(address, missing_ok=True)    # the loop goes on`,
	Run: func(m *Map, c method.Call) (starlark.Value, error) { return m.entries(c.Name) },
}, {
	Name: "count",
	Doc: "The number of entries.\n" +
		"An array has all its entries always. Of a hash the kernel is asked, in microseconds, if it tells (Linux 6.6) and the process has CAP_PERFMON; other maps are walked through.",
	Example: `print("%d%% full" % (100 * m.count() // m.max_entries))`,
	Run: func(m *Map, c method.Call) (starlark.Value, error) {
		n, err := m.count(runtime.Context(c.Thread), c.Name)
		return starlark.MakeInt(n), err
	},
}, {
	Name:   "clear",
	Params: "force=False",
	Doc: "Remove all entries, and return how many there were.\n" +
		"An array's entries cannot be removed: they are set to zero. What others add meanwhile may stay. At the prompt it asks first, unless force.",
	Example: `print(m.clear(), "entries removed")
inner.clear()    # 4: an array's entries are zero then`,
	Run: func(m *Map, c method.Call) (starlark.Value, error) {
		what, done := "remove", "removed"
		if m.kind.Shape == engine.Indexed {
			what, done = "zero", "zeroed"
		}
		if err := m.allow(c, 0, what, m.all(c)); err != nil {
			return nil, err
		}
		n, err := m.clear(runtime.Context(c.Thread), c.Name)
		if err != nil {
			return nil, err
		}
		m.said(c.Name, done, n)
		return starlark.MakeInt(n), nil
	},
}}

// entries is what keys, values and items return.
type entries struct {
	m    *Map
	what string
}

var _ starlark.Iterable = (*entries)(nil)

func (e *entries) String() string        { return e.what + " of " + e.m.String() }
func (e *entries) Type() string          { return e.what }
func (e *entries) Freeze()               {}
func (e *entries) Truth() starlark.Bool  { return true }
func (e *entries) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: %s", e.what) }

func (e *entries) Iterate() starlark.Iterator {
	return &entryIterator{m: e.m, what: e.what, ctx: runtime.Context(e.m.thread), walk: e.m.walk()}
}

func (m *Map) entries(what string) (starlark.Value, error) {
	if !m.kind.Keyed() {
		return nil, m.fail(what, nil, errNotForType)
	}
	return &entries{m, what}, nil
}

// Iterate is `for key in m`.
func (m *Map) Iterate() starlark.Iterator { return (&entries{m, "keys"}).Iterate() }

type entryIterator struct {
	m     *Map
	what  string
	ctx   context.Context
	walk  walk
	batch engine.Batch
	i     int
	pairs []starlark.Value // room for the tuples of some elements, made together
	kept  []byte           // the bytes of some values, copied together
	from  int              // the first of them
}

func (it *entryIterator) Next(p *starlark.Value) bool {
	if err := it.ready(); err == io.EOF {
		return false
	} else if err != nil {
		runtime.Raise(it.m.thread, it.what, err)
	}
	*p = it.element(it.i)
	it.i++
	return true
}

// element is entry i of the batch.
func (it *entryIterator) element(i int) starlark.Value {
	switch it.what {
	case "keys":
		return it.key(i)
	case "values":
		return it.value(i)
	default:
		if len(it.pairs) == 0 {
			it.pairs = make([]starlark.Value, 2*min(together, it.batch.N-i))
		}
		pair := it.pairs[:2:2]
		it.pairs = it.pairs[2:]
		pair[0], pair[1] = it.key(i), it.value(i)
		return starlark.Tuple(pair)
	}
}

// Elements share an allocation, so many and of so many bytes: one that a script keeps keeps those beside it.
const together, togetherBytes = 64, 4096

// key decodes key i of the batch.
func (it *entryIterator) key(i int) starlark.Value {
	k := int(it.m.info.KeySize)
	return it.m.key.Decode(it.batch.Keys[i*k : (i+1)*k])
}

// value decodes value i of the batch.
func (it *entryIterator) value(i int) starlark.Value {
	m := it.m
	v := len(m.valueBuf)
	if m.kind.Nests || !m.value.Keeps() {
		return m.decodeValue(it.batch.Values[i*v : (i+1)*v])
	}
	if i < it.from || (i+1-it.from)*v > len(it.kept) {
		n := max(1, min(together, togetherBytes/v))
		it.kept, it.from = bytes.Clone(it.batch.Values[i*v:min(i+n, it.batch.N)*v]), i
	}
	at := (i - it.from) * v
	return m.value.DecodeKept(it.kept[at : at+v : at+v])
}

// ready makes sure that entry i is there, of the next batch if need be; io.EOF: there is none.
func (it *entryIterator) ready() error {
	if it.i < it.batch.N && !it.m.closed && it.ctx.Err() == nil {
		return nil
	}
	b, err := it.m.nextBatch(it.ctx, it.what, it.walk)
	if err != nil {
		return err
	}
	it.batch, it.i, it.kept = b, 0, nil
	return nil
}

// Done has nothing to do, which is as well: it is not called on every way out of a loop.
func (it *entryIterator) Done() {}

// walk gives batches up to io.EOF: engine's Walk, or Ahead.
type walk interface {
	Next() (engine.Batch, error)
}

// walk starts a walk through all entries.
func (m *Map) walk() walk {
	if m.held != nil {
		return &heldWalk{entries: m.held, k: int(m.info.KeySize), v: m.info.Stride()}
	}
	return engine.NewAhead(m.raw, 0)
}

// nextBatch takes a step of a walk; io.EOF is its end. It looks whether the map was closed and whether the run was
// stopped, so that a loop over what is in memory already ends too.
func (m *Map) nextBatch(ctx context.Context, op string, walk walk) (engine.Batch, error) {
	if ctx.Err() != nil {
		return engine.Batch{}, context.Cause(ctx)
	}
	if m.closed {
		return engine.Batch{}, m.fail(op, nil, unix.EBADF)
	}
	if !m.kind.Keyed() {
		return engine.Batch{}, m.fail(op, nil, errNotForType)
	}
	b, err := walk.Next()
	if err != nil && err != io.EOF {
		return b, m.explain(op, nil, err)
	}
	return b, err
}

// each runs f on all entries, batch by batch. op is what errors and the progress call it.
func (m *Map) each(ctx context.Context, op string, f func(engine.Batch) error) error {
	return m.eachOf(ctx, op, m.task(ctx, op, m.total), m.walk(), f)
}

// eachOf is each with a walk and a task of its own, which it ends.
func (m *Map) eachOf(ctx context.Context, op string, t *task, walk walk, f func(engine.Batch) error) error {
	defer t.Done()
	for {
		b, err := m.nextBatch(ctx, op, walk)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = f(b)
		}
		if err != nil {
			return err
		}
		t.Add(b.N)
	}
}

func (m *Map) count(ctx context.Context, op string) (n int, err error) {
	if m.kind.Shape == engine.Indexed && !m.closed {
		return int(m.info.MaxEntries), nil
	}
	if n, ok := m.counted(); ok {
		return n, nil
	}
	err = m.each(ctx, op, func(b engine.Batch) error {
		n += b.N
		return nil
	})
	return n, err
}

// counted is the number of entries, if the kernel tells it. To ask for it the first time loads a program, so that maps
// which one batch reads are not worth it.
func (m *Map) counted() (n int, ok bool) {
	const worth = 4096
	if m.closed || !m.kind.Counted || m.info.MaxEntries <= worth {
		return 0, false
	}
	counts, err := m.lib.engine.Counts()
	if err != nil { // it is no error that this kernel, or this process, cannot do it
		return 0, false
	}
	n, ok = counts[m.info.ID]
	return n, ok
}

func (m *Map) clear(ctx context.Context, op string) (n int, err error) {
	switch {
	case m.kind.Shape == engine.Ordered:
		return m.clearOrdered(ctx, op)
	case m.kind.Shape == engine.Indexed:
		return m.zero(ctx, op)
	}
	total := func() int { // when it is asked, some are gone
		if left := m.total(); left > 0 {
			return n + left
		}
		return 0
	}
	err = m.eachOf(ctx, op, m.task(ctx, op, total), engine.NewWalk(m.raw, 0), func(b engine.Batch) error {
		out := engine.DeleteAll(m.raw, b.Keys, b.N, true, m.stop(ctx))
		n += out.Done
		if out.Err != nil {
			return m.failCount(op, nil, 0, n, -1, 0, out.Err)
		}
		return nil
	})
	return n, withCount(err, n)
}

// withCount says in an error that knows of no count how many entries were done before it.
func withCount(err error, n int) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Count >= 0 || n == 0 {
		return err
	}
	counted := *e
	counted.Count, counted.Of = n, -1
	return &counted
}

func (m *Map) clearOrdered(ctx context.Context, op string) (n int, err error) {
	for {
		if err := m.stop(ctx)(n); err != nil {
			return n, m.failCount(op, nil, 0, n, -1, 0, err)
		}
		if err := m.raw.LookupAndDelete(nil, m.valueBuf, 0); errors.Is(err, unix.ENOENT) {
			return n, nil
		} else if err != nil {
			return n, m.failCount(op, nil, 0, n, -1, 0, err)
		}
		n++
	}
}

// zero sets all entries of an array to zero.
func (m *Map) zero(ctx context.Context, op string) (n int, err error) {
	var zeros []byte
	err = m.eachOf(ctx, op, m.task(ctx, op, m.total), engine.NewWalk(m.raw, 0), func(b engine.Batch) error {
		if len(zeros) < len(b.Values) {
			zeros = make([]byte, len(b.Values))
		}
		out := engine.UpdateAll(m.raw, b.Keys, zeros, b.N, 0, m.stop(ctx))
		n += out.Done
		if out.Err != nil {
			return m.failCount(op, nil, 0, n, -1, 0, out.Err)
		}
		return nil
	})
	return n, withCount(err, n)
}
