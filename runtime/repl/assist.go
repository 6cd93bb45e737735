package repl

import (
	"io"
	"slices"
	"strings"

	"bpfsh/runtime/render"
)

// completer is what TAB does: in the indentation it goes to the next multiple of four, elsewhere it completes, or
// lists how the line can go on.
type completer struct{ editor *Editor }

// Do is readline's AutoCompleter. It returns one text to insert at most: with several, readline would list and
// select by itself, and panic.
func (c completer) Do(line []rune, pos int) (suffixes [][]rune, shared int) {
	defer harden()
	e := c.editor
	if e.asking.Load() {
		return nil, 0
	}
	spaces, ok := indentBefore(line, pos)
	if ok {
		return [][]rune{[]rune(oneIndent[spaces%len(oneIndent):])}, 0
	}
	if e.assistant == nil {
		return nil, 0
	}
	before := decodeLine(string(line[:pos]))
	found := e.assistant.Complete(before)
	if insert := found.insertion(before); insert != "" {
		return [][]rune{[]rune(encodeLine(cleanText(insert)))}, 0
	}
	columns, rows := e.screenSize()
	if list := found.list(columns, rows); list != "" && len(found.Candidates) != 1 {
		io.WriteString(e.rl.Stdout(), list+"\n") // the line is drawn again below
	}
	return nil, 0
}

// harden keeps a bug of ours from ending the shell: readline calls in a goroutine of its own.
func harden() { _ = recover() }

// painter shows our marks, and the hint behind the line.
type painter struct {
	editor  *Editor
	newline rune
}

// Paint is readline's Painter. What it returns takes as many columns as line: behind a hint the cursor goes back.
func (p painter) Paint(line []rune, pos int) []rune {
	var styles []style
	if p.editor.color && len(line) <= longestPainted && !p.editor.asking.Load() {
		typed := strings.TrimSuffix(string(line), "\n") // with which readline draws it for the last time
		styles = stylesOf(decodeLine(typed), len(line))
	}
	painted := paint(line, styles, p.newline)
	if hint := p.hint(line, pos); hint != "" {
		return slices.Concat(painted, []rune(hint))
	}
	return painted
}

// longestPainted is the longest line, in runes, that is looked at on each key for its colours and its hint.
const longestPainted = 1000

// hint is the text behind the line with what moves the cursor back. There is none unless the cursor is at the end,
// the hint can be told from what is typed, and there is room: readline must not know of it. A line that ends in a
// newline was entered, and is drawn for the last time.
func (p painter) hint(line []rune, pos int) (text string) {
	defer harden()
	e := p.editor
	if !e.color || pos != len(line) || pos == 0 || pos > longestPainted || line[pos-1] == '\n' || e.assistant == nil || e.asking.Load() {
		return ""
	}
	columns, prompt := int(e.columns.Load()), int(e.prompt.Load())
	room := columns - (prompt+width(string(line)))%columns - 1
	hint := harmless(e.assistant.Hint(decodeLine(string(line))))
	if runes := []rune(hint); width(hint) > room {
		if room < 8 {
			return ""
		}
		for len(runes) > 0 && width(string(runes)) > room-3 {
			runes = runes[:len(runes)-1]
		}
		hint = string(runes) + "..."
	}
	if hint == "" {
		return ""
	}
	return "\x1b[2m" + hint + "\x1b[0m" + strings.Repeat("\b", width(hint))
}

// newlineSign shows a newline in one column: in ASCII if the locale says so.
func newlineSign(getenv func(string) string) rune {
	if render.UTF8(getenv) {
		return '↵'
	}
	return '|'
}
