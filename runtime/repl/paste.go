package repl

import (
	"regexp"
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
	if _, ok := cutPrompt(lines[0][len(indent):], firstPrompt); !ok {
		return text
	}
	var entered []string
	for _, l := range lines {
		l = strings.TrimPrefix(l, indent)
		if l, ok := cutPrompt(l, anyPrompt); ok {
			entered = append(entered, l)
		}
	}
	return strings.Join(entered, "\n")
}

// The prompts of bpfsh, with a label or without, and those of the Starlark and Python prompts. The space behind may
// be lost at the end of a line.
var (
	firstPrompt = regexp.MustCompile(`^(?:bpf(?:\([^()]*\))?>|>>>)(?: |$)`)
	anyPrompt   = regexp.MustCompile(`^(?:bpf(?:\([^()]*\))?>|>>>|\.{3,}>|\.{3})(?: |$)`)
)

func cutPrompt(line string, prompt *regexp.Regexp) (rest string, ok bool) {
	at := prompt.FindStringIndex(line)
	if at == nil {
		return line, false
	}
	return line[at[1]:], true
}
