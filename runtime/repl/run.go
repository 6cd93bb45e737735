package repl

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"bpfsh/runtime"
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Run reads statements from the console and runs them in the session, until the input ends or exit() is called.
//
// Errors of statements are reported and the loop goes on. What it returns is the *runtime.Exit of exit(), nil at
// the end of the input, or an error of the console. An interrupted statement comes back to the prompt; the
// signals, and what is deferred, are the caller's business.
func Run(s *runtime.Session, c Console, cfg Config) error {
	l := newLoop(s, c, cfg)
	if a, ok := c.(Assisted); ok {
		a.Assist(l)
	}
	defer func() {
		if err := l.endOutput(); err != nil {
			s.Report(err)
		}
	}()
	for {
		if err := s.Flush(); err != nil {
			s.Report(err)
		}
		text, err := l.read()
		switch {
		case errors.Is(err, ErrInterrupt):
			continue
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading from the console: %w", err)
		case text == "":
			continue
		}
		err = l.run(text)
		var exit *runtime.Exit
		if errors.As(err, &exit) {
			return err
		}
		s.Report(err)
	}
}

// fileName is what positions in the input are called.
const fileName = "<stdin>"

// loop is a prompt at work.
type loop struct {
	session *runtime.Session
	console Console
	cfg     Config

	block  *block                // what was entered of the statement that is being typed
	hinted map[string]*signature // of functions, while it is typed
	late   <-chan []Candidate    // of a completion that took too long

	// source is all that was entered, so that an error in a function shows the line it was defined on, however
	// much has been entered since.
	source strings.Builder
	lines  int32 // in source

	entered []entry // for .save
	last    string  // for .edit
	unsaved bool    // what was entered last is not for .save, nor for the history
	timed   bool
	warned  bool // that the history is not saved
}

func newLoop(s *runtime.Session, c Console, cfg Config) *loop {
	return &loop{session: s, console: c, cfg: cfg.withDefaults(), block: &block{}, hinted: map[string]*signature{}}
}

var _ Assistant = (*loop)(nil)

// read returns what is entered up to the end of a statement, or of several that are entered at once.
func (l *loop) read() (string, error) {
	b := &block{}
	l.block = b
	clear(l.hinted)
	first, next := prompts(l.cfg.Label)
	prompt, ignored := first, false
	for {
		text, err := l.console.ReadLine(prompt, b.indent())
		if errors.Is(err, io.EOF) && len(b.lines) > 0 {
			// It may be a mistyped Ctrl-D, or a connection that was lost: half a loop over a map must not run.
			if !ignored {
				l.remember(b.text())
			}
			l.session.Warn("end of input within a block: it was not run")
			return "", ErrInterrupt
		}
		if err != nil {
			return "", err
		}
		if len(b.lines) == 0 {
			ignored = strings.HasPrefix(text, " ") // as a shell's HISTCONTROL=ignorespace
			l.unsaved = ignored
		}
		alone := len(b.lines) == 0 && isCommand(text)
		b.add(text)
		if alone || !b.open() {
			if !ignored {
				l.remember(b.text())
			}
			return b.text(), nil
		}
		prompt = next
	}
}

func (l *loop) remember(text string) {
	if text == "" {
		return
	}
	if err := l.console.Remember(text); err != nil && !l.warned {
		l.warned = true
		l.session.Warn(fmt.Sprintf("the history is not saved: %v", err))
	}
}

// run does what was entered: a command of the prompt, or statements.
func (l *loop) run(text string) error {
	if isCommand(text) {
		return l.command(text)
	}
	if l.timed {
		defer l.tellTime(time.Now())
	}
	l.last = text
	return l.execute(text)
}

// execute runs a text, and shows the value that it ends in.
func (l *loop) execute(text string) error {
	called := l.call(text)
	return l.evaluate(called, l.addSource(called), called == text)
}

// addSource makes a text known to reports, and returns the number of its first line.
func (l *loop) addSource(text string) int32 {
	first := l.lines + 1
	l.source.WriteString(text + "\n")
	l.lines += int32(strings.Count(text, "\n")) + 1
	l.session.Source(fileName, l.source.String())
	return first
}

// evaluate runs a text that begins on a line of the source. If keep, .save writes it.
func (l *loop) evaluate(text string, first int32, keep bool) error {
	portion := syntax.FilePortion{Content: []byte(text + "\n"), FirstLine: first, FirstCol: 1}
	f, err := runtime.ChunkOptions().Parse(fileName, portion, 0)
	if err != nil {
		return err
	}
	e := newEntry(text, f, first)
	empty := len(f.Stmts) == 0
	err = l.session.Chunk(f, func(v starlark.Value) error {
		e.set = true
		return l.cfg.Echo(l.session.Output(), v)
	})
	if err == nil && keep && !empty && !l.unsaved {
		l.entered = append(l.entered, e)
	}
	return err
}

// call makes a call of a function's name, for those whose names alone say what is meant.
func (l *loop) call(text string) string {
	word := strings.TrimSpace(text)
	function := word
	switch {
	case word == "quit":
		function = "exit"
	case word == "exit", word == "help", slices.Contains(l.cfg.Bare, word):
	default:
		return text
	}
	if v, ok := l.session.Globals()[word]; ok {
		if c, ok := v.(method.Callable); !ok || c.Entry().Name != word {
			return text // a name of the user's own
		}
	}
	return function + "()"
}
