package builtins

import (
	"context"
	"errors"
	"fmt"
	"io"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/runtime"
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"
)

var batchMethods = []method.Row[*Map]{{
	Name:   "lookup_batch",
	Params: "size=None",
	Doc: "All entries in batches (BPF_MAP_LOOKUP_BATCH).\n" +
		"They are read while they are looped over. size is what the kernel is asked for; a batch may be shorter, or longer where one hash bucket holds more. A batch has " +
		".keys, .values and a length, and is a sequence of (key, value).",
	Example: `for batch in m.lookup_batch(1000):
    print(len(batch), batch.keys[0], sum(batch.values, by="bytes"))`,
	Run: func(m *Map, c method.Call) (starlark.Value, error) { return m.batches(c, engine.NewWalk) },
}, {
	Name:   "pop_batch",
	Params: "size=None, force=False",
	Doc: "All entries in batches, removed while they are looped over.\n" +
		"It is BPF_MAP_LOOKUP_AND_DELETE_BATCH. Only entries of batches that the loop comes to are removed. At the prompt it asks first, unless force. Otherwise as lookup_batch.",
	Example: `total = 0
for batch in m.pop_batch():
    total += sum(batch, by="bytes")    # counted, and gone from m`,
	Run: func(m *Map, c method.Call) (starlark.Value, error) {
		b, err := m.batches(c, engine.NewPop)
		if err == nil {
			err = m.allow(c, 1, "remove", m.all(c))
		}
		if err != nil {
			return nil, err
		}
		return b, nil
	},
}, {
	Name:   "update_batch",
	Params: "entries=None, flags=BPF_ANY, keys=None, values=None",
	Doc: "Write many entries, and return how many (BPF_MAP_UPDATE_BATCH).\n" +
		"entries is a dict, a map, a batch, or anything that gives (key, value) pairs or batches; or keys and values come " +
		"separately. All are read and checked before the first is written. If the kernel refuses one, those before it are " +
		"written: the error has .count and .key. BPF_NOEXIST and BPF_EXIST hold for each entry.",
	Example: `m.update_batch({"10.0.0.1": (3, 180), "10.0.0.2": (1, 60)})
m.update_batch(keys=["10.0.0.3", "10.0.0.4"], values=[(0, 0)] * 2)
copy = create(like=m)
copy.update_batch(m.lookup_batch())`,
	Run: (*Map).updateBatch,
}, {
	Name:   "delete_batch",
	Params: "keys, missing_ok=False, force=False",
	Doc: "Remove many entries, and return how many (BPF_MAP_DELETE_BATCH).\n" +
		"keys is anything that gives keys, or batches. A key that is not there ends it: those before it are removed, and the " +
		"error has .count and .key. With missing_ok such keys are passed over. At the prompt it asks first, unless force.",
	Example: `idle = [address for address, flow in m.items() if flow.packets < 10]
m.delete_batch(idle, missing_ok=True)    # some may be gone by now`,
	Run: (*Map).deleteBatch,
}}

// batches is what lookup_batch and pop_batch return.
type batches struct {
	m    *Map
	op   string
	walk func() *engine.Walk
}

var _ starlark.Iterable = (*batches)(nil)

func (m *Map) batches(c method.Call, walk func(engine.Map, int) *engine.Walk) (starlark.Value, error) {
	size, err := c.Positive(0, "size")
	if err != nil {
		return nil, err
	}
	if !m.kind.Keyed() || m.kind.Instead.Of(c.Name) != "" {
		return nil, m.fail(c.Name, nil, errNotForType)
	}
	return &batches{m, c.Name, func() *engine.Walk { return walk(m.raw, size) }}, nil
}

func (b *batches) String() string        { return b.op + " of " + b.m.String() }
func (b *batches) Type() string          { return b.op }
func (b *batches) Freeze()               {}
func (b *batches) Truth() starlark.Bool  { return true }
func (b *batches) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: %s", b.op) }

func (b *batches) Iterate() starlark.Iterator {
	return &batchIterator{m: b.m, op: b.op, ctx: runtime.Context(b.m.thread), walk: b.walk()}
}

type batchIterator struct {
	m    *Map
	op   string
	ctx  context.Context
	walk *engine.Walk
	n    int // entries that were read
}

func (it *batchIterator) Next(p *starlark.Value) bool {
	b, err := it.m.nextBatch(it.ctx, it.op, it.walk)
	if err == io.EOF {
		return false
	}
	if err != nil {
		runtime.Raise(it.m.thread, it.op, err)
	}
	it.n += b.N
	*p = &Batch{it.m, it.m.value, string(b.Keys), string(b.Values), b.N}
	return true
}

// Done has nothing to release; it tells an operator what is gone.
func (it *batchIterator) Done() {
	if it.op == "pop_batch" {
		it.m.said(it.op, "removed", it.n)
	}
}

// Batch is some entries as they were read: a sequence of (key, value) that decodes what is asked for.
type Batch struct {
	m            *Map        // that it was read from
	value        layout.Slot // of one CPU, where a program has read it
	keys, values string      // flat
	n            int
}

var (
	_ starlark.Indexable = (*Batch)(nil)
	_ starlark.Sequence  = (*Batch)(nil)
	_ starlark.HasAttrs  = (*Batch)(nil)
)

