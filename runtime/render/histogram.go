package render

import (
	"fmt"
	"math"
	"strings"
)

// Histogram is how many numbers lie in each of some intervals, as bpftrace draws it, with the share of those up to
// there.
type Histogram struct {
	Label   string // what the numbers are of; "" for nothing
	Unit    string // of the numbers; "" for none
	Buckets []Bucket
}

// Bucket is an interval and how many numbers lie in it: from Min up to Max, without Max. Both are powers of two, their
// negatives, or 0; or there is no Min, which is infinite then.
type Bucket struct {
	Min, Max float64
	Count    float64
}

func (b Bucket) String() string {
	least := "[" + Power(b.Min)
	if math.IsInf(b.Min, 0) {
		least = "(-inf"
	}
	return least + ", " + Power(b.Max) + ")"
}

// Draw has a line for each interval from the first to the last that is not empty.
func (h *Histogram) Draw(o Options) string {
	total, most := 0.0, 0.0
	for _, b := range h.Buckets {
		total += b.Count
		most = max(most, b.Count)
	}
	out := wrapped(h.headline(total), o)
	for i := range out {
		out[i] = o.head(out[i])
	}
	if total == 0 {
		return strings.Join(out, "\n")
	}
	c := &chart{
		columns: []chartColumn{{right: true}, {right: true}, {right: true, drop: 1}},
		least:   4, most: 100, wall: o.signs().wall,
	}
	var counts []float64
	cumulative := 0.0
	buckets := h.trimmed()
	for i := 0; i < len(buckets); i++ {
		if n := empty(buckets[i:]); n >= worthCutting {
			c.rows, counts = append(c.rows, []string{o.signs().gap, "", ""}), append(counts, 0)
			i += n - 1
			continue
		}
		b := buckets[i]
		cumulative += b.Count
		c.rows = append(c.rows, []string{b.String(), Short(b.Count), Percent(cumulative / total)})
		counts = append(counts, b.Count)
	}
	c.drawn = func(row, cells int) string { return Bar(counts[row]/most, cells, o.ASCII) }
	return strings.Join(append(out, c.lines(o)...), "\n")
}

// worthCutting is how many empty intervals stand as one line.
const worthCutting = 4

// headline is what the numbers are, how many, and below what most of them lie.
func (h *Histogram) headline(total float64) []string {
	var parts []string
	for _, part := range []string{h.Label, h.Unit} {
		if part != "" {
			parts = append(parts, escapeLine(part))
		}
	}
	parts = append(parts, "n="+Short(total))
	if total == 0 {
		return parts
	}
	for _, q := range []int{50, 90, 99} {
		if b, ok := h.Quantile(float64(q) / 100); ok {
			parts = append(parts, fmt.Sprintf("p%d %s", q, b))
		}
	}
	return parts
}

// Quantile is the interval in which the number lies that a share q of all are not above. ok is false if there are none.
func (h *Histogram) Quantile(q float64) (b Bucket, ok bool) {
	total, sum := 0.0, 0.0
	for _, b := range h.Buckets {
		total += b.Count
	}
	for _, b := range h.Buckets {
		if sum += b.Count; b.Count > 0 && sum >= q*total {
			return b, true
		}
	}
	return Bucket{}, false
}

// trimmed are the buckets without the empty ones at both ends.
func (h *Histogram) trimmed() []Bucket {
	buckets := h.Buckets
	buckets = buckets[empty(buckets):]
	for n := len(buckets); n > 0 && buckets[n-1].Count == 0; n-- {
		buckets = buckets[:n-1]
	}
	return buckets
}

// empty is how many of the first buckets are.
func empty(buckets []Bucket) (n int) {
	for n < len(buckets) && buckets[n].Count == 0 {
		n++
	}
	return n
}

// wrapped puts parts on lines that fit.
func wrapped(parts []string, o Options) []string {
	const gap = "  "
	var out []string
	line := ""
	for _, part := range parts {
		part = snip(part, o.drawnWidth(), o.ASCII)
		switch {
		case line == "":
			line = part
		case width(line)+len(gap)+width(part) > o.drawnWidth():
			out, line = append(out, line), part
		default:
			line += gap + part
		}
	}
	return append(out, line)
}
