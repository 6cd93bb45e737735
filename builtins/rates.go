package builtins

import (
	"hash/maphash"
	"math"
	"time"

	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
)

// rates are numbers that are looked at again and again, of keys that come and go. It remembers the number of every key,
// so that a key's rate is known also when it comes among the greatest; that is some 40 to 80 bytes for each.
type rates struct {
	byRate bool
	top    int

	seed    maphash.Seed
	start   time.Time // of this look
	elapsed time.Duration
	looks   int
	before  map[uint64]uint64 // the state of each number, by the hash of its key
	now     map[uint64]uint64
	tracks  map[uint64]*track // of keys that are shown, or were
	best    *greatest         // of *pace
	floor   *pace             // the least that is kept
}

// pace is a number, and how fast it grows.
type pace struct {
	key     uint64
	element starlark.Value
	n       quantity
	rate    float64 // NaN: it is not known
	note    string  // "new", "reset" or ""
	same    bool    // as the look before
}

// track is how fast a key's number has grown.
type track struct {
	history []float64
	peak    float64
	unseen  int // looks since it was shown
}

// longest is how many looks back a track goes.
const longest = 60

func newRates(w *watch) *rates {
	return &rates{byRate: w.byRate, top: w.top, seed: maphash.MakeSeed(), before: map[uint64]uint64{}, now: map[uint64]uint64{}, tracks: map[uint64]*track{}}
}

// begin begins a look.
func (r *rates) begin() {
	start := time.Now()
	r.elapsed, r.start = start.Sub(r.start), start
	r.looks++
	r.before, r.now = r.now, r.before
	clear(r.now)
	r.best, r.floor = &greatest{n: r.top}, nil
}

// add is one key's number. element is asked for if it is among the greatest so far.
func (r *rates) add(key []byte, n quantity, element func() starlark.Value) {
	// Whole numbers and others have different keys, since they have different states.
	hash := maphash.Bytes(r.seed, key) &^ 1
	if n.isFloat {
		hash |= 1
	}
	state := n.state()
	r.now[hash] = state
	if !r.byRate && r.floor != nil && n.compare(r.floor.n) <= 0 {
		return // whatever its rate is
	}
	p := r.pace(hash, state)
	p.n = n
	if r.floor != nil && !r.less(r.floor, &p) {
		return
	}
	kept := p // p itself stays where it is
	kept.element = element()
	r.best.put(r.rank(&kept), &kept)
	if len(r.best.kept) == r.top {
		r.floor = r.best.kept[0].value.(*pace)
	}
}

// state is 64 bits of a number: enough to tell how far two of them are apart, unless that is 2^63 or more.
func (n quantity) state() uint64 {
	if n.isFloat {
		return math.Float64bits(n.part)
	}
	return n.whole.Low()
}

// pace compares a number's state with what it was.
func (r *rates) pace(key, state uint64) pace {
	p := pace{key: key, rate: math.NaN()}
	before, known := r.before[key]
	switch {
	case r.looks == 1:
		p.same = true
	case !known:
		p.note = "new"
	default:
		grown := float64(int64(state - before))
		if key&1 != 0 {
			grown = math.Float64frombits(state) - math.Float64frombits(before)
		}
		if p.same = grown == 0; grown < 0 {
			p.note = "reset"
		} else {
			p.rate = grown / r.elapsed.Seconds()
		}
	}
	return p
}

// speed orders those first whose rate is not known.
func (p *pace) speed() float64 {
	if math.IsNaN(p.rate) {
		return -1
	}
	return p.rate
}

func (r *rates) less(a, b *pace) bool {
	if r.byRate && a.speed() != b.speed() {
		return a.speed() < b.speed()
	}
	return a.n.compare(b.n) < 0
}

// rank is in the order of less.
func (r *rates) rank(p *pace) starlark.Value {
	if r.byRate {
		return starlark.Tuple{starlark.Float(p.speed()), p.n.value()}
	}
	return p.n.value()
}

// end ends a look: the greatest, and their tracks.
func (r *rates) end() (paces []*pace, tracks []*track) {
	r.best.sort()
	for key, t := range r.tracks {
		rate := math.NaN()
		if state, ok := r.now[key]; ok {
			rate = r.pace(key, state).rate
		}
		t.add(rate)
		if t.unseen++; t.unseen > longest {
			delete(r.tracks, key)
		}
	}
	for _, e := range r.best.kept {
		p := e.value.(*pace)
		t := r.tracks[p.key]
		if t == nil {
			t = &track{peak: math.NaN()}
			if r.looks > 1 { // the first has no rates
				t.add(p.rate)
			}
			r.tracks[p.key] = t
		}
		t.unseen = 0
		paces, tracks = append(paces, p), append(tracks, t)
	}
	return paces, tracks
}

func (t *track) add(rate float64) {
	if t.history = append(t.history, rate); len(t.history) > longest {
		t.history = t.history[1:]
	}
	if !(rate <= t.peak) && !math.IsNaN(rate) {
		t.peak = rate
	}
}

// frame is what a look has come to, of count keys. label is what people see of an element; nil: there is one number alone.
func (r *rates) frame(w *watch, by string, key render.Column, count int, label func(starlark.Value) starlark.Value) *frame {
	paces, tracks := r.end()
	out := &render.Rates{Ranked: render.Ranked{By: by, Head: "key"}, More: count - len(paces), Every: w.every}
	rows := &sliceRows{columns: []render.Column{key, {Name: "value"}, {Name: "rate"}, {Name: "note"}}}
	for i, p := range paces {
		out.Values = append(out.Values, p.n.float())
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
		cells := []starlark.Value{p.n.value(), rate, note}
		if label != nil {
			out.Elements = append(out.Elements, label(p.element))
			cells = append([]starlark.Value{keyOf(p.element)}, cells...)
		}
		rows.rows = append(rows.rows, cells)
	}
	f := &frame{rates: out, rows: rows}
	if label == nil {
		rows.columns = rows.columns[1:]
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
