package repl

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"bpfsh/runtime"
	"bpfsh/runtime/render"
)

// time runs a statement and says how long it took, on standard error: it is no result.
func (l *loop) time(rest string) error {
	defer l.tellTime(time.Now())
	return l.execute(rest)
}

func (l *loop) tellTime(start time.Time) {
	l.session.Warn("Time: " + render.Took(time.Since(start)))
}

func (l *loop) timing(rest string) error {
	switch rest {
	case "on":
		l.timed = true
	case "off":
		l.timed = false
	case "":
		l.session.Print("timing is " + map[bool]string{true: "on", false: "off"}[l.timed])
	default:
		return fmt.Errorf(".timing: got %s, want on or off", rest)
	}
	return nil
}

func (l *loop) mode(rest string) error {
	if l.cfg.Mode == nil {
		return errors.New(".mode: there is one format alone here")
	}
	now, err := l.cfg.Mode(rest)
	if err != nil {
		return fmt.Errorf(".mode: %w", err)
	}
	if rest == "" {
		l.session.Print("the format is " + now)
	}
	return nil
}

func (l *loop) output(rest string) error {
	if l.cfg.Output == nil {
		return errors.New(".o: the output cannot go to a file here")
	}
	if err := l.endOutput(); err != nil || rest == "" {
		return err
	}
	if err := l.cfg.Output.redirect(l.path(rest)); err != nil {
		return fmt.Errorf(".o: %w", err)
	}
	return nil
}

// endOutput closes the file that the output goes to, if it does.
func (l *loop) endOutput() error {
	if l.cfg.Output == nil {
		return nil
	}
	if err := l.session.Flush(); err != nil {
		return err
	}
	said, err := l.cfg.Output.direct()
	if said != "" {
		l.session.Warn(said)
	}
	return err
}

func (l *loop) quit(string) error { return &runtime.Exit{} }

// system runs a command of the shell. What it prints does not pass through the session, and so not into a file of .o.
func (l *loop) system(rest string) error {
	if err := l.cfg.Exec("sh", "-c", rest); err != nil {
		return fmt.Errorf("!%s: %w", rest, err)
	}
	return nil
}

func (l *loop) readFile(rest string) error {
	path := l.path(rest)
	text, err := runFile(l.session, path)
	if err == nil && !l.unsaved {
		l.entered = append(l.entered, entry{text: absoluteLoads(path, text), expr: -1, uses: true})
	}
	return err
}

// runFile runs a file in the session, where its names stay. It returns the text.
func runFile(s *runtime.Session, path string) (string, error) {
	f, _, err := runtime.OpenRegular(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		return "", err
	}
	return string(text), runText(s, path, text)
}

func runText(s *runtime.Session, path string, text []byte) error {
	s.Source(path, string(text))
	f, err := runtime.ChunkOptions().Parse(path, text, 0)
	if err != nil {
		return err
	}
	return s.Chunk(f, nil)
}

// path is a file's name as it is entered: there may be quotation marks around it, and ~/ is the home directory.
func (l *loop) path(entered string) string {
	if n := len(entered); n > 1 && (entered[0] == '"' || entered[0] == '\'') && entered[n-1] == entered[0] {
		return entered[1 : n-1]
	}
	if rest, ok := strings.CutPrefix(entered, "~/"); ok {
		return filepath.Join(l.cfg.Getenv("HOME"), rest)
	}
	return entered
}
