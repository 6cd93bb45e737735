package repl

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/chzyer/readline"
)

// EditorConfig is the terminal that a line editor works on, and its environment.
type EditorConfig struct {
	Stdin  *os.File // must be a terminal
	Stdout *os.File // has the prompt, if it is a terminal
	Stderr *os.File // has it otherwise
	Color  bool     // keywords, strings and hints are told apart
	// Getenv answers for HOME, XDG_STATE_HOME, BPFSH_HISTORY, BPFSH_BASIC, TERM and the locale; nil is os.Getenv.
	Getenv func(string) string
}

func (c EditorConfig) getenv(name string) string {
	if c.Getenv == nil {
		return os.Getenv(name)
	}
	return c.Getenv(name)
}

// Editor is the Console of a terminal. One goroutine may use it; Restore may be called from any other.
type Editor struct {
	in, out *os.File
	color   bool
	rl      *readline.Instance
	keys    *keyReader
	history *history

	unmarked bool // a paste that the terminal did not mark is being entered

	assistant Assistant   // nil: TAB only indents
	asking    atomic.Bool // Confirm waits for an answer

	width   sync.Mutex   // held while the width is changed
	columns atomic.Int32 // of the screen, as readline knows it
	prompt  atomic.Int32 // columns that it takes
	resized func()       // tells readline

	tty     sync.Mutex // guards the rest
	saved   *readline.State
	raw     bool
	end     func()        // of the guard; nil until there is one
	stopped chan struct{} // closed by Restore
}

var (
	_ Assisted    = (*Editor)(nil)
	_ Interactive = (*Editor)(nil)
)

// NewEditor makes a line editor. It fails if Stdin is not a terminal. A history that cannot be read or written is
// no error here, but one of Remember.
func NewEditor(cfg EditorConfig) (*Editor, error) {
	getenv := cfg.getenv
	e := &Editor{in: cfg.Stdin, out: cfg.Stdout, color: cfg.Color, keys: newKeyReader(cfg.Stdin), stopped: make(chan struct{})}
	if !readline.IsTerminal(int(e.out.Fd())) {
		e.out = cfg.Stderr
	}
	var err error
	if e.saved, err = readline.GetState(int(e.in.Fd())); err != nil {
		return nil, fmt.Errorf("standard input is not a terminal: %w", err)
	}
	e.prompt.Store(int32(len(promptFirst)))
	e.columns.Store(int32(e.screenWidth()))
	e.rl, err = readline.NewEx(&readline.Config{
		Stdin:                  e.keys,
		Stdout:                 e.out,
		Stderr:                 e.out,
		EOFPrompt:              "\n", // readline's word for none
		HistoryLimit:           historyLimit + 1,
		DisableAutoSaveHistory: true,
		AutoComplete:           completer{e},
		Painter:                painter{e, newlineSign(getenv)},
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
	e.noticePrompt(prompt)
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
	if e.end != nil {
		e.end()
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
	mode, err := modeOf(e.in)
	if err != nil {
		return err
	}
	if _, err := readline.MakeRaw(int(e.in.Fd())); err != nil {
		return err
	}
	e.raw = true
	if e.end == nil {
		e.end = startGuard(e.in, mode)
	}
	io.WriteString(e.out, "\x1b[?2004h") // what is pasted comes marked
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
	io.WriteString(e.out, "\x1b[?2004l")
	return err
}

// Assist is Assisted's.
func (e *Editor) Assist(a Assistant) { e.assistant = a }

// Confirm is Interactive's.
func (e *Editor) Confirm(question string) (bool, error) {
	e.asking.Store(true)
	defer e.asking.Store(false)
	return confirm(e, e.out, question)
}

// Interrupt is Interactive's. It does nothing: while a line is edited, Ctrl-C is a key.
func (e *Editor) Interrupt() {}
