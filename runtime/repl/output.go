package repl

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/chzyer/readline"
)

// Output is a session's standard output that can be turned away from where it goes: to a file, or into a frame that
// is drawn in place of the one before. Give it to runtime.Config as Stdout, and its Escape as EscapeStdout.
type Output struct {
	terminal *os.File // nil if it is none
	plain    bool     // it can only write line behind line
	escape   func(string) string

	mu    sync.Mutex // guards the rest
	first io.Writer
	to    *file         // nil: to first
	frame *bytes.Buffer // nil: nothing is drawn
	said  string        // what was written for the last frame
	drawn []string      // lines of the last frame, on the alternate screen; nil: that is not shown
}

// file counts what is written to a file.
type file struct {
	*os.File
	bytes int64
}

// NewOutput makes an output that goes to w. escape makes text harmless where w is a terminal; nil leaves it as it is.
// plain says that the terminal can only write line behind line, see IsPlain.
func NewOutput(w io.Writer, escape func(string) string, plain bool) *Output {
	o := &Output{first: w, escape: escape, plain: plain}
	if f, ok := w.(*os.File); ok && readline.IsTerminal(int(f.Fd())) {
		o.terminal = f
	}
	return o
}

// Escape makes text harmless if it goes to a terminal now.
func (o *Output) Escape(text string) string {
	if o.escape == nil || !o.Terminal() {
		return text
	}
	return o.escape(text)
}

// Terminal says whether the output goes to a terminal now, and not to a file.
func (o *Output) Terminal() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.terminal != nil && o.to == nil
}

// Draws says whether what is written can be drawn in place of what was there. Within a frame it cannot.
func (o *Output) Draws() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.terminal != nil && o.to == nil && !o.plain && o.frame == nil && o.drawn == nil
}

// Beside is w for what stands on the same terminal: while a frame is drawn, what is written to it becomes a part of the
// frame.
func (o *Output) Beside(w io.Writer) io.Writer { return beside{o, w} }

type beside struct {
	o *Output
	w io.Writer
}

func (b beside) Write(p []byte) (int, error) {
	b.o.mu.Lock()
	defer b.o.mu.Unlock()
	if b.o.frame != nil {
		return b.o.frame.Write(p)
	}
	return b.w.Write(p)
}

// Write is io.Writer's.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.frame != nil:
		return o.frame.Write(p)
	case o.to != nil:
		n, err := o.to.Write(p)
		o.to.bytes += int64(n)
		return n, err
	default:
		return o.first.Write(p)
	}
}

// redirect lets the output go to a file.
func (o *Output) redirect(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.to = &file{File: f}
	return nil
}

// direct lets the output go where it went at first. It says what was written, or "" if there was no file.
func (o *Output) direct() (string, error) {
	o.mu.Lock()
	f := o.to
	o.to = nil
	o.mu.Unlock()
	if f == nil {
		return "", nil
	}
	if err := f.Close(); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d bytes written to %s", f.bytes, f.Name()), nil
}
