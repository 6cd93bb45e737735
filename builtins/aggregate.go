package builtins

import (
	"context"
	"fmt"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/runtime"
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

var aggregateFunctions = []method.Row[*Library]{{
	Name:   "sum",
	Params: "x, by=None",
	Doc: "The sum of what x gives: numbers, exact however large.\n" +
		"by is the name of a field to add up (\"bytes\"), or a function of the element. Of (key, value) pairs a field is looked for in the value.",
	Example: `sum(m.values(), by="bytes")
sum(m.items(), by=lambda entry: 8 * entry[1].bytes)
sum([flow.packets for flow in m.values() if flow.bytes > 100])`,
	Run: (*Library).sum,
}}

func (l *Library) sum(c method.Call) (starlark.Value, error) {
	x, ok := c.Args[0].(starlark.Iterable)
	if !ok {
		return nil, c.Bad("x", c.Args[0], "something to loop over")
	}
	if column, ok := rawColumnOf(x, c.Args[1]); ok {
		return l.sumColumn(c, column)
	}
	pick, err := picker(c, 1)
	if err != nil {
		return nil, err
	}
	var total starlark.Value = starlark.MakeInt(0)
	ctx, n := runtime.Context(c.Thread), 0
	progress := l.progress(c.Name, func() int { return max(0, starlark.Len(x)) })
	defer progress.Done()
	for v := range starlark.Elements(x) {
		const step = 1024
		if n++; n%step == 0 {
			progress.Add(step)
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
		}
		if v, err = pick(v); err != nil {
			if _, ok := err.(*starlark.EvalError); ok { // of a function, which has a line of its own
				return nil, err
			}
			return nil, fmt.Errorf("%s: element %d: %w", c.Name, n-1, err)
		}
		switch v.(type) {
		case starlark.Int, starlark.Float:
		default:
			return nil, fmt.Errorf("%s: element %d: got %s, want a number; by= chooses a field", c.Name, n-1, method.Describe(v))
		}
		if total, err = starlark.Binary(syntax.PLUS, total, v); err != nil {
			return nil, fmt.Errorf("%s: element %d: %w", c.Name, n-1, err)
		}
	}
	return total, nil
}

// sumColumn is sum of what need not be decoded.
func (l *Library) sumColumn(c method.Call, column rawColumn) (starlark.Value, error) {
	var total layout.Total
	m, ctx := column.entries.m, runtime.Context(c.Thread)
	err := m.eachOf(ctx, column.entries.what, m.task(ctx, c.Name, m.total), engine.NewAhead(m.raw, 0), func(b engine.Batch) error {
		total.Add(column.column, column.of(b), b.N)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return total.Value(), nil
}

// picker reads a by argument: what to take of each element.
func picker(c method.Call, i int) (func(starlark.Value) (starlark.Value, error), error) {
	switch by := c.Args[i].(type) {
	case nil, starlark.NoneType:
		return func(v starlark.Value) (starlark.Value, error) { return v, nil }, nil
	case starlark.String:
		return func(v starlark.Value) (starlark.Value, error) { return field(v, string(by)) }, nil
	case starlark.Callable:
		return func(v starlark.Value) (starlark.Value, error) {
			return starlark.Call(c.Thread, by, starlark.Tuple{v}, nil)
		}, nil
	default:
		return nil, c.Bad("by", by, "the name of a field, or a function")
	}
}

// field is a field of a record, of the value of a pair, or of a dict.
func field(v starlark.Value, name string) (starlark.Value, error) {
	if pair, ok := v.(starlark.Tuple); ok && len(pair) == 2 {
		v = pair[1]
	}
	switch r := v.(type) {
	case starlark.Mapping:
		if f, found, err := r.Get(starlark.String(name)); found || err != nil {
			return f, err
		}
	case starlark.HasAttrs:
		if f, err := r.Attr(name); f != nil || err != nil {
			return f, err
		}
	}
	return nil, fmt.Errorf("%s has no field %s", method.Describe(v), name)
}
