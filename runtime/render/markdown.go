package render

import (
	"strings"
	"unicode"
)

// markdown is the table in GitHub's Markdown, with types behind the names of columns, since a table has one head there.
// The title is above it and the footer below; parts follow.
func (t *Table) markdown(o Options) string {
	var blocks []string
	if t.Title != "" || len(t.Columns) == 0 {
		blocks = append(blocks, markdownText(strings.TrimRight(escapeLine(t.Title), " ")))
	}
	if len(t.Columns) > 0 {
		blocks = append(blocks, t.markdownGrid(o))
	}
	if t.Nouns != "" || t.Footer != "" {
		blocks = append(blocks, markdownText(t.footer(nil)))
	}
	for _, part := range t.Parts {
		if stopped(o.Context) != nil {
			break
		}
		blocks = append(blocks, part.markdown(o))
	}
	return strings.Join(blocks, "\n\n")
}

func (t *Table) markdownGrid(o Options) string {
	var sb strings.Builder
	names, types := t.names(), t.types()
	rule := make([]string, len(names))
	for i := range names {
		names[i] = markdownText(names[i])
		if types != nil && types[i] != "" {
			names[i] += " (" + markdownText(types[i]) + ")"
		}
		if rule[i] = "---"; t.numeric(i) {
			rule[i] = "---:"
		}
	}
	line := func(cells []string) { sb.WriteString("| " + strings.Join(cells, " | ") + " |") }
	line(names)
	sb.WriteByte('\n')
	line(rule)
	for _, row := range t.longCells(o) {
		if stopped(o.Context) != nil {
			break
		}
		for i := range row {
			row[i] = markdownText(row[i])
		}
		sb.WriteByte('\n')
		line(row)
	}
	return sb.String()
}

// markdownText takes the meaning from the characters that have one in Markdown: text out of a map must not become a link,
// or HTML, or a column. An underscore within a word has none.
func markdownText(s string) string {
	var sb strings.Builder
	before := ' '
	runes := []rune(s)
	for i, r := range runes {
		switch {
		case strings.ContainsRune("\\`*[]<>|~&$#", r):
			sb.WriteByte('\\')
		case r == '_':
			if i+1 == len(runes) || !wordy(before) || !wordy(runes[i+1]) {
				sb.WriteByte('\\')
			}
		}
		sb.WriteRune(r)
		before = r
	}
	return sb.String()
}

func wordy(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
