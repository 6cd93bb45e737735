package repl

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/chzyer/readline"
)

// EditorConfig is the terminal that a line editor works on, and its environment.
type EditorConfig struct {
	Stdin  *os.File // must be a terminal
	Stdout *os.File // has the prompt, if it is a terminal
	Stderr *os.File // has it otherwise
	// Getenv answers for HOME, XDG_STATE_HOME, BPFSH_HISTORY, TERM, NO_COLOR and the locale; nil is os.Getenv.
	Getenv func(string) string
}

// Editor is the Console of a terminal. One goroutine may use it; Restore may be called from any other.
type Editor struct {
	in, out *os.File
	rl      *readline.Instance
	keys    *keyReader
	history *history
	paste   bool // the terminal knows bracketed paste

	unmarked bool // a paste that the terminal did not mark is being entered

	width   sync.Mutex // guards the next two
	columns int
	resized func() // tells readline

	tty     sync.Mutex // guards the rest
	saved   *readline.State
	raw     bool
	stopped chan struct{} // closed by Restore
}

var _ Console = (*Editor)(nil)

// NewEditor makes a line editor. It fails if Stdin is not a terminal. A history that cannot be read or written is
// no error here, but one of Remember.
func NewEditor(cfg EditorConfig) (*Editor, error) {
	getenv := cfg.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	e := &Editor{in: cfg.Stdin, out: cfg.Stdout, keys: newKeyReader(cfg.Stdin), stopped: make(chan struct{})}
	if !readline.IsTerminal(int(e.out.Fd())) {
		e.out = cfg.Stderr
	}
	var err error
	if e.saved, err = readline.GetState(int(e.in.Fd())); err != nil {
		return nil, fmt.Errorf("standard input is not a terminal: %w", err)
	}
	dumb := getenv("TERM") == "dumb"
	e.paste = !dumb
	e.columns = e.screenWidth()
	e.rl, err = readline.NewEx(&readline.Config{
		Stdin:                  e.keys,
		Stdout:                 e.out,
		Stderr:                 e.out,
		EOFPrompt:              "\n", // readline's word for none
		HistoryLimit:           historyLimit + 1,
		DisableAutoSaveHistory: true,
		AutoComplete:           completer{},
		Painter:                painter{newlineSign(getenv, !dumb && getenv("NO_COLOR") == "")},
		Listener:               readline.FuncListener(e.change),
		FuncGetWidth:           e.screenWidth,
		FuncOnWidthChanged:     func(f func()) { e.resized = f },
		FuncIsTerminal:         func() bool { return readline.IsTerminal(int(e.out.Fd())) },
		FuncMakeRaw:            e.makeRaw,
		FuncExitRaw:            e.exitRaw,
	})
	if err != nil {
		return nil, err
	}
	path, err := historyPath(getenv)
	e.history = loadHistory(path)
	if err != nil {
		e.history.err = err
	}
	for _, block := range e.history.blocks {
		e.rl.SaveHistory(encodeLine(cleanText(block)))
	}
	e.rl.SaveHistory("") // searching a history without an end would panic
	return e, nil
}

// ReadLine is Console's. After Restore it returns io.EOF.
func (e *Editor) ReadLine(prompt, prefill string) (string, error) {
	type entered struct {
		line string
		err  error
	}
	select {
	case <-e.stopped:
		return "", io.EOF
	default:
	}
	e.noticeWidth()
	// A paste from a terminal that does not mark it: more is there already, with an indentation of its own.
	switch next := e.keys.waiting.Load(); {
	case next == 0:
		e.unmarked = false
	case next == ' ' && prefill != "":
		e.unmarked = true
	}
	if e.unmarked {
		prefill = ""
	}
	e.rl.SetPrompt(prompt)
	done := make(chan entered, 1)
	go func() { // readline cannot be called off; after Restore it is left behind
		line, err := e.rl.ReadlineWithDefault(encodeLine(prefill))
		done <- entered{line, err}
	}()
	select {
	case <-e.stopped:
		return "", io.EOF
	case r := <-done:
		e.rl.SaveHistory("") // Up starts at the newest again; else the next save would replace what was recalled
		switch {
		case errors.Is(r.err, readline.ErrInterrupt):
			return "", ErrInterrupt
		case r.err != nil:
			return "", r.err
		case e.keys.ended.Load():
			// When the terminal goes away, readline enters the line as it is. Nobody has pressed Enter.
			return "", io.EOF
		}
		return decodeLine(r.line), nil
	}
}

// Remember is Console's.
func (e *Editor) Remember(block string) error {
	added, err := e.history.add(block)
	if added {
		e.rl.SaveHistory(encodeLine(block))
	}
	return err
}

// Close restores the terminal and closes the history.
//
// readline's own Close is not called: it waits for a pending read, for ever. Its goroutines stay behind.
func (e *Editor) Close() error {
	e.Restore()
	return e.history.close()
}

// Restore gives the terminal back in the mode it had at first. A ReadLine that waits returns io.EOF, and so does
// each one after it. It may be called at any time, by a signal's goroutine too.
func (e *Editor) Restore() {
	e.tty.Lock()
	defer e.tty.Unlock()
	select {
	case <-e.stopped:
		return
	default:
		defer close(e.stopped)
	}
	if e.raw {
		e.leaveRaw()
		io.WriteString(e.out, "\n") // what comes next is not to stand behind the prompt
	}
}

func (e *Editor) makeRaw() error {
	e.tty.Lock()
	defer e.tty.Unlock()
	select {
	case <-e.stopped:
		return io.EOF
	default:
	}
	if _, err := readline.MakeRaw(int(e.in.Fd())); err != nil {
		return err
	}
	e.raw = true
	if e.paste {
		io.WriteString(e.out, "\x1b[?2004h")
	}
	return nil
}

func (e *Editor) exitRaw() error {
	e.tty.Lock()
	defer e.tty.Unlock()
	return e.leaveRaw()
}

func (e *Editor) leaveRaw() error {
	if !e.raw {
		return nil
	}
	e.raw = false
	err := readline.Restore(int(e.in.Fd()), e.saved)
	if e.paste {
		io.WriteString(e.out, "\x1b[?2004l")
	}
	return err
}

// screenWidth is the width for readline, which divides by it, and never comes back from drawing a line if the
// prompt fills the screen's.
func (e *Editor) screenWidth() int {
	const least = 2 * len(promptFirst)
	if w, _, err := readline.GetSize(int(e.out.Fd())); err == nil && w > 0 {
		return max(w, least)
	}
	return 80
}

// noticeWidth tells readline of a new width. It is called between keys, and not by SIGWINCH, because readline does
// not lock what depends on the width.
func (e *Editor) noticeWidth() {
	e.width.Lock()
	defer e.width.Unlock()
	if w := e.screenWidth(); w != e.columns {
		e.columns = w
		e.resized()
	}
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
