package builtins

import (
	"cmp"
	"context"
	"fmt"

	"bpfsh/builtins/engine"
	"bpfsh/runtime/method"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
)

// gather collects entries as bytes: all of them, before anything is written, so that an entry that does not fit
// and a read that fails half-way leave the map as it was.
type gather struct {
	m            *Map
	op           string
	what         string // the argument; "" for entries
	ctx          context.Context
	progress     *render.Progress
	keys, values []byte
	n            int
	readable     bool // values as they are read, to be compared: an object is its id, and not a descriptor
}

// raw says whether bytes of entries can be taken as they are from a map with the same types.
func (g *gather) raw(from *Map) bool {
	return sameTypes(from, g.m) && (g.readable || g.m.kind.Values == engine.Nothing && !g.m.kind.Programmed)
}

// step looks now and then whether the run was stopped.
func (g *gather) step() error {
	const step = 1024
	if g.n++; g.n%step != 0 {
		return nil
	}
	g.progress.Add(step)
	if g.ctx.Err() != nil {
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
	encode := g.m.encodeValue
	if g.readable {
		encode = g.m.readableValue
	}
	v, err := encode(g.op, value)
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
	if b.m.key.String() == g.m.key.String() && b.value.String() == g.m.value.String() && b.value.CPUs == g.m.value.CPUs && g.m.kind.Values == engine.Nothing && !g.m.kind.Programmed {
		g.keys, g.values = append(g.keys, b.keys...), append(g.values, b.values...)
		g.n += b.n
		g.progress.Add(b.n)
		return nil
	}
	for i := range b.n {
		if err := g.pair(b.keyAt(i), b.valueAt(i)); err != nil {
			return err
		}
	}
	return nil
}

// snapshot takes the entries of a snapshot, likewise.
func (g *gather) snapshot(s *Snapshot) error {
	if g.raw(s.m) {
		g.keys, g.values = append(g.keys, s.m.held.Keys...), append(g.values, s.m.held.Values...)
		g.n += s.m.held.N
		g.progress.Add(s.m.held.N)
		return nil
	}
	return g.entries(&entries{s.m, "items"})
}

func (g *gather) entries(v starlark.Value) error {
	switch v := v.(type) {
	case *Batch:
		return g.batch(v)
	case *Snapshot:
		return g.snapshot(v)
	case *Map:
		if g.readable {
			s, err := v.snapshot(g.ctx, g.op)
			if err != nil {
				return err
			}
			return g.snapshot(s)
		}
		return g.entries(&entries{v, "items"})
	case *Nested:
		m, err := v.use()
		if err != nil {
			return err
		}
		return g.entries(m)
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
		return fmt.Errorf("%s: %s: %s: got %s, want a dict, or (key, value) pairs", g.op, g.m.label(), cmp.Or(g.what, "entries"), method.Describe(v))
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
		several := []starlark.Value{x}
		if b, ok := x.(*Batch); ok {
			if b.m.key.String() == g.m.key.String() {
				g.keys, g.n = append(g.keys, b.keys...), g.n+b.n
				continue
			}
			several = b.column(b.keyAt)
		}
		for _, key := range several {
			if err := g.addKey(key); err != nil {
				return err
			}
			if err := g.step(); err != nil {
				return err
			}
		}
	}
	return nil
}
