package repl

import (
	"io"
	"strings"

	"bpfsh/runtime"

	"go.starlark.net/syntax"
)

// block is what one prompt and the continuations after it have brought so far.
type block struct {
	lines   []blockLine
	entries int // how often add was called
}

type blockLine struct {
	text string
	// typed says that the line was entered alone. A blank one ends an indented block then, as everywhere in the
	// Starlark and Python prompts; in a paste it is only a blank line.
	typed bool
}

// add appends what was entered: a line, or several at once.
func (b *block) add(text string) {
	b.entries++
	if b.entries == 1 {
		text = dedent(text)
	}
	lines := strings.Split(text, "\n")
	for _, l := range lines {
		b.lines = append(b.lines, blockLine{l, len(lines) == 1})
	}
}

// text is the block without blank lines at its end.
func (b *block) text() string {
	n := len(b.lines)
	for n > 0 && isBlank(b.lines[n-1].text) {
		n--
	}
	texts := make([]string, n)
	for i := range texts {
		texts[i] = b.lines[i].text
	}
	return strings.Join(texts, "\n")
}

// open says whether the block wants another line. A block with an error in it does not: the error is found again
// when it is parsed as a whole.
//
// What is entered at once, by a paste or out of the history, is complete if it parses. Else the interpreter's
// parser for prompts decides, one statement after the other. It is not used for more than that, because it drops
// the line that it reads behind an indented block, and takes a comment line in one for its end.
func (b *block) open() bool {
	if b.entries == 1 && len(b.lines) > 1 {
		if _, err := runtime.ChunkOptions().Parse(fileName, b.text(), 0); err == nil {
			return false
		}
	}
	next := 0
	for {
		for next < len(b.lines) && (isBlank(b.lines[next].text) || isComment(b.lines[next].text)) {
			next++
		}
		if next == len(b.lines) {
			return false
		}
		wanted := false
		f, err := runtime.ChunkOptions().ParseCompoundStmt(fileName, func() ([]byte, error) {
			for next < len(b.lines) && b.skip(next) {
				next++
			}
			if next == len(b.lines) {
				wanted = true
				return nil, io.EOF
			}
			next++
			return []byte(b.lines[next-1].text + "\n"), nil
		})
		switch {
		case wanted:
			return true
		case err != nil:
			return false
		case isCompound(f) && !isBlank(b.lines[next-1].text):
			next-- // the line that ended the statement begins another
		}
	}
}

// skip says whether a line within a statement means nothing: a comment, or a blank line of a paste.
func (b *block) skip(i int) bool {
	l := b.lines[i]
	if !isComment(l.text) {
		return isBlank(l.text) && !l.typed
	}
	if !strings.Contains(l.text, `"""`) && !strings.Contains(l.text, `'''`) {
		return true // even inside a string, for it does not end it
	}
	// In a string, a blank line ends nothing.
	before := block{lines: append(b.lines[:i:i], blockLine{"", true})}
	return !before.open()
}

// indent is what the next line starts with.
func (b *block) indent() string {
	for i := len(b.lines) - 1; i >= 0; i-- {
		line := b.lines[i].text
		if isBlank(line) {
			continue
		}
		indent := indentation(line)
		if !strings.ContainsAny(line, `"'`) {
			line, _, _ = strings.Cut(line, "#")
		}
		if strings.HasSuffix(strings.TrimSpace(line), ":") {
			indent += oneIndent
		}
		return indent
	}
	return ""
}

const oneIndent = "    "

func isCompound(f *syntax.File) bool {
	if len(f.Stmts) != 1 {
		return false
	}
	switch f.Stmts[0].(type) {
	case *syntax.DefStmt, *syntax.IfStmt, *syntax.ForStmt, *syntax.WhileStmt:
		return true
	}
	return false
}

func isBlank(line string) bool   { return strings.TrimSpace(line) == "" }
func isComment(line string) bool { return strings.HasPrefix(strings.TrimSpace(line), "#") }

func indentation(line string) string {
	return line[:len(line)-len(strings.TrimLeft(line, " \t"))]
}

// dedent takes the first line's indentation from all lines, if all have it: what was copied out of a function is
// a statement here.
func dedent(text string) string {
	lines := strings.Split(text, "\n")
	indent := ""
	for _, l := range lines {
		if !isBlank(l) {
			indent = indentation(l)
			break
		}
	}
	for i, l := range lines {
		rest, ok := strings.CutPrefix(l, indent)
		if !ok && !isBlank(l) {
			return text
		}
		lines[i] = rest
	}
	return strings.Join(lines, "\n")
}
