package render

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Rates is numbers that are looked at again and again, and how fast they grow.
type Rates struct {
	Ranked
	Rows  []RateRow
	More  int           // elements that are not among them
	Noun  string        // what an element is: "key"
	Every time.Duration // from one look to the next
}

// RateRow is how fast one number grows.
type RateRow struct {
	Now     float64   // for each second; NaN: that is not known yet
	Note    string    // in its place: "reset"
	Peak    float64   // the greatest so far; NaN as Now
	History []float64 // what Now was, the latest at the end; NaN where it was not known
	Mark    string    // "+" of a new one, "~" of one that has changed
}

// Draw has a line for each number, up to the options' limit.
func (r *Rates) Draw(o Options) string {
	columns, rows := r.columns(o)
	more := r.More
	if o.Limit > 0 && len(rows) > o.Limit {
		more += len(rows) - o.Limit
		rows = rows[:o.Limit]
	}
	c := &chart{columns: append([]chartColumn{{}}, columns...), least: 10, most: 60, drop: 1}
	c.columns = append(c.columns, chartColumn{name: "now/s", right: true}, chartColumn{name: "peak/s", right: true, drop: 2})
	long := 0
	for i, cells := range rows {
		row := r.Rows[i]
		now := known(row.Now)
		if row.Note != "" {
			now = row.Note
		}
		c.rows = append(c.rows, append(append([]string{row.Mark}, cells...), now, known(row.Peak)))
		long = max(long, len(row.History))
	}
	if long > 0 {
		c.most = max(c.least, min(c.most, long))
		c.drawn = func(row, cells int) string { return history(r.Rows[row].History, min(cells, long), o.ASCII) }
		c.title = func(cells int) string {
			return "last " + strings.Replace((time.Duration(min(cells, long))*r.Every).String(), "m0s", "m", 1)
		}
	}
	out := c.lines(o)
	var last []string
	if more > 0 {
		line := fmt.Sprintf("%s %s more", o.signs().gap, Count(more))
		if r.Noun != "" {
			line += " " + r.Noun + "s"
		}
		last = append(last, line)
	}
	if c.wide && len(rows) > 1 {
		last = append(last, "each line of rates has its own scale")
	}
	if len(last) > 0 {
		out = append(out, o.aside(snip("  "+strings.Join(last, "; "), o.drawnWidth(), o.ASCII)))
	}
	return strings.Join(out, "\n")
}

func known(rate float64) string {
	if math.IsNaN(rate) {
		return ""
	}
	return Short(rate)
}

// history is a sparkline of the last cells values, with room for those that are not known.
func history(values []float64, cells int, ascii bool) string {
	values = values[max(0, len(values)-cells):]
	line := []rune(Sparkline(values, ascii))
	for i, v := range values {
		if math.IsNaN(v) {
			line[i] = ' '
		}
	}
	return strings.Repeat(" ", cells-len(line)) + string(line)
}
