package builtins

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"math"
	"time"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/runtime/method"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
)

// rates are numbers that are looked at again and again, of keys that come and go. It remembers the number of every key,
// so that a key's rate is known also when it comes among the greatest; that is some 40 bytes for each.
//
// N is a number: quantity, or the rank of one, which takes less room.
type rates[N any] struct {
	compare func(a, b N) int
	minus   func(a, b N) float64
	byRate  bool
	top     int

	seed    maphash.Seed
	start   time.Time // of this look
	elapsed time.Duration
	looks   int
	before  map[uint64]N // by the hash of the key
	now     map[uint64]N
	tracks  map[uint64]*track // of keys that are shown, or were
	best    *greatest[pace[N]]
}

// pace is a number, and how fast it grows.
type pace[N any] struct {
	key  uint64
	n    N
	rate float64 // NaN: it is not known
	note string  // "new", "reset" or ""
	same bool    // as the look before
}

// track is how fast a key's number has grown.
type track struct {
	history []float64
	peak    float64
	unseen  int // looks since it was shown
}

// longest is how many looks back a track goes.
const longest = 60

func newRates[N any](w *watch, compare func(a, b N) int, minus func(a, b N) float64) *rates[N] {
	return &rates[N]{
		compare: compare, minus: minus, byRate: w.byRate, top: w.top,
		seed: maphash.MakeSeed(), before: map[uint64]N{}, now: map[uint64]N{}, tracks: map[uint64]*track{},
	}
}

// begin begins a look.
func (r *rates[N]) begin() {
	start := time.Now()
	r.elapsed, r.start = start.Sub(r.start), start
	r.looks++
	r.before, r.now = r.now, r.before
	clear(r.now)
	r.best = &greatest[pace[N]]{less: func(a, b pace[N]) (bool, error) { return r.less(a, b), nil }, n: r.top}
}

func (r *rates[N]) less(a, b pace[N]) bool {
	if r.byRate {
		known := func(p pace[N]) float64 {
			if math.IsNaN(p.rate) {
				return -1
			}
			return p.rate
		}
		if n := cmp.Compare(known(a), known(b)); n != 0 {
			return n < 0
		}
	}
	return r.compare(a.n, b.n) < 0
}

// add is one key's number. element is asked for if it is among the greatest so far.
func (r *rates[N]) add(key []byte, n N, element func() starlark.Value) {
	p := r.pace(maphash.Bytes(r.seed, key), n)
	r.now[p.key] = n
	if len(r.best.kept) < r.top || r.less(r.best.kept[0].rank, p) {
		r.best.put(p, element())
	}
}

// pace compares a number with what it was.
func (r *rates[N]) pace(key uint64, n N) pace[N] {
	p := pace[N]{key: key, n: n, rate: math.NaN()}
	before, known := r.before[key]
	switch {
	case r.looks == 1:
		p.same = true
	case !known:
		p.note = "new"
	default:
		grown := r.minus(n, before)
		if p.same = grown == 0; grown < 0 {
			p.note = "reset"
		} else {
			p.rate = grown / r.elapsed.Seconds()
		}
	}
	return p
}

// end ends a look: the paces of the greatest, and their tracks.
func (r *rates[N]) end() (elements []starlark.Value, paces []pace[N], tracks []*track) {
	list, _ := r.best.list() // its order cannot fail
	for key, t := range r.tracks {
		n, ok := r.now[key]
		rate := math.NaN()
		if ok {
			rate = r.pace(key, n).rate
		}
		t.add(rate)
		if t.unseen++; t.unseen > longest {
			delete(r.tracks, key)
		}
	}
	for i, e := range r.best.kept {
		t := r.tracks[e.rank.key]
		if t == nil {
			t = &track{peak: math.NaN()}
			if r.looks > 1 { // the first has no rates
				t.add(e.rank.rate)
			}
			r.tracks[e.rank.key] = t
		}
		t.unseen = 0
		elements, paces, tracks = append(elements, list.Index(i)), append(paces, e.rank), append(tracks, t)
	}
	return elements, paces, tracks
}

func (t *track) add(rate float64) {
	if t.history = append(t.history, rate); len(t.history) > longest {
		t.history = t.history[1:]
	}
	if !(rate <= t.peak) && !math.IsNaN(rate) {
		t.peak = rate
	}
}

