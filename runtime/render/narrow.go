package render

import (
	"context"
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// narrowest is the least width that rows are fitted into.
const narrowest = 20

// recordView puts the cells of each row one below the other, for rows that are wider than the terminal:
//
//	-[ entry 1 ]-
//	saddr    10.0.0.1
//	packets  3
func (t *Table) recordView(rows [][]string, o Options) string {
	noun := t.Noun
	if noun == "" {
		noun = "row"
	}
	var out []string
	for i, r := range rows {
		if stopped(o.Context) != nil {
			break
		}
		head := snip(fmt.Sprintf("-[ %s %d ]-", noun, t.before+i+1), o.Width, o.ASCII)
		if o.Color {
			head = bold(head)
		}
		out = append(append(out, head), pairs(t.names(), r, o))
	}
	return strings.Join(out, "\n")
}

// fieldView is the table of one record, whose second column is too wide.
func (t *Table) fieldView(rows [][]string, o Options) string {
	var names, values []string
	for _, r := range append([][]string{t.names()}, rows...) {
		names, values = append(names, r[0]), append(values, r[1])
	}
	head, rest, _ := strings.Cut(pairs(names, values, o), "\n")
	if o.Color {
		head = bold(head)
	}
	return head + "\n" + rest
}

// pairs writes a line for each name and its value. A value that is too long goes on below itself.
func pairs(names, values []string, o Options) string {
	left, limit := 0, o.Width
	for _, name := range names {
		left = max(left, width(name))
	}
	left = min(left, limit/2)
	var out []string
	for i, value := range values {
		name := text.Pad(snip(names[i], left, o.ASCII), left, ' ')
		for _, piece := range wrap(value, limit-left-2) {
			out = append(out, strings.TrimRight(name+"  "+piece, " "))
			name = strings.Repeat(" ", left)
		}
	}
	return strings.Join(out, "\n")
}

// wrap cuts a line into pieces that are no wider than limit.
func wrap(line string, limit int) []string {
	var pieces []string
	start, used := 0, 0
	for i, r := range line {
		w := text.RuneWidth(r)
		if used+w > limit {
			pieces = append(pieces, line[start:i])
			start, used = i, 0
		}
		used += w
	}
	return append(pieces, line[start:])
}

// snip cuts a text that is wider than limit, and says so.
func snip(s string, limit int, ascii bool) string {
	if width(s) <= limit {
		return s
	}
	return wrap(s, max(limit-1, 0))[0] + cutMark(ascii)
}

// cutMark stands for what was cut off.
func cutMark(ascii bool) string {
	if ascii {
		return "~"
	}
	return "…"
}

// width is how much of a line a text takes on a terminal.
func width(s string) int { return text.StringWidthWithoutEscSequences(s) }

// widest is the width of the widest line.
func widest(ctx context.Context, lines string) (n int) {
	for l := range strings.SplitSeq(lines, "\n") {
		if stopped(ctx) != nil {
			break
		}
		n = max(n, width(l))
	}
	return n
}

func bold(line string) string { return "\x1b[1m" + line + "\x1b[0m" }
func dim(line string) string  { return "\x1b[2m" + line + "\x1b[0m" }
