package runtime

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

var fileFunctions = []method.Row[*Session]{{
	Name:   "lines",
	Params: "path",
	Doc: "The lines of a file, or of standard input if path is \"-\".\n" +
		"They are read while they are looped over, without their line ends; a file can be looped over again.",
	Run: func(s *Session, c method.Call) (starlark.Value, error) {
		path, err := c.String(0, "path")
		if err != nil {
			return nil, err
		}
		l := &fileLines{s, c.Thread, path}
		if path != "-" { // a file that is not there is an error here, and not at some loop
			f, err := l.open()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.Name, err)
			}
			f.Close()
		}
		return l, nil
	},
}, {
	Name:   "read",
	Params: "path",
	Doc:    "The text of a file, or of standard input if path is \"-\".",
	Run: func(s *Session, c method.Call) (starlark.Value, error) {
		path, err := c.String(0, "path")
		if err != nil {
			return nil, err
		}
		var text []byte
		if path == "-" {
			text, err = io.ReadAll(s.stdin())
		} else {
			text, err = os.ReadFile(path)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		return starlark.String(text), nil
	},
}, {
	Name:   "write",
	Params: "path, text",
	Doc:    "Make the file at path hold text, a string or bytes.\nWhat it held before is gone.",
	Run: func(s *Session, c method.Call) (starlark.Value, error) {
		path, err := c.String(0, "path")
		if err != nil {
			return nil, err
		}
		var text []byte
		switch v := c.Args[1].(type) {
		case starlark.String:
			text = []byte(v)
		case starlark.Bytes:
			text = []byte(v)
		default:
			return nil, c.Bad("text", v, "string or bytes")
		}
		if err := os.WriteFile(path, text, 0o666); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		return starlark.None, nil
	},
}}

func (s *Session) stdin() io.Reader {
	if s.cfg.Stdin == nil {
		return strings.NewReader("")
	}
	return s.cfg.Stdin
}

// fileLines is what lines returns.
type fileLines struct {
	session *Session
	thread  *starlark.Thread
	path    string
}

var _ starlark.Iterable = (*fileLines)(nil)

func (l *fileLines) String() string        { return fmt.Sprintf("lines(%s)", starlark.String(l.path)) }
func (l *fileLines) Type() string          { return "lines" }
func (l *fileLines) Freeze()               {}
func (l *fileLines) Truth() starlark.Bool  { return true }
func (l *fileLines) Hash() (uint32, error) { return 0, errors.New("unhashable type: lines") }

func (l *fileLines) open() (io.ReadCloser, error) {
	if l.path == "-" {
		return io.NopCloser(l.session.stdin()), nil
	}
	f, err := os.Open(l.path)
	if err != nil {
		return nil, err
	}
	if st, err := f.Stat(); err == nil && st.IsDir() {
		f.Close()
		return nil, fmt.Errorf("%s is a directory", l.path)
	}
	return f, nil
}

func (l *fileLines) Iterate() starlark.Iterator {
	it := &lineIterator{lines: l}
	it.file, it.err = l.open()
	if it.err == nil {
		it.text = bufio.NewReader(it.file)
	}
	return it
}

type lineIterator struct {
	lines *fileLines
	file  io.ReadCloser
	text  *bufio.Reader
	err   error
}

func (it *lineIterator) Next(p *starlark.Value) bool {
	if it.err == io.EOF {
		return false
	}
	var line string
	if it.err == nil {
		it.err = Context(it.lines.thread).Err()
	}
	if it.err == nil {
		line, it.err = it.text.ReadString('\n')
	}
	if it.err != nil && it.err != io.EOF {
		it.Done()
		Raise(it.lines.thread, "lines", it.err)
	}
	if it.err == io.EOF {
		it.Done()
		if line == "" {
			return false
		}
	}
	line = strings.TrimSuffix(line, "\n")
	*p = starlark.String(strings.TrimSuffix(line, "\r"))
	return true
}

// Done closes the file. It is not always called; the end of the file and the collector close it too.
func (it *lineIterator) Done() {
	if it.file != nil {
		it.file.Close()
		it.file = nil
	}
}
