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
		"by is the name of a field to add up (\"bytes\", or \"in.bytes\"), or a function of the element. Of (key, value) pairs a field is looked for in the value, and else behind \"key.\" and \"value.\". Of per-CPU values it is their sum.",
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
	if column, ok := rawColumnOf(x, c.Args[1], false); ok {
		return l.sumColumn(c, column)
	}
	pick, err := picker(c, 1, false)
	if err != nil {
		return nil, err
	}
	var total starlark.Value = starlark.MakeInt(0)
	err = l.picked(c, x, pick, func(_, v starlark.Value) (err error) {
		switch v.(type) {
		case starlark.Int, starlark.Float:
		default:
			return fmt.Errorf("got %s, want a number; by= chooses a field", method.Describe(v))
		}
		total, err = starlark.Binary(syntax.PLUS, total, v)
		return err
	})
	if err != nil {
		return nil, err
	}
	return total, nil
}

// sumColumn is sum of what need not be decoded.
func (l *Library) sumColumn(c method.Call, column rawColumn) (starlark.Value, error) {
	var total layout.Total
	err := column.each(c, func(b engine.Batch, values []byte) error {
		total.Add(column.column, values, b.N)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return total.Value(), nil
}

// picked calls f with each element of x, and what is picked of it. An error names the element.
func (l *Library) picked(c method.Call, x starlark.Iterable, pick func(starlark.Value) (starlark.Value, error), f func(element, picked starlark.Value) error) error {
	const step = 1024
	ctx, i := runtime.Context(c.Thread), 0
	progress := l.progress(c.Name, func() int { return max(0, starlark.Len(x)) })
	defer progress.Done()
	for v := range starlark.Elements(x) {
		if i++; i%step == 0 {
			progress.Add(step)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
		}
		picked, err := pick(v)
		if _, ok := err.(*starlark.EvalError); ok { // of a function, which has a line of its own
			return err
		}
		if err == nil {
			err = f(v, picked)
		}
		if err != nil {
			return fmt.Errorf("%s: element %d: %w", c.Name, i-1, err)
		}
	}
	return nil
}
