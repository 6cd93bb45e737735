package repl

import (
	"strings"
	"unicode"
)

// cleanPaste makes a pasted text safe to edit and to run: tabs become spaces, as completion would take them;
// line ends become newlines; what a terminal might obey goes away, and so do newlines at the end, for Enter is
// still to be pressed, and the prompts of a transcript.
func cleanPaste(text string) string {
	return strings.TrimRight(stripPrompts(cleanText(text)), "\n")
}

// cleanText does the part of cleanPaste that any text needs which is to stand in the line editor.
func cleanText(text string) string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\t", oneIndent).Replace(text)
	return strings.Map(func(r rune) rune {
		if r != '\n' && (unicode.IsControl(r) || isMark(r)) {
			return -1
		}
		return r
	}, text)
}

// stripPrompts turns a transcript into what was entered in it: the lines with prompts, without them. A transcript
// is a text whose first line has a first prompt, which nothing else in Starlark can begin with; there may be spaces
// before it.
func stripPrompts(text string) string {
	lines := strings.Split(strings.TrimLeft(text, "\n"), "\n")
	indent := indentation(lines[0])
	if _, ok := cutPrompt(lines[0][len(indent):], promptFirst, ">>> "); !ok {
		return text
	}
	var entered []string
	for _, l := range lines {
		l = strings.TrimPrefix(l, indent)
		if l, ok := cutPrompt(l, promptFirst, promptNext, ">>> ", "... "); ok {
			entered = append(entered, l)
		}
	}
	return strings.Join(entered, "\n")
}

func cutPrompt(line string, prompts ...string) (rest string, ok bool) {
	for _, p := range prompts {
		if rest, ok := strings.CutPrefix(line, p); ok {
			return rest, true
		}
		if line == strings.TrimSpace(p) { // the space was lost
			return "", true
		}
	}
	return line, false
}
