package runtime

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"go.starlark.net/starlark"
)

// module is a file that was loaded. While it is being loaded, it is in the table without globals.
type module struct {
	globals starlark.StringDict
	loaded  bool
}

// load is Starlark's load statement. A relative path starts at the directory of the file that loads. The file
// runs on the same thread, so that limits, interrupts and the traceback go through it.
//
// A file is run once; one that has failed is run again when it is asked for again.
func (s *Session) load(thread *starlark.Thread, path string) (starlark.StringDict, error) {
	from := thread.CallFrame(0).Pos.Filename()
	if !filepath.IsAbs(path) && !strings.HasPrefix(from, "<") {
		path = filepath.Join(filepath.Dir(from), path)
	}
	path = filepath.Clean(path)
	if m, ok := s.modules[path]; ok {
		if !m.loaded {
			return nil, errors.New("it loads itself")
		}
		return m.globals, nil
	}
	source, err := ReadTrusted(path, from)
	if err != nil {
		return nil, withoutPath(err) // the load statement names it
	}
	s.sources[path] = string(source)
	m := &module{}
	s.modules[path] = m
	defer func() {
		if !m.loaded {
			delete(s.modules, path)
		}
	}()
	m.globals, err = starlark.ExecFileOptions(options, thread, path, source, s.predeclared)
	m.loaded = err == nil
	return m.globals, err
}

func withoutPath(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
