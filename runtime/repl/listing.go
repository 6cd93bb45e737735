package repl

import (
	"fmt"
	"strings"

	"bpfsh/runtime/render"

	"github.com/chzyer/readline"
)

// insertion is what a TAB puts behind the text: what all candidates have in common, and the end of the only one. It
// is empty where the candidates must be listed.
func (c Completion) insertion(before string) string {
	if len(c.Candidates) == 0 {
		return ""
	}
	shared := c.Candidates[0].Text
	for _, other := range c.Candidates[1:] {
		for !strings.HasPrefix(other.Text, shared) {
			runes := []rune(shared)
			shared = string(runes[:len(runes)-1])
		}
	}
	insert := strings.TrimPrefix(shared, before[c.From:])
	if len(c.Candidates) == 1 {
		insert += c.Candidates[0].End
	}
	return insert
}

// list shows the candidates below each other with their docs, if they are few, else in columns. What does not fit is
// counted. There is no newline at the end, and "" for nothing to show.
func (c Completion) list(columns, rows int) string {
	var lines []string
	if c.Head != "" {
		lines = append(lines, cut(harmless(c.Head), columns))
	}
	most := max(1, min(rows-4, 20))
	if len(c.Candidates) <= most {
		if withDocs := c.described(columns); len(withDocs) > 0 {
			return strings.Join(append(lines, withDocs...), "\n")
		}
	}
	widest := 0
	texts := make([]string, min(len(c.Candidates), most*columns/2))
	for i := range texts {
		texts[i] = cut(harmless(c.Candidates[i].Text), columns)
		widest = max(widest, width(texts[i]))
	}
	perLine := max(1, (columns+1)/(widest+2))
	shown := min(len(texts), perLine*most)
	height := (shown + perLine - 1) / perLine
	for row := range height {
		var sb strings.Builder
		for i := row; i < shown; i += height { // down the columns, as ls does
			if i+height >= shown {
				sb.WriteString(texts[i])
				break
			}
			sb.WriteString(texts[i] + strings.Repeat(" ", widest+2-width(texts[i])))
		}
		lines = append(lines, sb.String())
	}
	if left := len(c.Candidates) - shown; left > 0 {
		lines = append(lines, fmt.Sprintf("... %d more", left))
	}
	return strings.Join(lines, "\n")
}

// described are lines with a candidate and its doc. There are none if no candidate has one.
func (c Completion) described(columns int) []string {
	widest, docs := 0, false
	for _, cand := range c.Candidates {
		widest = max(widest, width(harmless(cand.Text)))
		docs = docs || cand.Doc != ""
	}
	if !docs || widest > columns/2 {
		return nil
	}
	var lines []string
	for _, cand := range c.Candidates {
		text := harmless(cand.Text)
		line := text + strings.Repeat(" ", widest-width(text)+2) + harmless(cand.Doc)
		lines = append(lines, strings.TrimRight(cut(line, columns), " "))
	}
	return lines
}

// harmless is a text from a map or a file system, fit for a line of a terminal.
func harmless(text string) string {
	return inLine.Replace(render.Escape(text))
}

var inLine = strings.NewReplacer("\n", `\n`, "\t", `\t`)

// width is the number of columns that a text takes.
func width(text string) int { return readline.Runes{}.WidthAll([]rune(text)) }

// cut is a text that is narrower than the screen, so that the terminal does not wrap it.
func cut(text string, columns int) string {
	if width(text) < columns {
		return text
	}
	runes := []rune(text)
	for len(runes) > 0 && width(string(runes)) > columns-4 {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "..."
}
