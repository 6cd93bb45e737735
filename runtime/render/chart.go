package render

import (
	"context"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// chart is rows of cells with a picture behind each. Where there is little room the pictures become shorter, then what is
// of least use goes, and at last the widest text is cut.
type chart struct {
	columns []chartColumn
	rows    [][]string
	drawn   func(row, cells int) string // nil: there are no pictures
	least   int                         // characters of a picture
	most    int
	drop    int                    // as of a column; 0: they stay
	title   func(cells int) string // of the pictures, in the head; nil: they have none
	wall    string                 // before each picture
	tails   []string               // behind the pictures; nil: there are none
	wide    bool                   // that there was room for pictures, when it was laid out
}

type chartColumn struct {
	name  string
	right bool
	drop  int  // the greatest goes first; 0: it stays
	cut   bool // its cells may be cut
}

// lines lays the chart out: the head, if the columns have names, and the rows.
func (c *chart) lines(o Options) []string {
	total := o.drawnWidth()
	widths := c.widths(o.Context)
	tail := 0
	for _, t := range c.tails {
		tail = max(tail, width(t))
	}
	picture := c.least + width(c.wall)
	if c.drawn == nil {
		picture = 0
	}
	used := func() int {
		n := 0
		for i := range c.columns {
			if widths[i] >= 0 {
				n += widths[i] + 2
			}
		}
		if picture == 0 {
			n -= 2
		}
		return n + picture + tail
	}
	for used() > total {
		worst := -1
		for i, col := range c.columns {
			if widths[i] >= 0 && col.drop > 0 && (worst < 0 || col.drop > c.columns[worst].drop) {
				worst = i
			}
		}
		switch {
		case picture > 0 && c.drop > 0 && (worst < 0 || c.drop > c.columns[worst].drop):
			picture = 0
		case worst >= 0:
			widths[worst] = -1
		default:
			c.squeeze(widths, used()-total)
			return c.write(o, widths, picture-width(c.wall))
		}
	}
	if picture > 0 {
		picture = min(c.most+width(c.wall), picture+total-used())
	}
	return c.write(o, widths, picture-width(c.wall))
}

// widths are those of the columns.
func (c *chart) widths(ctx context.Context) []int {
	widths := make([]int, len(c.columns))
	for i, col := range c.columns {
		widths[i] = width(col.name)
		for _, r := range c.rows {
			if stopped(ctx) != nil {
				break
			}
			widths[i] = max(widths[i], width(r[i]))
		}
	}
	return widths
}

// squeeze takes characters from the widest of the columns that may be cut.
func (c *chart) squeeze(widths []int, over int) {
	const least = 4
	for ; over > 0; over-- {
		widest := -1
		for i, col := range c.columns {
			if col.cut && widths[i] > least && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		widths[widest]--
	}
}

func (c *chart) write(o Options, widths []int, picture int) []string {
	c.wide = picture > 0
	var out []string
	if slices.ContainsFunc(c.columns, func(col chartColumn) bool { return col.name != "" }) {
		var names []string
		for _, col := range c.columns {
			names = append(names, col.name)
		}
		line := c.line(o, widths, names)
		if picture > 0 && c.title != nil {
			line += snip(c.title(picture), picture, o.ASCII)
		}
		out = append(out, o.head(snip(strings.TrimRight(line, " "), o.drawnWidth(), o.ASCII)))
	}
	for i, r := range c.rows {
		if stopped(o.Context) != nil {
			break
		}
		line := c.line(o, widths, r)
		before := width(line)
		if picture > 0 {
			line += c.wall + c.drawn(i, picture)
		}
		if c.tails != nil && c.tails[i] != "" {
			line = text.Pad(line, before+max(0, picture)+width(c.wall), ' ') + c.tails[i]
		}
		out = append(out, snip(strings.TrimRight(line, " "), o.drawnWidth(), o.ASCII))
	}
	return out
}

// line is the cells, and the gap behind each.
func (c *chart) line(o Options, widths []int, cells []string) string {
	var sb strings.Builder
	for i, col := range c.columns {
		if widths[i] < 0 {
			continue
		}
		cell := snip(cells[i], widths[i], o.ASCII)
		gap := strings.Repeat(" ", widths[i]-width(cell))
		if col.right {
			sb.WriteString(gap + cell + "  ")
		} else {
			sb.WriteString(cell + gap + "  ")
		}
	}
	return sb.String()
}
