package dryrun

import (
	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// sequence is what was done to a queue, a stack or a bloom filter. The copy of a queue or stack has the value that comes
// out next, if there is one, and behind it what was pushed.
type sequence struct {
	done   []act
	n      int  // values in the copy
	hidden bool // behind the value that was copied there may be others
	taken  bool // the value that was copied is out
	lost   bool // of a queue: perhaps a push took the place of the value that was copied
}

// act is one value that was pushed or popped.
type act struct {
	op    engine.EntryOp
	value []byte
}

// unknown says whether nobody can tell which value comes out next.
func (t *target) unknown() bool {
	s := &t.sequence
	if !s.hidden {
		return false
	}
	if t.info.Type == unix.BPF_MAP_TYPE_STACK {
		return s.n == 0
	}
	return s.taken || s.lost
}

var errBehind = &engine.UnknownError{What: "which value is behind the first: only taking that out would tell"}

// peek does an operation that looks at the next value of a queue or stack.
func (h *handle) peek(do func() error) error {
	t := h.target
	t.e.mu.Lock()
	defer t.e.mu.Unlock()
	if t.unknown() {
		return errBehind
	}
	return do()
}

// push does an operation that writes, and records what it pushes to a map without keys.
func (h *handle) push(value []byte, flags uint64, do func() error) error {
	t := h.target
	if t.kind().Keyed() {
		return do()
	}
	t.e.mu.Lock()
	defer t.e.mu.Unlock()
	if err := do(); err != nil {
		return err
	}
	s := &t.sequence
	s.done = append(s.done, act{engine.EntryPushed, append([]byte(nil), value[:t.info.ValueSize]...)})
	switch {
	case t.kind().Shape == engine.Members:
	case s.n == int(t.info.MaxEntries): // the oldest went: there was no room for others behind the one that was copied
		s.hidden = false
	default:
		s.n++
		s.lost = s.lost || flags == unix.BPF_EXIST
	}
	return nil
}

// pop does an operation that takes a value out, and records it where the map has no keys.
func (h *handle) pop(value []byte, do func() error) error {
	t := h.target
	if t.kind().Shape != engine.Ordered {
		return do()
	}
	t.e.mu.Lock()
	defer t.e.mu.Unlock()
	if t.unknown() && !h.info.ReadOnly {
		return errBehind
	}
	if err := do(); err != nil {
		return err
	}
	s := &t.sequence
	s.done = append(s.done, act{engine.EntryPopped, append([]byte(nil), value[:t.info.ValueSize]...)})
	s.n--
	s.taken = s.taken || t.info.Type != unix.BPF_MAP_TYPE_STACK || s.n == 0
	return nil
}
