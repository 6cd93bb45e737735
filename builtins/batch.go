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
)

var batchMethods = []method.Row[*Map]{{
	Name:   "lookup_batch",
	Params: "size=None",
	Doc: "All entries in batches (BPF_MAP_LOOKUP_BATCH).\n" +
		"They are read while they are looped over. size is what the kernel is asked for; a batch may be shorter, or longer where one hash bucket holds more. A batch has " +
		".keys, .values and a length, and is a sequence of (key, value).",
	Run: func(m *Map, c method.Call) (starlark.Value, error) { return m.batches(c, engine.NewWalk) },
}, {
	Name:   "pop_batch",
	Params: "size=None",
	Doc: "All entries in batches, removed while they are looped over.\n" +
		"It is BPF_MAP_LOOKUP_AND_DELETE_BATCH. Only entries of batches that the loop comes to are removed. Otherwise as lookup_batch.",
	Run: func(m *Map, c method.Call) (starlark.Value, error) { return m.batches(c, engine.NewPop) },
}, {
	Name:   "update_batch",
	Params: "entries=None, flags=BPF_ANY, keys=None, values=None",
	Doc: "Write many entries, and return how many (BPF_MAP_UPDATE_BATCH).\n" +
		"entries is a dict, a map, a batch, or anything that gives (key, value) pairs or batches; or keys and values come " +
		"separately. All are read and checked before the first is written. If the kernel refuses one, those before it are " +
		"written: the error has .count and .key. BPF_NOEXIST and BPF_EXIST hold for each entry.",
	Run: (*Map).updateBatch,
}, {
	Name:   "delete_batch",
	Params: "keys, missing_ok=False",
	Doc: "Remove many entries, and return how many (BPF_MAP_DELETE_BATCH).\n" +
		"keys is anything that gives keys, or batches. A key that is not there ends it: those before it are removed, and the " +
		"error has .count and .key. With missing_ok such keys are passed over.",
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
	if !m.kind.Keyed() || m.kind.Instead[c.Name] != "" {
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
	return &batchIterator{b.m, b.op, runtime.Context(b.m.thread), b.walk()}
}

type batchIterator struct {
	m    *Map
	op   string
	ctx  context.Context
	walk *engine.Walk
}

func (it *batchIterator) Next(p *starlark.Value) bool {
	b, err := it.m.nextBatch(it.ctx, it.op, it.walk)
	if err == io.EOF {
		return false
	}
	if err != nil {
		runtime.Raise(it.m.thread, it.op, err)
	}
	*p = &Batch{it.m.key, it.m.value, string(b.Keys), string(b.Values), b.N}
	return true
}

func (it *batchIterator) Done() {} // there is nothing to release

// Batch is some entries as they were read: a sequence of (key, value) that decodes what is asked for.
type Batch struct {
	key          *layout.Type
	value        layout.Slot
	keys, values string // flat
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
	k := b.key.Size()
	return b.key.Decode([]byte(b.keys[i*k : (i+1)*k]))
}

func (b *Batch) valueAt(i int) starlark.Value {
	v := b.value.Size()
	return b.value.Decode([]byte(b.values[i*v : (i+1)*v]))
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
	g := &gather{m: m, op: c.Name, ctx: runtime.Context(c.Thread)}
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
	out := engine.UpdateAll(m.raw, g.keys, g.values, g.n, flags, m.stop(g.ctx))
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
	g := &gather{m: m, op: c.Name, ctx: runtime.Context(c.Thread)}
	if err := g.keysOf(c.Args[0]); err != nil {
		return nil, err
	}
	out := engine.DeleteAll(m.raw, g.keys, g.n, missingOK, m.stop(g.ctx))
	if out.Err != nil {
		return nil, m.failCount(c.Name, g.keys, out.At, out.Done, g.n, 0, out.Err)
	}
	return starlark.MakeInt(out.Done), nil
}

// gather collects entries as bytes: all of them, before anything is written, so that an entry that does not fit
// and a read that fails half-way leave the map as it was.
type gather struct {
	m            *Map
	op           string
	ctx          context.Context
	keys, values []byte
	n            int
}

// step looks now and then whether the run was stopped.
func (g *gather) step() error {
	if g.n++; g.n%1024 == 0 && g.ctx.Err() != nil {
		return g.m.failCount(g.op, nil, 0, 0, -1, 0, context.Cause(g.ctx))
	}
	return nil
}

func (g *gather) addKey(key starlark.Value) error {
	k, err := g.m.encodeKey(g.op, key)
	if err != nil {
		return fmt.Errorf("%w (entry %d; nothing was done)", err, g.n)
	}
	g.keys = append(g.keys, k...)
	return nil
}

func (g *gather) addValue(value starlark.Value) error {
	v, err := g.m.encodeValue(g.op, value)
	if err != nil {
		return fmt.Errorf("%w (entry %d; nothing was done)", err, g.n)
	}
	g.values = append(g.values, v...)
	return nil
}

func (g *gather) pair(key, value starlark.Value) error {
	if err := g.addKey(key); err != nil {
		return err
	}
	if err := g.addValue(value); err != nil {
		return err
	}
	return g.step()
}

// batch takes the entries of a batch: its bytes as they are where the types are the same.
func (g *gather) batch(b *Batch) error {
	if b.key.String() == g.m.key.String() && b.value.String() == g.m.value.String() && b.value.CPUs == g.m.value.CPUs {
		g.keys, g.values = append(g.keys, b.keys...), append(g.values, b.values...)
		g.n += b.n
		return nil
	}
	for i := range b.n {
		if err := g.pair(b.keyAt(i), b.valueAt(i)); err != nil {
			return err
		}
	}
	return nil
}

func (g *gather) entries(v starlark.Value) error {
	switch v := v.(type) {
	case *Batch:
		return g.batch(v)
	case *Map:
		return g.entries(&entries{v, "items"})
	case starlark.IterableMapping:
		for _, kv := range v.Items() {
			if err := g.pair(kv[0], kv[1]); err != nil {
				return err
			}
		}
		return nil
	case starlark.Iterable:
		for x := range starlark.Elements(v) {
			if err := g.entry(x); err != nil {
				return err
			}
		}
		return nil
	default:
		return fmt.Errorf("%s: %s: entries: got %s, want a dict, or (key, value) pairs", g.op, g.m.label(), method.Describe(v))
	}
}

func (g *gather) entry(x starlark.Value) error {
	switch x := x.(type) {
	case *Batch:
		return g.batch(x)
	case starlark.Tuple:
		if len(x) == 2 {
			return g.pair(x[0], x[1])
		}
	case *starlark.List:
		if x.Len() == 2 {
			return g.pair(x.Index(0), x.Index(1))
		}
	}
	return fmt.Errorf("%s: %s: entry %d: got %s, want a (key, value) pair", g.op, g.m.label(), g.n, method.Describe(x))
}

func (g *gather) columns(keys, values starlark.Value) error {
	if err := g.keysOf(keys); err != nil {
		return err
	}
	it, ok := values.(starlark.Iterable)
	if !ok {
		return fmt.Errorf("%s: %s: values: got %s, want a list", g.op, g.m.label(), method.Describe(values))
	}
	n := g.n
	g.n = 0
	for v := range starlark.Elements(it) {
		if err := g.addValue(v); err != nil {
			return err
		}
		if err := g.step(); err != nil {
			return err
		}
	}
	if g.n != n {
		return fmt.Errorf("%s: %s: %d keys and %d values", g.op, g.m.label(), n, g.n)
	}
	return nil
}

func (g *gather) keysOf(keys starlark.Value) error {
	it, ok := keys.(starlark.Iterable)
	if !ok {
		return fmt.Errorf("%s: %s: keys: got %s, want a list", g.op, g.m.label(), method.Describe(keys))
	}
	if b, ok := keys.(*Batch); ok {
		it = starlark.Tuple{b}
	}
	for x := range starlark.Elements(it) {
		if b, ok := x.(*Batch); ok {
			for _, key := range b.column(b.keyAt) {
				if err := g.addKey(key); err != nil {
					return err
				}
				if err := g.step(); err != nil {
					return err
				}
			}
			continue
		}
		if err := g.addKey(x); err != nil {
			return err
		}
		if err := g.step(); err != nil {
			return err
		}
	}
	return nil
}
