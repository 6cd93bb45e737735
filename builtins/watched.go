package builtins

import (
	"fmt"
	"time"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/runtime/method"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
)

// looks is how w looks at what it watches.
func (w *watch) looks() (func() (*frame, error), error) {
	c := w.call
	if fn, ok := c.Args[0].(starlark.Callable); ok {
		return w.looksAt(fn)
	}
	switch x := c.Args[0].(type) {
	case *Map, *entries:
		loop, pairs, err := elementsOf(c, x)
		if err != nil {
			return nil, err
		}
		e := loop.(*entries)
		if e.what != "items" {
			return nil, c.Bad("x", x, "a map, its items(), or a function")
		}
		if column, ok := rawColumnOf(e, c.Args[2], true); ok {
			return w.looksAtColumn(column), nil
		}
		pick, err := picker(c, 2, pairs)
		if err != nil {
			return nil, err
		}
		return w.looksAtEntries(e, pick), nil
	}
	return nil, c.Bad("x", c.Args[0], "a map, its items(), or a function")
}

// looksAtColumn goes through what need not be decoded.
func (w *watch) looksAtColumn(column rawColumn) func() (*frame, error) {
	r, k := newRates(w), int(column.entries.m.info.KeySize)
	return func() (*frame, error) {
		r.begin()
		err := column.each(w.call, func(b engine.Batch, values []byte) error {
			for i := range b.N {
				r.add(b.Keys[i*k:(i+1)*k], quantity{whole: column.column.Number(values, i)}, func() starlark.Value { return column.element(b, i) })
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		return w.entriesFrame(r, column.entries), nil
	}
}

// looksAtEntries goes through entries as a script would.
func (w *watch) looksAtEntries(e *entries, pick func(starlark.Value) (starlark.Value, error)) func() (*frame, error) {
	r := newRates(w)
	key := make([]byte, e.m.info.KeySize)
	return func() (*frame, error) {
		r.begin()
		err := w.l.picked(w.call, e, pick, func(v, picked starlark.Value) error {
			n, ok := numberOf(picked)
			if !ok {
				return fmt.Errorf("got %s, want a number; by= chooses a field", method.Describe(picked))
			}
			if err := e.m.key.Encode(key, v.(starlark.Tuple)[0]); err != nil {
				return err
			}
			r.add(key, n, func() starlark.Value { return v })
			return nil
		})
		if err != nil {
			return nil, err
		}
		return w.entriesFrame(r, e), nil
	}
}

// entriesFrame says in the head how long it took to go through the entries.
func (w *watch) entriesFrame(r *rates, e *entries) *frame {
	key := render.Column{Name: "key", Fields: head("key", layout.Slot{Type: e.m.key}).Fields}
	f := r.frame(w, pickedName(w.call.Args[2]), key, len(r.now), func(v starlark.Value) starlark.Value { return e.m.key.Shown(keyOf(v)) })
	f.parts = append(f.parts, "scan "+render.Took(time.Since(r.start)))
	return f
}

// looksAt calls a function.
func (w *watch) looksAt(fn starlark.Callable) (func() (*frame, error), error) {
	if given(w.call, 2) {
		return nil, fmt.Errorf("%s: by: x is a function, which gives numbers itself", w.call.Name)
	}
	r := newRates(w)
	return func() (*frame, error) {
		v, err := starlark.Call(w.call.Thread, fn, nil, nil)
		if err != nil {
			return nil, err
		}
		samples, by, ok := w.l.samples(v)
		if !ok {
			return &frame{value: v}, nil
		}
		r.begin()
		label := func(v starlark.Value) starlark.Value { return keyOf(v) }
		for _, s := range samples {
			if s.element == nil {
				label = nil
				s.element = starlark.None
			}
			r.add([]byte(keyOf(s.element).String()), s.n, func() starlark.Value { return s.element })
		}
		count := len(samples)
		if ranking := w.l.rankingOf(v); ranking != nil {
			count = ranking.all.count
		}
		return r.frame(w, by, render.Column{Name: "key"}, count, label), nil
	}, nil
}

// sample is a number of something.
type sample struct {
	element starlark.Value // nil: there is but one
	n       quantity
}

// samples are the numbers in what a function returned: a number alone, what top has made, or pairs or a dict of
// numbers.
func (l *Library) samples(v starlark.Value) (samples []sample, by string, ok bool) {
	if n, ok := numberOf(v); ok {
		return []sample{{nil, n}}, "value", true
	}
	if r := l.rankingOf(v); r != nil {
		for i, e := range r.elements {
			if r.pairs {
				e = e.(starlark.Tuple)[0]
			}
			samples = append(samples, sample{e, r.numbers[i]})
		}
		return samples, r.by, true
	}
	var pairs starlark.Indexable
	switch v := v.(type) {
	case *starlark.Dict:
		items := starlark.Tuple{}
		for _, item := range v.Items() {
			items = append(items, item)
		}
		pairs = items
	case *starlark.List:
		pairs = v
	default:
		return nil, "", false
	}
	for i := range pairs.Len() {
		pair, ok := pairs.Index(i).(starlark.Tuple)
		if !ok || len(pair) != 2 {
			return nil, "", false
		}
		n, ok := numberOf(pair[1])
		if !ok {
			return nil, "", false
		}
		samples = append(samples, sample{pair, n})
	}
	return samples, "value", len(samples) > 0
}
