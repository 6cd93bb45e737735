package runtime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

var fileFunctions = []method.Row[*Session]{{
	Name:   "lines",
	Params: "path",
	Doc: "The lines of a file, or of standard input if path is \"-\".\n" +
		"They are read while they are looped over, without their line ends; a file can be looped over again.",
	Example: `for address in lines("-"):    # standard input, an address a line
    seen.push(address)`,
	Run: func(s *Session, c method.Call) (starlark.Value, error) {
		path, err := c.String(0, "path")
		if err != nil {
			return nil, err
		}
		if path != "-" { // a file that is not there is an error here, and not at some loop
			if err := readable(path); err != nil {
				return nil, fmt.Errorf("%s: %w", c.Name, err)
			}
		}
		return &fileLines{s, c.Thread, path}, nil
	},
}, {
	Name:   "read",
	Params: "path",
	Doc:    "The text of a file, or of standard input if path is \"-\".",
	Example: `write("routes.json", json.encode({"10.1.0.0/16": 3}))
routes.update_batch(json.decode(read("routes.json")))`,
	Run: func(s *Session, c method.Call) (starlark.Value, error) {
		path, err := c.String(0, "path")
		if err != nil {
			return nil, err
		}
		in := s.input(path)
		if path != "-" {
			defer in.close()
		}
		text, err := in.all(Context(c.Thread))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		return starlark.String(text), nil
	},
}, {
	Name:    "write",
	Params:  "path, text",
	Doc:     "Make the file at path hold text, a string or bytes.\nWhat it held before is gone, under --readonly and --dry-run too: these are about maps.",
	Example: `write("flows.json", json.encode({a: flow.bytes for a, flow in m.items()}))`,
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
		ctx := Context(c.Thread)
		file, err := OpenFile(ctx, path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
		if err == nil {
			err = UseFile(ctx, file, func(file *os.File) error {
				_, err := file.Write(text)
				return err
			})
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		return starlark.None, nil
	},
}}

// input is what reads the file at path; of "-" it is the same each time, so that nothing of it is lost between
// two loops.
func (s *Session) input(path string) *input {
	if path == "-" {
		return s.stdin
	}
	return newInput(func() (io.ReadCloser, error) {
		if err := checkPath(path); err != nil {
			return nil, err
		}
		return os.Open(path)
	})
}

// readable says why a file cannot be read, without opening it: that may block.
func readable(path string) error {
	if err := checkPath(path); err != nil {
		return err
	}
	const readOK = 4 // access(2)'s R_OK
	st, err := os.Stat(path)
	switch {
	case err != nil:
		return fmt.Errorf("open %s: %w", path, withoutPath(err))
	case st.IsDir():
		return fmt.Errorf("%s is a directory", path)
	}
	if err := syscall.Access(path, readOK); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	return nil
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

func (l *fileLines) Iterate() starlark.Iterator {
	return &lineIterator{l, l.session.input(l.path), Context(l.thread)}
}

type lineIterator struct {
	lines *fileLines
	in    *input
	ctx   context.Context
}

func (it *lineIterator) Next(p *starlark.Value) bool {
	line, err := it.in.line(it.ctx)
	if err == io.EOF {
		return false
	}
	if err != nil {
		Raise(it.lines.thread, "lines", err)
	}
	*p = starlark.String(line)
	return true
}

// Done lets go of a file. It is not always called: a goroutine may then wait until the process ends.
func (it *lineIterator) Done() {
	if it.lines.path != "-" {
		it.in.close()
	}
}
