package dryrun

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// pinned is what was decided about a path: the map that is pinned there, nil if none is any more. decided is false
// where the other engine knows. The error is of a path through a pin. The lock is held.
func (e *Engine) pinned(path string) (key string, t *target, decided bool, err error) {
	if key, err = filepath.Abs(path); err != nil {
		return "", nil, false, err
	}
	if above, ok := e.pins[filepath.Dir(key)]; ok {
		if above != nil {
			return key, nil, true, unix.ENOTDIR
		}
		return key, nil, true, unix.ENOENT
	}
	t, decided = e.pins[key]
	return key, t, decided, nil
}

// Pinnable says what Pin would answer.
func (e *Engine) Pinnable(path string, replace bool) (mounts string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.pinnable(path, replace)
}

// pinnable takes what is planned for pins of this process, which it may replace. Where a bpffs would have been mounted, it
// is mounted no more.
func (e *Engine) pinnable(path string, replace bool) (mounts string, err error) {
	_, t, decided, err := e.pinned(path)
	switch {
	case err != nil:
	case !decided:
		if mounts, err = e.next.Pinnable(path, replace); e.mounts[mounts] {
			mounts = ""
		}
	case t != nil && !replace:
		err = unix.EEXIST
	case t == nil && strings.HasSuffix(path, "/"):
		err = unix.ENOENT
	}
	return mounts, err
}

// Pin plans a pin.
func (h *handle) Pin(path string, replace bool) error {
	e := h.target.e
	e.mu.Lock()
	defer e.mu.Unlock()
	if h.closed {
		return unix.EBADF
	}
	if h.info.ReadOnly {
		return unix.EPERM
	}
	mounts, err := e.pinnable(path, false)
	if mounts != "" {
		e.mounts[mounts] = true
		e.plan(step{op: engine.Mounted, path: mounts})
	}
	var replaced *engine.Info
	if err == unix.EEXIST && replace {
		old, err := e.mapAt(path)
		if err != nil {
			return fmt.Errorf("what is at %s cannot be replaced: %w", path, err)
		}
		if _, err := e.pinnable(path, true); err != nil {
			return err
		}
		replaced = &old.info
	} else if err != nil {
		return err
	}
	e.plan(step{op: engine.Pinned, target: h.target, path: path, replaced: replaced})
	return e.decide(path, h.target)
}

// decide puts a map at a path, or nothing. The lock is held.
func (e *Engine) decide(path string, t *target) error {
	key, old, _, err := e.pinned(path)
	if err != nil {
		return err
	}
	e.pins[key] = t
	if t != nil {
		t.pins++
		err = t.hold()
	}
	if old != nil {
		old.pins--
		err = errors.Join(err, old.hold())
	}
	return err
}

// mapAt is the map that is pinned at path. The lock is held.
func (e *Engine) mapAt(path string) (*target, error) {
	key, t, decided, err := e.pinned(path)
	switch {
	case err != nil:
		return nil, err
	case t != nil && strings.HasSuffix(path, "/"):
		return nil, unix.ENOTDIR
	case t != nil:
		return t, nil
	case decided, e.mounts[filepath.Dir(key)]:
		return nil, unix.ENOENT
	}
	m, err := e.next.OpenPin(path, true)
	if err != nil {
		return nil, err
	}
	return e.target(m.Info()), m.Close()
}

// OpenPin opens the map that is pinned at path.
func (e *Engine) OpenPin(path string, readonly bool) (engine.Map, error) {
	e.mu.Lock()
	t, err := e.mapAt(path)
	if err != nil {
		e.mu.Unlock()
		return nil, err
	}
	if t.created != nil {
		defer e.mu.Unlock()
		return e.openCreated(t.info.ID, readonly)
	}
	if _, _, decided, _ := e.pinned(path); decided { // which was no error before
		real, err := e.byID(t.info.ID, true)
		e.mu.Unlock()
		return e.open(real, err, "", readonly)
	}
	e.mu.Unlock()
	if !readonly { // the mode of the pin may not permit what the handle is for
		free, err := e.next.OpenPin(path, false)
		if err != nil {
			return nil, err
		}
		if err := free.Close(); err != nil {
			return nil, err
		}
	}
	real, err := e.next.OpenPin(path, true)
	return e.open(real, err, path, readonly)
}

// Unpin plans to remove a pin, of a map or of something else.
func (e *Engine) Unpin(path string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch _, err := e.pinnable(path, false); err {
	case nil:
		return unix.ENOENT
	case unix.EEXIST:
	default:
		return err
	}
	if _, err := e.pinnable(path, true); err != nil {
		return err
	}
	t, err := e.mapAt(path)
	if _, refused := errors.AsType[unix.Errno](err); refused { // such as EISDIR
		return err
	}
	e.plan(step{op: engine.Unpinned, target: t, path: path}) // t is nil of what is no map
	return e.decide(path, nil)
}
