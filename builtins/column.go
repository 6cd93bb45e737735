package builtins

import (
	"slices"
	"strings"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/runtime"
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

// rawColumn is the numbers that a function wants of all entries of a map, read out of the bytes of the entries without
// making values of them.
type rawColumn struct {
	entries *entries
	column  layout.Column
	keys    bool // else of the values
}

// rawColumnOf finds what by picks of each element of x. ok is false where x is no loop over a map, or by picks no plain
// integer: then each element must be looked at as a script would. pairs says that of (key, value) pairs it is the value
// that is picked without by.
func rawColumnOf(x, by starlark.Value, pairs bool) (c rawColumn, ok bool) {
	field := ""
	switch by := by.(type) {
	case nil, starlark.NoneType:
	case starlark.String:
		field = string(by)
	default:
		return rawColumn{}, false
	}
	switch x := x.(type) {
	case *entries:
		c.entries = x
	case *Snapshot:
		c.entries = &entries{x.m, "keys"}
	case *Map:
		if !x.kind.Keyed() {
			return rawColumn{}, false
		}
		c.entries = &entries{x, "keys"}
	default:
		return rawColumn{}, false
	}
	m := c.entries.m
	c.keys = c.entries.what == "keys"
	if c.entries.what == "items" {
		if field == "" && !pairs {
			return rawColumn{}, false
		}
		first, rest, _ := strings.Cut(field, ".")
		if names, _ := m.value.Type.Columns(); (first == "key" || first == "value") && !slices.Contains(names, first) {
			field, c.keys = rest, first == "key"
		}
	}
	switch {
	case c.keys && m.key != nil:
		c.column, ok = m.key.Column(field, int(m.info.KeySize))
	case m.kind.Nests:
	default:
		c.column, ok = m.value.Column(field)
	}
	return c, ok
}

// each calls f with all batches, and the bytes of each that the column is in.
func (c rawColumn) each(call method.Call, f func(b engine.Batch, values []byte) error) error {
	m, ctx := c.entries.m, runtime.Context(call.Thread)
	return m.eachOf(ctx, c.entries.what, m.task(ctx, call.Name, m.total), m.walk(), func(b engine.Batch) error {
		if c.keys {
			return f(b, b.Keys)
		}
		return f(b, b.Values)
	})
}

// element is entry i of a batch, as the loop gives it.
func (c rawColumn) element(b engine.Batch, i int) starlark.Value {
	m := c.entries.m
	k, v := int(m.info.KeySize), m.info.Stride()
	one := engine.Batch{Keys: b.Keys[i*k : (i+1)*k], Values: b.Values[i*v : (i+1)*v], N: 1} // it keeps no others
	it := entryIterator{m: m, what: c.entries.what, batch: one}
	return it.element(0)
}
