package repl

import (
	"slices"
	"strings"
)

// readline edits one line. A text of several has newlineMark between them there.

func encodeLine(text string) string { return strings.ReplaceAll(text, "\n", string(newlineMark)) }
func decodeLine(line string) string { return strings.ReplaceAll(line, string(newlineMark), "\n") }

// indentBefore is the number of spaces before pos, if there is nothing else before it on its line of the text.
func indentBefore(line []rune, pos int) (spaces int, ok bool) {
	for spaces < pos && line[pos-spaces-1] == ' ' {
		spaces++
	}
	return spaces, spaces == pos || line[pos-spaces-1] == newlineMark
}

// insertPaste puts a text where its mark was typed, before pos.
func insertPaste(line []rune, pos int, text string) (newLine []rune, newPos int, ok bool) {
	if pos == 0 || line[pos-1] != pasteMark {
		return nil, 0, false
	}
	before, after := line[:pos-1], line[pos:]
	if spaces, ok := indentBefore(before, len(before)); ok && strings.HasPrefix(text, " ") {
		before = before[:len(before)-spaces] // the paste has an indentation of its own
	}
	insert := []rune(encodeLine(text))
	return slices.Concat(before, insert, after), len(before) + len(insert), true
}

// deleteAt deletes what follows the mark before pos, and the mark.
func deleteAt(line []rune, pos int) (newLine []rune, newPos int, ok bool) {
	if pos == 0 || line[pos-1] != deleteMark {
		return nil, 0, false
	}
	return slices.Concat(line[:pos-1], line[min(pos+1, len(line)):]), pos - 1, true
}
