package builtins

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"bpfsh/builtins/layout"
	"bpfsh/runtime"
	"bpfsh/runtime/method"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"
)

// The first line of a file says what it is, and which form it has.
const (
	fileKind    = "snapshot"
	fileVersion = 1
)

func (s *Snapshot) save(c method.Call) (starlark.Value, error) {
	path, err := c.String(0, "path")
	if err != nil {
		return nil, err
	}
	if path == "" || strings.ContainsRune(path, 0) {
		return nil, c.Bad("path", c.Args[0], `a path such as "flows.jsonl.gz", which has no NUL`)
	}
	ctx := runtime.Context(c.Thread)
	s = s.kept()
	t := s.m.task(ctx, c.Name, s.m.total)
	defer t.Done()
	err = writeWhole(ctx, path, func(w io.Writer) error {
		if !strings.HasSuffix(path, ".gz") {
			return s.write(ctx, w, t)
		}
		z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
		if err != nil {
			return err
		}
		if err := s.write(ctx, z, t); err != nil {
			return err
		}
		return z.Close()
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	return starlark.MakeInt(s.m.held.N), nil
}

// kept is the snapshot with types whose spellings load_snapshot reads.
func (s *Snapshot) kept() *Snapshot {
	of, m := *s, *s.m
	m.key, m.value.Type = m.key.Kept(), m.value.Type.Kept()
	of.m = &m
	return &of
}

// writeWhole makes the file at path hold what f writes, once all of it is written: until then it is in a file beside
// it, which goes again where f fails. What is no file, such as a pipe, is written to as it is.
func writeWhole(ctx context.Context, path string, f func(io.Writer) error) (err error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // the link stays one
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		pipe, err := runtime.OpenFile(ctx, path, os.O_WRONLY)
		if err != nil {
			return err
		}
		return writeTo(ctx, pipe, f)
	} else if err == nil && info.IsDir() {
		return fmt.Errorf("%s is a directory", path)
	}
	beside := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%.200s.%016x", filepath.Base(path), rand.Uint64()))
	file, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return asPath(err, path)
	}
	if err := writeTo(ctx, file, f); err != nil {
		os.Remove(beside)
		return asPath(err, path)
	}
	if err := os.Rename(beside, path); err != nil {
		os.Remove(beside)
		return asPath(err, path)
	}
	return nil
}

// asPath says the path that was given, in the place of that of the file beside it.
func asPath(err error, path string) error {
	switch e := err.(type) {
	case *os.PathError:
		return &os.PathError{Op: e.Op, Path: path, Err: e.Err}
	case *os.LinkError:
		return &os.PathError{Op: e.Op, Path: path, Err: e.Err}
	}
	return err
}

// writeTo writes to a file and closes it.
func writeTo(ctx context.Context, file *os.File, f func(io.Writer) error) error {
	return runtime.UseFile(ctx, file, func(file *os.File) error {
		const size = 1 << 16
		w := bufio.NewWriterSize(file, size)
		if err := f(w); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
		// A file system may find only now that it is full. A pipe or a device has no such thing.
		if err := file.Sync(); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EROFS) {
			return err
		}
		return nil
	})
}

// write writes the lines of the file.
func (s *Snapshot) write(ctx context.Context, w io.Writer, t *task) error {
	head, err := render.JSON(s.header())
	if err != nil {
		return err
	}
	if _, err := w.Write(append(head, '\n')); err != nil {
		return err
	}
	lines := newEntryLines(s.m)
	for i := range s.m.held.N {
		const step = 1024
		if i%step == 0 {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			t.Add(min(step, s.m.held.N-i))
		}
		line, err := lines.line(s.m.held.Key(i), s.m.held.Value(i))
		if err != nil {
			return err
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(w, "{\"end\":%q,\"entries\":%d}\n", fileKind, s.m.held.N)
	return err
}

// header is the first line.
func (s *Snapshot) header() starlark.Value {
	head := layout.NewFacts("header")
	for _, field := range []struct {
		name  string
		value starlark.Value
	}{
		{"bpfsh", starlark.String(fileKind)}, {"version", starlark.MakeInt(fileVersion)}, {"map", s.identity()},
		{"byte_order", starlark.String(byteOrder)}, {"host", starlark.String(s.host)}, {"time", starlark.String(s.time.UTC().Format(time.RFC3339Nano))},
		{"ktime", starlark.MakeUint64(s.ktime)}, {"complete", starlark.Bool(s.complete)}, {"restarts", starlark.MakeInt(s.restarts)},
	} {
		head.Add(field.name, field.value)
	}
	return head
}

// entryLines writes the lines of entries.
type entryLines struct {
	m       *Map
	columns []render.Column
	row     [2]starlark.Value
	buf     []byte
}

func newEntryLines(m *Map) *entryLines {
	return &entryLines{m: m, columns: []render.Column{head("key", layout.Slot{Type: m.key}), head("value", m.value)}}
}

// line is the line of an entry: what people read, and behind it the bytes, whose length is the same in each line. It is
// good until the next call.
func (l *entryLines) line(key, value []byte) ([]byte, error) {
	l.row[0], l.row[1] = l.m.key.Decode(key), l.m.decodeValue(value)
	b, err := render.AppendRow(l.buf[:0], l.columns, l.row[:])
	if err != nil {
		return nil, err
	}
	b = append(b[:len(b)-1], keyHex...)
	b = append(hex.AppendEncode(b, key), valueHex...)
	l.buf = append(hex.AppendEncode(b, value), "\"}\n"...)
	return l.buf, nil
}

// What stands before the bytes of a key and a value.
const (
	keyHex   = `,"key_hex":"`
	valueHex = `","value_hex":"`
)