// frame is what a look has come to, of count keys. number is a number of it as a quantity, and label what people see of an element.
func (r *rates[N]) frame(w *watch, by string, key render.Column, count int, number func(N) quantity, label func(starlark.Value) starlark.Value) *frame {
	elements, paces, tracks := r.end()
	out := &render.Rates{Ranked: render.Ranked{By: by, Head: "key"}, More: count - len(elements), Every: w.every}
	rows := &sliceRows{columns: []render.Column{key, {Name: "value"}, {Name: "rate"}, {Name: "note"}}}
	for i, p := range paces {
		n := number(p.n)
		out.Values = append(out.Values, n.float())
		if label != nil {
			out.Elements = append(out.Elements, label(elements[i]))
		}
		row := render.RateRow{Now: p.rate, Peak: tracks[i].peak, History: tracks[i].history}
		switch {
		case p.note == "new":
			row.Mark = "+"
		case p.note != "":
			row.Mark, row.Note = "~", p.note
		case !p.same:
			row.Mark = "~"
		}
		out.Rows = append(out.Rows, row)
		var rate, note starlark.Value = starlark.None, starlark.None
		if !math.IsNaN(p.rate) {
			rate = starlark.Float(p.rate)
		}
		if p.note != "" {
			note = starlark.String(p.note)
		}
		rows.rows = append(rows.rows, []starlark.Value{keyOf(elements[i]), n.value(), rate, note})
	}
	f := &frame{rates: out, rows: rows}
	if label == nil {
		rows.columns = rows.columns[1:]
		for i := range rows.rows {
			rows.rows[i] = rows.rows[i][1:]
		}
	} else {
		out.Noun = "key"
		f.parts = append(f.parts, keysIn(count))
	}
	return f
}

// keyOf is the key of an element.
func keyOf(v starlark.Value) starlark.Value {
	if pair, ok := v.(starlark.Tuple); ok && len(pair) == 2 {
		return pair[0]
	}
	return v
}

func keysIn(n int) string {
	if n == 1 {
		return "1 key"
	}
	return render.Count(n) + " keys"
}

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
	if column.column.Sums() {
		r := newRates(w, layout.Total.Compare, func(a, b layout.Total) float64 { return a.Minus(b).Float() })
		return looksAtColumnOf(w, column, r, column.column.Number, func(t layout.Total) quantity { return quantity{whole: t} })
	}
	r := newRates(w, cmp.Compare[uint64], func(a, b uint64) float64 {
		if a < b {
			return -float64(b - a)
		}
		return float64(a - b)
	})
	return looksAtColumnOf(w, column, r, column.column.Rank, column.ranked)
}

func looksAtColumnOf[N any](w *watch, column rawColumn, r *rates[N], rankOf func([]byte, int) N, number func(N) quantity) func() (*frame, error) {
	k := int(column.entries.m.info.KeySize)
	return func() (*frame, error) {
		r.begin()
		err := column.each(w.call, func(b engine.Batch, values []byte) error {
			for i := range b.N {
				r.add(b.Keys[i*k:(i+1)*k], rankOf(values, i), func() starlark.Value { return column.element(b, i) })
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		return w.entriesFrame(r.start, frameOf(r, w, column.entries, number)), nil
	}
}

// looksAtEntries goes through entries as a script would.
func (w *watch) looksAtEntries(e *entries, pick func(starlark.Value) (starlark.Value, error)) func() (*frame, error) {
	r := newRates(w, quantity.compare, quantity.minus)
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
		return w.entriesFrame(r.start, frameOf(r, w, e, func(n quantity) quantity { return n })), nil
	}
}

func frameOf[N any](r *rates[N], w *watch, e *entries, number func(N) quantity) *frame {
	key := render.Column{Name: "key", Fields: head("key", layout.Slot{Type: e.m.key}).Fields}
	return r.frame(w, pickedName(w.call.Args[2]), key, len(r.now), number, func(v starlark.Value) starlark.Value { return e.m.key.Shown(keyOf(v)) })
}

// entriesFrame says in the head what was gone through, and how long that took.
func (w *watch) entriesFrame(start time.Time, f *frame) *frame {
	f.parts = append(f.parts, "scan "+render.Took(time.Since(start)))
	return f
}

// looksAt calls a function.
func (w *watch) looksAt(fn starlark.Callable) (func() (*frame, error), error) {
	if given(w.call, 2) {
		return nil, fmt.Errorf("%s: by: x is a function, which gives numbers itself", w.call.Name)
	}
	r := newRates(w, quantity.compare, quantity.minus)
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
		return r.frame(w, by, render.Column{Name: "key"}, count, func(n quantity) quantity { return n }, label), nil
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
