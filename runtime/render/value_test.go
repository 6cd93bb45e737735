package render

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.starlark.net/starlark"
)

// rec is a record, as layout has them.
type rec struct {
	starlark.Value // None
	names          []string
	values         []starlark.Value
	labels         map[string]string // what people see of some fields
}

// record makes one of names and values in turn.
func record(pairs ...any) *rec {
	r := &rec{Value: starlark.None}
	for i := 0; i < len(pairs); i += 2 {
		r.names, r.values = append(r.names, pairs[i].(string)), append(r.values, val(pairs[i+1]))
	}
	return r
}

func (r *rec) Type() string               { return "record" }
func (r *rec) Fields() []string           { return r.names }
func (r *rec) Field(i int) starlark.Value { return r.values[i] }

func (r *rec) String() string {
	var fields []string
	for i, name := range r.names {
		fields = append(fields, name+"="+r.values[i].String())
	}
	return "record(" + strings.Join(fields, ", ") + ")"
}

func (r *rec) Shown() starlark.Value {
	s := &rec{Value: r.Value, names: r.names, values: slices.Clone(r.values)}
	for i, name := range r.names {
		if label := r.labels[name]; label != "" {
			s.values[i] = labelled{r.values[i], label}
		}
	}
	return s
}

type labelled struct {
	starlark.Value
	text string
}

func (l labelled) String() string { return l.text }

// fakeMap is a map with entries in a slice.
type fakeMap struct {
	starlark.Value // None
	columns        []Column
	rows           [][]starlark.Value
	unlisted       bool  // it has no rows, as a queue
	broken         error // instead of the end
	closed         int
}

func (m *fakeMap) String() string { return `<hash "flows" key=ipv4 value=u64 id=7>` }
func (m *fakeMap) Type() string   { return "bpf.map" }

func (m *fakeMap) Rows() (Rows, error) {
	if m.unlisted {
		return nil, nil
	}
	return &fakeRows{m, 0}, nil
}

type fakeRows struct {
	m *fakeMap
	i int
}

func (r *fakeRows) Columns() []Column { return r.m.columns }
func (r *fakeRows) Close() error      { r.m.closed++; return nil }

func (r *fakeRows) Next() ([]starlark.Value, error) {
	if r.i < len(r.m.rows) {
		r.i++
		return r.m.rows[r.i-1], nil
	}
	if r.m.broken != nil {
		return nil, r.m.broken
	}
	return nil, io.EOF
}

var errBroken = errors.New("lookup: the map is gone")

// flows is a map with struct keys and per-CPU values in it.
func flows() *fakeMap {
	key := []Column{{Name: "saddr", Type: "ipv4"}, {Name: "port", Type: "be16"}}
	value := []Column{{Name: "packets", Type: "u64"}, {Name: "comm", Type: "char[16]"}}
	entry := func(saddr string, port, packets any, comm string) []starlark.Value {
		return []starlark.Value{record("saddr", saddr, "port", port), record("packets", packets, "comm", comm)}
	}
	return &fakeMap{
		Value:   starlark.None,
		columns: []Column{{Name: "key", Type: "struct", Fields: key}, {Name: "value", Type: "struct", Fields: value}},
		rows: [][]starlark.Value{
			entry("10.0.0.1", 443, uint64(1<<64-1), "curl"),
			entry("10.0.0.20", 53, 7, "a,\"b\"|\t\x1b[2J\n\\"),
		},
	}
}

func plainMap(rows ...[]starlark.Value) *fakeMap {
	return &fakeMap{Value: starlark.None, columns: []Column{{Name: "key", Type: "u32"}, {Name: "value", Type: "u64"}}, rows: rows}
}

// val is a Go value as one of Starlark.
func val(x any) starlark.Value {
	switch x := x.(type) {
	case starlark.Value:
		return x
	case nil:
		return starlark.None
	case bool:
		return starlark.Bool(x)
	case int:
		return starlark.MakeInt(x)
	case uint64:
		return starlark.MakeUint64(x)
	case float64:
		return starlark.Float(x)
	case string:
		return starlark.String(x)
	case []byte:
		return starlark.Bytes(x)
	}
	panic(fmt.Sprintf("no value of %T", x))
}

func vals(xs ...any) []starlark.Value {
	var values []starlark.Value
	for _, x := range xs {
		values = append(values, val(x))
	}
	return values
}

func list(xs ...any) *starlark.List  { return starlark.NewList(vals(xs...)) }
func tuple(xs ...any) starlark.Tuple { return vals(xs...) }

func dict(pairs ...any) *starlark.Dict {
	d := starlark.NewDict(len(pairs) / 2)
	for i := 0; i < len(pairs); i += 2 {
		if err := d.SetKey(val(pairs[i]), val(pairs[i+1])); err != nil {
			panic(err)
		}
	}
	return d
}

// elements can be looped over, and say nothing of their number.
type elements struct {
	starlark.Value
	of     *starlark.List
	closed int
}

func (e *elements) String() string             { return "keys of a map" }
func (e *elements) Iterate() starlark.Iterator { return &elementIterator{e.of.Iterate(), e} }

type elementIterator struct {
	starlark.Iterator
	e *elements
}

func (it *elementIterator) Done() { it.e.closed++; it.Iterator.Done() }
