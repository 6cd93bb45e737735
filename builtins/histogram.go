package builtins

import (
	"fmt"
	"maps"
	"math"

	"bpfsh/builtins/layout"
	"bpfsh/runtime/method"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Histogram is what hist returns: intervals, and how many numbers lie in each.
type Histogram struct {
	unit   string
	counts map[int]uint64 // by the interval, see intervalOf; none is 0
	fused  bool           // 0 and 1 were counted as one: they are in the interval of 1
	open   bool           // all below 0 were counted as one: they are in the interval of -1
}

var (
	_ starlark.HasAttrs   = (*Histogram)(nil)
	_ starlark.Indexable  = (*Histogram)(nil)
	_ starlark.Sequence   = (*Histogram)(nil)
	_ starlark.Comparable = (*Histogram)(nil)
	_ part                = (*Histogram)(nil)
)

var histogramAttrs = []method.Attr[*Histogram]{
	{Name: "count", Doc: "How many numbers a histogram has.", Get: func(h *Histogram) (starlark.Value, error) { return h.count().Value(), nil }},
}

var histogramMethods = []method.Row[*Histogram]{{
	Name:   "quantile",
	Params: "q",
	Doc: "What a share q of the numbers are less than: a power of two, or 0.\n" +
		"It is the end of the interval in which the number lies that so many are not above. None if there are no numbers.",
	Example: `latency = hist([90, 200, 340], unit="usecs")
latency.quantile(0.99)    # 512`,
	Run: func(h *Histogram, c method.Call) (starlark.Value, error) {
		q, ok := starlark.AsFloat(c.Args[0])
		if !ok || !(q >= 0 && q <= 1) {
			return nil, c.Bad("q", c.Args[0], "a number from 0 to 1")
		}
		count := h.count().Float()
		sum := 0.0
		for _, i := range h.intervals() {
			if sum += float64(h.counts[i]); h.counts[i] > 0 && sum >= q*count {
				return edge(i + 1).value(), nil
			}
		}
		return starlark.None, nil
	},
}}

var histogramTable = method.NewTable("histogram", histogramAttrs, histogramMethods)

func (h *Histogram) add(i int, n uint64) {
	if h.counts == nil {
		h.counts = map[int]uint64{}
	}
	h.counts[i] += n
}

func (h *Histogram) count() (t layout.Total) {
	for _, n := range h.counts {
		one, _ := layout.TotalOf(starlark.MakeUint64(n)) // it fits
		t = t.Plus(one)
	}
	return t
}

// intervals are those from the first to the last that is not empty.
func (h *Histogram) intervals() (numbers []int) {
	if len(h.counts) == 0 {
		return nil
	}
	first, last := math.MaxInt, math.MinInt
	for i := range h.counts {
		first, last = min(first, i), max(last, i)
	}
	for i := first; i <= last; i++ {
		numbers = append(numbers, i)
	}
	return numbers
}

// least is where an interval begins.
func (h *Histogram) least(i int) quantity {
	switch {
	case h.fused && i == 1:
		return quantity{}
	case h.open && i == -1:
		return quantity{part: math.Inf(-1), isFloat: true}
	default:
		return edge(i)
	}
}

func (h *Histogram) Type() string          { return "histogram" }
func (h *Histogram) Freeze()               {} // it never changes
func (h *Histogram) Truth() starlark.Bool  { return len(h.counts) > 0 }
func (h *Histogram) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: histogram") }
func (h *Histogram) AttrNames() []string   { return histogramTable.Names() }
func (h *Histogram) Len() int              { return len(h.intervals()) }
func (h *Histogram) size() float64         { return h.count().Float() }

func (h *Histogram) Attr(name string) (starlark.Value, error) { return histogramTable.Attr(h, name) }

func (h *Histogram) String() string {
	numbers := h.intervals()
	if len(numbers) == 0 {
		return "<histogram of 0>"
	}
	return fmt.Sprintf("<histogram of %s from %s to %s>", h.count().Value(), h.least(numbers[0]).value(), edge(numbers[len(numbers)-1]+1).value())
}

// Index is an interval, with how many numbers lie in it.
func (h *Histogram) Index(i int) starlark.Value {
	row := h.row(h.intervals()[i])
	return layout.NewFacts("interval").Add("min", row[0]).Add("max", row[1]).Add("count", row[2])
}

func (h *Histogram) row(i int) []starlark.Value {
	return []starlark.Value{h.least(i).value(), edge(i + 1).value(), starlark.MakeUint64(h.counts[i])}
}

func (h *Histogram) Iterate() starlark.Iterator {
	all := starlark.Tuple{}
	for i := range h.Len() {
		all = append(all, h.Index(i))
	}
	return all.Iterate()
}

// CompareSameType finds two of them equal that have counted the same.
func (h *Histogram) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	other := y.(*Histogram)
	equal := h.fused == other.fused && h.open == other.open && maps.Equal(h.counts, other.counts)
	switch op {
	case syntax.EQL:
		return equal, nil
	case syntax.NEQ:
		return !equal, nil
	}
	return false, fmt.Errorf("histogram %s histogram not implemented", op)
}

// Picture is bars.
func (h *Histogram) Picture() render.Picture { return h.labelled("") }

func (h *Histogram) labelled(label string) render.Picture {
	p := &render.Histogram{Label: label, Unit: h.unit}
	for _, i := range h.intervals() {
		p.Buckets = append(p.Buckets, render.Bucket{Min: h.least(i).float(), Max: edge(i + 1).float(), Count: float64(h.counts[i])})
	}
	return p
}

// Rows are the intervals.
func (h *Histogram) Rows() (render.Rows, error) {
	return &sliceRows{columns: []render.Column{{Name: "min"}, {Name: "max"}, {Name: "count"}}, rows: h.rows()}, nil
}

func (h *Histogram) rows() (rows [][]starlark.Value) {
	for _, i := range h.intervals() {
		rows = append(rows, h.row(i))
	}
	return rows
}

// MarshalJSON is json.encode of the intervals.
func (h *Histogram) MarshalJSON() ([]byte, error) { return render.JSON(h) }
