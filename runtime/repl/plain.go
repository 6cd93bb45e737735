package repl

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"bpfsh/runtime/render"

	"github.com/chzyer/readline"
)

// Plain is the Console of a terminal that can do little, or is a program: the terminal itself edits the line, and
// nothing is written but text. There is no completion, and no history. One goroutine may use it; Restore and
// Interrupt may be called from any other.
type Plain struct {
	in  *os.File
	out *os.File

	buf     []byte      // was read, and not returned
	pending chan result // of the read that goes on; nil if there is none
	data    [4096]byte

	interrupted chan struct{}
	stop        sync.Once
	stopped     chan struct{}
}

var _ Interactive = (*Plain)(nil)

// NewPlain makes a plain console. It fails if Stdin is not a terminal.
func NewPlain(cfg EditorConfig) (*Plain, error) {
	if !readline.IsTerminal(int(cfg.Stdin.Fd())) {
		return nil, errors.New("standard input is not a terminal")
	}
	p := &Plain{in: cfg.Stdin, out: cfg.Stdout, interrupted: make(chan struct{}, 1), stopped: make(chan struct{})}
	if !readline.IsTerminal(int(p.out.Fd())) {
		p.out = cfg.Stderr
	}
	return p, nil
}

// ReadLine is Console's. The prefill cannot be edited, and is left out; the lines of a block must be indented by hand.
func (p *Plain) ReadLine(prompt, _ string) (string, error) {
	select {
	case <-p.stopped:
		return "", io.EOF
	case <-p.interrupted: // of a statement that has ended since
	default:
	}
	if _, err := io.WriteString(p.out, prompt); err != nil {
		return "", err
	}
	for {
		if i := bytes.IndexByte(p.buf, '\n'); i >= 0 {
			line := string(p.buf[:i])
			p.buf = p.buf[i+1:]
			return cleanText(strings.TrimSuffix(line, "\r")), nil
		}
		if p.pending == nil {
			p.pending = make(chan result, 1)
			go func(done chan<- result) {
				n, err := p.in.Read(p.data[:])
				done <- result{n, err}
			}(p.pending)
		}
		select {
		case r := <-p.pending:
			p.pending = nil
			p.buf = append(p.buf, p.data[:r.n]...)
			if r.err != nil {
				p.buf = nil // nobody has pressed Enter
				io.WriteString(p.out, "\n")
				return "", r.err
			}
		case <-p.interrupted:
			p.buf = nil // the terminal has forgotten the line, too
			return "", ErrInterrupt
		case <-p.stopped:
			io.WriteString(p.out, "\n")
			return "", io.EOF
		}
	}
}

// Remember is Console's. It forgets.
func (p *Plain) Remember(string) error { return nil }

// Confirm is Interactive's.
func (p *Plain) Confirm(question string) (bool, error) {
	return confirm(p, p.out, question)
}

// Interrupt is Interactive's: the line that is being typed is dropped.
func (p *Plain) Interrupt() {
	select {
	case p.interrupted <- struct{}{}:
	default:
	}
}

// Restore is Interactive's. The terminal's mode was never changed.
func (p *Plain) Restore() { p.stop.Do(func() { close(p.stopped) }) }

// Close is Console's. A read that waits stays behind.
func (p *Plain) Close() error {
	p.Restore()
	return nil
}

// confirm asks on out and reads the answer as a line.
func confirm(c Console, out io.Writer, question string) (bool, error) {
	if _, err := fmt.Fprintln(out, render.Escape(question)); err != nil {
		return false, err
	}
	answer, err := c.ReadLine("[y/N] ", "")
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	return err == nil && affirmative(answer), err
}
