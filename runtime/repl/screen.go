package repl

import "github.com/chzyer/readline"

// screenWidth is the width for readline, which divides by it, and never comes back from drawing a line if the
// prompt fills the screen's.
func (e *Editor) screenWidth() int {
	least := 2 * int(e.prompt.Load())
	if w, _, err := readline.GetSize(int(e.out.Fd())); err == nil && w > 0 {
		return max(w, least)
	}
	return max(80, least)
}

// screenSize is the space for a list.
func (e *Editor) screenSize() (columns, rows int) {
	columns, rows, err := readline.GetSize(int(e.out.Fd()))
	if err != nil || columns <= 0 || rows <= 0 {
		return 80, 24
	}
	return max(columns, 20), rows
}

// noticeWidth tells readline of a new width. It is called between keys, and not by SIGWINCH, because readline does
// not lock what depends on the width.
func (e *Editor) noticeWidth() {
	e.width.Lock()
	defer e.width.Unlock()
	if w := int32(e.screenWidth()); w != e.columns.Load() {
		e.columns.Store(w)
		e.resized()
	}
}

// noticePrompt is noticeWidth before a prompt is shown.
func (e *Editor) noticePrompt(prompt string) {
	e.prompt.Store(int32(len(prompt)))
	e.noticeWidth()
}

// change is called by readline after each key. What it returns, if ok, replaces the line.
func (e *Editor) change(line []rune, pos int, key rune) (newLine []rune, newPos int, ok bool) {
	if key == 0 {
		return nil, 0, false // the start of a line
	}
	e.noticeWidth()
	switch key {
	case pasteMark:
		return insertPaste(line, pos, e.keys.paste())
	case deleteMark:
		return deleteAt(line, pos)
	}
	return nil, 0, false
}
