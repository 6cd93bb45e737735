package repl

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"bpfsh/runtime"
	"bpfsh/runtime/method"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Config is what a prompt can be told. The zero value will do.
type Config struct {
	// Echo is the text of an expression's value; nil is render.Echo.
	Echo func(starlark.Value) (string, error)
}

// Run reads statements from the console and runs them in the session, until the input ends or exit() is called.
//
// Errors of statements are reported and the loop goes on. What it returns is the *runtime.Exit of exit(), nil at
// the end of the input, or an error of the console. An interrupted statement comes back to the prompt; the
// signals, and what is deferred, are the caller's business.
func Run(s *runtime.Session, c Console, cfg Config) error {
	l := &loop{session: s, console: c, echo: cfg.Echo}
	if l.echo == nil {
		l.echo = render.Echo
	}
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
		err = l.execute(text)
		var exit *runtime.Exit
		if errors.As(err, &exit) {
			return err
		}
		s.Report(err)
	}
}

// fileName is what positions in the input are called.
const fileName = "<stdin>"

type loop struct {
	session *runtime.Session
	console Console
	echo    func(starlark.Value) (string, error)

	// source is all that was entered, so that an error in a function shows the line it was defined on, however
	// much has been entered since.
	source strings.Builder
	lines  int32 // in source

	warned bool // that the history is not saved
}

// read returns what is entered up to the end of a statement, or of several that are entered at once.
func (l *loop) read() (string, error) {
	b := &block{}
	prompt, ignored := promptFirst, false
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
		}
		b.add(text)
		if !b.open() {
			if !ignored {
				l.remember(b.text())
			}
			return b.text(), nil
		}
		prompt = promptNext
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

// execute runs a text, and shows the value that it ends in.
func (l *loop) execute(text string) error {
	text = l.call(text)
	first := l.lines + 1
	l.source.WriteString(text + "\n")
	l.lines += int32(strings.Count(text, "\n")) + 1
	l.session.Source(fileName, l.source.String())
	portion := syntax.FilePortion{Content: []byte(text + "\n"), FirstLine: first, FirstCol: 1}
	f, err := runtime.ChunkOptions().Parse(fileName, portion, 0)
	if err != nil {
		return err
	}
	return l.session.Chunk(f, l.echo)
}

// call makes a call of a function's name, for those whose names alone say what is meant.
func (l *loop) call(text string) string {
	word := strings.TrimSpace(text)
	function := word
	switch word {
	case "quit":
		function = "exit"
	case "exit", "help":
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
