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

// Pinnable says what Pin without replace would answer.
func (e *Engine) Pinnable(path string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.pinnable(path)
}

func (e *Engine) pinnable(path string) error {
	_, t, decided, err := e.pinned(path)
	switch {
	case err != nil:
		return err
	case t != nil:
		return unix.EEXIST
	case !decided:
		return e.next.Pinnable(path)
	case strings.HasSuffix(path, "/"):
		return unix.ENOENT
	}
	return nil
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
	var replaced *engine.Info
	if err := e.pinnable(path); err == unix.EEXIST && replace {
		old, err := e.mapAt(path)
		if err != nil {
			return fmt.Errorf("what is at %s cannot be replaced: %w", path, err)
		}
		replaced = &old.info
	} else if err != nil {
		return err
	}
	e.steps = append(e.steps, step{op: engine.Pinned, target: h.target, path: path, replaced: replaced})
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
	_, t, decided, err := e.pinned(path)
	switch {
	case err != nil:
		return nil, err
	case t != nil && strings.HasSuffix(path, "/"):
		return nil, unix.ENOTDIR
	case t != nil:
		return t, nil
	case decided:
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
	_, _, decided, _ := e.pinned(path) // which was no error before
	e.mu.Unlock()
	if decided {
		return e.OpenID(t.info.ID, readonly)
	}
	return e.open(readonly)(e.next.OpenPin(path, true))
}

// Unpin plans to remove a pin, of a map or of something else.
func (e *Engine) Unpin(path string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch err := e.pinnable(path); err {
	case nil:
		return unix.ENOENT
	case unix.EEXIST:
	default:
		return err
	}
	t, err := e.mapAt(path)
	if _, refused := errors.AsType[unix.Errno](err); refused { // such as EISDIR
		return err
	}
	e.steps = append(e.steps, step{op: engine.Unpinned, target: t, path: path}) // t is nil of what is no map
	return e.decide(path, nil)
}
