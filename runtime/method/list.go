package method

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// widest is the last column of help that is used, of a terminal's 80.
const widest = 78

// Wrap breaks a line between its words so that it fits a terminal of 80 columns, with each piece set in by some.
func Wrap(line string, indent int) string {
	var sb strings.Builder
	margin := strings.Repeat(" ", indent)
	used := 0
	for word := range strings.FieldsSeq(line) {
		n := utf8.RuneCountInString(word)
		switch {
		case used == 0:
			sb.WriteString(margin)
			used = indent
		case used+1+n > widest:
			sb.WriteString("\n" + margin)
			used = indent
		default:
			sb.WriteByte(' ')
			used++
		}
		sb.WriteString(word)
		used += n
	}
	return sb.String()
}

// List has a line for each entry: its name and its summary.
func List(entries []Entry) string {
	names := 0
	for _, e := range entries {
		names = max(names, utf8.RuneCountInString(e.Name))
	}
	var lines []string
	for _, e := range entries {
		const gap = 2
		summary := strings.TrimLeft(Wrap(e.Summary(), gap+names+gap), " ")
		lines = append(lines, fmt.Sprintf("  %-*s  %s", names, e.Name, summary))
	}
	return strings.Join(lines, "\n")
}