func (b *Batch) String() string        { return fmt.Sprintf("<batch of %d>", b.n) }
func (b *Batch) Type() string          { return "batch" }
func (b *Batch) Freeze()               {} // it never changes
func (b *Batch) Truth() starlark.Bool  { return b.n > 0 }
func (b *Batch) Hash() (uint32, error) { return 0, errors.New("unhashable type: batch") }
func (b *Batch) Len() int              { return b.n }
func (b *Batch) AttrNames() []string   { return batchTable.Names() }

func (b *Batch) Attr(name string) (starlark.Value, error) { return batchTable.Attr(b, name) }

// Index decodes entry i.
func (b *Batch) Index(i int) starlark.Value { return starlark.Tuple{b.keyAt(i), b.valueAt(i)} }

func (b *Batch) keyAt(i int) starlark.Value {
	k := b.m.key.Size()
	return b.m.key.Decode([]byte(b.keys[i*k : (i+1)*k]))
}

func (b *Batch) valueAt(i int) starlark.Value {
	v := b.value.Size()
	raw := []byte(b.values[i*v : (i+1)*v])
	if b.m.kind.Nests {
		return b.m.decodeValue(raw)
	}
	return b.value.Decode(raw)
}

func (b *Batch) Iterate() starlark.Iterator { return &pairIterator{b, 0} }

type pairIterator struct {
	b *Batch
	i int
}

func (it *pairIterator) Next(p *starlark.Value) bool {
	if it.i == it.b.n {
		return false
	}
	*p = it.b.Index(it.i)
	it.i++
	return true
}

func (it *pairIterator) Done() {}

var batchTable = method.NewTable("batch", batchAttrs, []method.Row[*Batch]{})

var batchAttrs = []method.Attr[*Batch]{{
	Name: "keys",
	Doc:  "The keys of a batch, a tuple.",
	Get:  func(b *Batch) (starlark.Value, error) { return b.column(b.keyAt), nil },
}, {
	Name: "values",
	Doc:  "The values of a batch, a tuple in the order of its keys.",
	Get:  func(b *Batch) (starlark.Value, error) { return b.column(b.valueAt), nil },
}}

func (b *Batch) column(at func(int) starlark.Value) starlark.Tuple {
	t := make(starlark.Tuple, b.n)
	for i := range t {
		t[i] = at(i)
	}
	return t
}

func (m *Map) updateBatch(c method.Call) (starlark.Value, error) {
	flags, err := flagsOf(c, 1)
	if err != nil {
		return nil, err
	}
	if !m.kind.Keyed() {
		return nil, m.fail(c.Name, nil, errNotForType)
	}
	defer m.giveBack()
	g := &gather{m: m, op: c.Name, ctx: runtime.Context(c.Thread)}
	g.progress = m.lib.progress(c.Name+" reads", nil)
	defer g.progress.Done()
	entries, keys, values := c.Or(0, starlark.None), c.Or(2, starlark.None), c.Or(3, starlark.None)
	switch {
	case entries != starlark.None && keys == starlark.None && values == starlark.None:
		err = g.entries(entries)
	case entries == starlark.None && keys != starlark.None && values != starlark.None:
		err = g.columns(keys, values)
	default:
		err = fmt.Errorf("%s: %s: want entries, or keys= and values=", c.Name, m.label())
	}
	if err != nil {
		return nil, err
	}
	if m.closed {
		return nil, m.fail(c.Name, nil, unix.EBADF)
	}
	g.progress.Done()
	t := m.task(g.ctx, c.Name, func() int { return g.n })
	defer t.Done()
	out := engine.UpdateAll(m.raw, g.keys, g.values, g.n, flags, t.next)
	if out.Err != nil {
		return nil, m.failCount(c.Name, g.keys, out.At, out.Done, g.n, flags, out.Err)
	}
	return starlark.MakeInt(out.Done), nil
}

func (m *Map) deleteBatch(c method.Call) (starlark.Value, error) {
	missingOK, err := c.Bool(1, "missing_ok")
	if err != nil {
		return nil, err
	}
	if !m.kind.Keyed() {
		return nil, m.fail(c.Name, nil, errNotForType)
	}
	defer m.giveBack()
	g := &gather{m: m, op: c.Name, ctx: runtime.Context(c.Thread)}
	g.progress = m.lib.progress(c.Name+" reads", nil)
	defer g.progress.Done()
	if err := g.keysOf(c.Args[0]); err != nil {
		return nil, err
	}
	g.progress.Done()
	if m.closed {
		return nil, m.fail(c.Name, nil, unix.EBADF)
	}
	if err := m.allow(c, 2, "remove", func() (int, error) { return g.n, nil }); err != nil {
		return nil, err
	}
	t := m.task(g.ctx, c.Name, func() int { return g.n })
	defer t.Done()
	out := engine.DeleteAll(m.raw, g.keys, g.n, missingOK, t.next)
	if out.Err != nil {
		return nil, m.failCount(c.Name, g.keys, out.At, out.Done, g.n, 0, out.Err)
	}
	t.Done()
	m.said(c.Name, "removed", out.Done)
	return starlark.MakeInt(out.Done), nil
}
