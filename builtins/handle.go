package builtins

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"bpfsh/builtins/engine"
	"bpfsh/runtime"
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"
)

// objectWants is what a script gives for an object that a key or a value refers to.
var objectWants = map[engine.Object]string{
	engine.Maps:      "a map, its id, its name or the path of its pin",
	engine.Programs:  "a program's id, name, or the path of its pin",
	engine.Cgroups:   `the path of a cgroup, such as "/sys/fs/cgroup/user.slice", or (pid, fd)`,
	engine.Files:     "the path of a file, or (pid, fd)",
	engine.Processes: "the id of a process, or (pid, fd)",
	engine.Sockets:   "(pid, fd), a socket that a process has open",
	engine.Events:    "(pid, fd), a perf event that a process has open",
}

// object opens what v stands for, where a key or a value of the map refers to it. The handle is kept open until
// giveBack.
func (m *Map) object(what engine.Object, v starlark.Value) (uint32, error) {
	h, err := m.lib.object(m.thread, what, v)
	if err != nil {
		return 0, err
	}
	m.handles = append(m.handles, h)
	return h.Value(), nil
}

// giveBack closes what the last operation has opened.
func (m *Map) giveBack() {
	for _, h := range m.handles {
		h.Close()
	}
	m.handles, m.given = m.handles[:0], m.given[:0]
}

// kept is a map that stays open: the script has it.
type kept struct{ engine.Map }

func (kept) Close() error { return nil }

// identified is a program, with its id.
type identified struct {
	engine.Handle
	id uint32
}

func (l *Library) object(thread *starlark.Thread, what engine.Object, v starlark.Value) (engine.Handle, error) {
	switch what {
	case engine.Maps:
		m, err := asMap(v)
		if err != nil {
			return nil, err
		}
		if m != nil {
			if m.closed {
				return nil, fmt.Errorf("%s is closed", m.label())
			}
			return kept{m.raw}, nil
		}
		switch v.(type) {
		case starlark.Int, starlark.String:
			return l.find(method.Call{Thread: thread, Name: "open", Args: []starlark.Value{v}}, false)
		}
	case engine.Programs:
		switch v := v.(type) {
		case starlark.Int, starlark.String:
			return l.program(thread, v)
		}
	case engine.Cgroups, engine.Files:
		if s, ok := starlark.AsString(v); ok && s != "" && !strings.ContainsRune(s, 0) {
			return l.opened(l.engine.Path(s))(quotedPath(s), engine.Using)
		}
	case engine.Processes:
		if pid, ok := number32(v); ok {
			return l.opened(l.engine.Process(pid))(fmt.Sprintf("process %d", pid), engine.Using)
		}
	}
	if pair, ok := v.(starlark.Tuple); ok && len(pair) == 2 { // anything but a map or a program
		pid, ok := number32(pair[0])
		fd, ok2 := number32(pair[1])
		if ok && ok2 {
			return l.opened(l.engine.Descriptor(pid, fd))(fmt.Sprintf("descriptor %d of process %d", fd, pid), engine.Taking)
		}
	}
	return nil, unfit(what, v)
}

// unfit is the error of what stands for no object of a kind.
func unfit(what engine.Object, v starlark.Value) error {
	want := objectWants[what]
	if s, _ := starlark.AsString(v); strings.ContainsRune(s, 0) {
		want += ": neither a name nor a path has a NUL"
	}
	return fmt.Errorf("got %s, want %s", method.Describe(v), want)
}

// opened names what could not be opened, and what it wants of a process. It is the error of an object that is no map.
func (l *Library) opened(h engine.Handle, err error) func(what string, wants *engine.Right) (engine.Handle, error) {
	return func(what string, wants *engine.Right) (engine.Handle, error) {
		if err != nil {
			return nil, newError(Error{Op: opObject, Where: what, Count: -1, Err: err, lib: l, wants: wants})
		}
		return h, nil
	}
}

// opObject is the operation of an error about an object that a key or a value stands for.
const opObject = "open object"

func number32(v starlark.Value) (uint32, bool) {
	i, ok := v.(starlark.Int)
	if !ok {
		return 0, false
	}
	n, ok := i.Uint64()
	return uint32(n), ok && n < 1<<32
}

// program finds a program as find finds a map.
func (l *Library) program(thread *starlark.Thread, v starlark.Value) (engine.Handle, error) {
	if id, ok := number32(v); ok {
		h, p, err := l.engine.Program(id)
		return l.opened(identified{h, p.ID}, err)(fmt.Sprintf("program id=%d", id), engine.Finding)
	}
	where, ok := starlark.AsString(v)
	if !ok || where == "" || strings.ContainsRune(where, 0) {
		return nil, unfit(engine.Programs, v)
	}
	if strings.Contains(where, "/") {
		h, p, err := l.engine.ProgramPin(where)
		return l.opened(identified{h, p.ID}, err)(quotedPath(where), engine.Using)
	}
	var found []uint32
	var names []string
	ctx := runtime.Context(thread)
	for id := uint32(0); ; {
		next, err := l.engine.NextProgram(id)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if errors.Is(err, unix.ENOENT) {
			break
		}
		if err != nil {
			return l.opened(nil, err)("programs", engine.Finding)
		}
		id = next
		h, p, err := l.engine.Program(id)
		if err != nil { // it has gone meanwhile
			continue
		}
		h.Close()
		names = append(names, p.Name)
		if p.Name == where {
			found = append(found, id)
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("there is no program %s%s", quoted(where), method.DidYouMean(where, names))
	case 1:
		h, p, err := l.engine.Program(found[0])
		return l.opened(identified{h, p.ID}, err)(fmt.Sprintf("program %q", where), engine.Finding)
	default:
		return nil, fmt.Errorf("%d programs are called %s: give one by its id, %s", len(found), quoted(where), strings.Trim(fmt.Sprint(found), "[]"))
	}
}

// cgroupOf is key with the id of a cgroup in the place of its path: of "/sys/fs/cgroup/a", or of ("/sys/fs/cgroup/a", 0).
func cgroupOf(key starlark.Value) (starlark.Value, error) {
	parts, ok := key.(starlark.Tuple)
	if !ok {
		parts = starlark.Tuple{key}
	}
	path, isPath := "", false
	if len(parts) > 0 {
		path, isPath = starlark.AsString(parts[0])
	}
	if !isPath {
		return key, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil, fmt.Errorf("%s has no inode", path)
	}
	id := starlark.MakeUint64(st.Ino)
	if len(parts) == 1 {
		return id, nil
	}
	return append(starlark.Tuple{id}, parts[1:]...), nil
}

// putValue writes what an entry takes for an object to a value of 4 or 8 bytes.
func putValue(b []byte, value uint32) {
	if len(b) == 8 {
		binary.NativeEndian.PutUint64(b, uint64(value))
		return
	}
	binary.NativeEndian.PutUint32(b, value)
}
