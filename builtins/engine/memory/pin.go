package memory

import (
	"fmt"
	"path/filepath"
	"strings"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// defaultBPFFS is where systems mount the bpffs.
const defaultBPFFS = "/sys/fs/bpf"

// root is the one directory that the bpffs has.
func (e *Engine) root() string {
	if e.BPFFS == "" {
		return defaultBPFFS
	}
	return filepath.Clean(e.BPFFS)
}

// pinName is the name of a pin in the one directory that the bpffs has. "" is the directory itself. notDir is said of
// a pin with a slash behind it.
func (e *Engine) pinName(path string, notDir error) (string, error) {
	root := e.root()
	full, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if full == root {
		return "", nil
	}
	name, ok := strings.CutPrefix(full, strings.TrimSuffix(root, "/")+"/")
	if !ok {
		return "", outside(filepath.Dir(full))
	}
	name, below, deeper := strings.Cut(name, "/")
	const longest = 255
	switch {
	case len(name) > longest:
		return "", unix.ENAMETOOLONG
	case strings.Contains(name, "."):
		return "", unix.EPERM
	case deeper && below != "" && e.pins[name] != nil:
		return "", unix.ENOTDIR
	case deeper:
		return "", unix.ENOENT
	case strings.HasSuffix(path, "/") && e.pins[name] != nil:
		return "", notDir
	case strings.HasSuffix(path, "/"):
		return "", unix.ENOENT
	}
	return name, nil
}

// outside is why nothing can be pinned in a directory that is the machine's.
func outside(dir string) error {
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return err
	}
	return &engine.NotBPFFSError{Dir: dir}
}

// Pinnable says what Pin would answer. Nothing is mounted for it, and everything may be replaced.
func (e *Engine) Pinnable(path string, replace bool) (mounts string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	name, err := e.pinName(path, unix.EEXIST)
	if err == nil && (name == "" || e.pins[name] != nil) {
		err = unix.EEXIST
	}
	if err == unix.EEXIST && replace {
		err = nil
	}
	return "", err
}

// Pin gives the map a name, which holds it.
func (h *handle) Pin(path string, replace bool) error {
	e := h.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	if h.object == nil {
		return unix.EBADF
	}
	if h.info.ReadOnly {
		return unix.EPERM
	}
	notDir := unix.EEXIST
	if replace {
		notDir = unix.ENOTDIR
	}
	name, err := e.pinName(path, notDir)
	if err != nil {
		return err
	}
	old := e.pins[name]
	switch {
	case !replace && (name == "" || old != nil):
		return unix.EEXIST
	case name == "":
		return fmt.Errorf("what is at %s cannot be replaced: %w", path, unix.EISDIR)
	case e.pins == nil:
		e.pins = map[string]*object{}
	}
	h.object.holders++
	e.pins[name] = h.object
	if old != nil {
		e.release(old)
	}
	return nil
}

// OpenPin opens the map that is pinned at path.
func (e *Engine) OpenPin(path string, readonly bool) (engine.Map, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	name, err := e.pinName(path, unix.ENOTDIR)
	if err != nil {
		return nil, err
	}
	o := e.pins[name]
	switch {
	case name == "":
		return nil, unix.EISDIR
	case o == nil:
		return nil, unix.ENOENT
	}
	return o.open(access{read: true, write: !readonly}, readonly), nil
}

// Unpin removes a pin.
func (e *Engine) Unpin(path string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	name, err := e.pinName(path, unix.ENOTDIR)
	if err != nil {
		return err
	}
	o := e.pins[name]
	switch {
	case name == "":
		return outside(filepath.Dir(filepath.Clean(path)))
	case o == nil:
		return unix.ENOENT
	}
	delete(e.pins, name)
	e.release(o)
	return nil
}
