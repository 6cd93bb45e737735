package dryrun

import (
	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// buckets says whether the order of a map's entries is that of its own hash, which the copy does not have.
func (t *target) buckets() bool { return t.kind().Shape == engine.Hashed && !t.kind().Trie }

// NextKey goes through a hash as the kernel has it, and then through what was added: a loop that began before the first
// write is to come to each key.
func (h *handle) NextKey(key, next []byte) error {
	m, err := h.there()
	if err != nil {
		return err
	}
	t := h.target
	if err := m.NextKey(key, next); t.created != nil || m == h.real || !t.buckets() || err != nil && err != unix.ENOENT {
		return err
	}
	t.e.mu.Lock()
	defer t.e.mu.Unlock()
	return t.nextKey(key, next)
}

func (t *target) nextKey(key, next []byte) error {
	s, scratch := &t.before, make([]byte, t.info.Stride())
	there := func(key []byte) bool { return t.keeper.Lookup(key, scratch, 0) == nil }
	at := 0 // in the snapshot
	var behind []byte
	if len(key) > 0 && there(key[:s.k]) {
		if place, found := s.find(key[:s.k]); found {
			at = place + 1
		} else {
			at, behind = s.n, key[:s.k]
		}
	}
	for ; at < s.n; at++ {
		if there(s.key(at)) {
			copy(next, s.key(at))
			return nil
		}
	}
	for {
		if err := t.keeper.NextKey(behind, next); err != nil {
			return err
		}
		if _, found := s.find(next[:s.k]); !found {
			return nil
		}
		behind = append(behind[:0:0], next[:s.k]...)
	}
}

// LookupBatch goes on through the real map where the walk began there, which knows the place, and gives what of it is
// in the copy.
func (h *handle) LookupBatch(cur *engine.Cursor, keys, values []byte, n int) (int, error) {
	m, err := h.there()
	if err != nil {
		return 0, err
	}
	t := h.target
	if t.created != nil || m == h.real || !t.buckets() {
		return m.LookupBatch(cur, keys, values, n)
	}
	if own, ok := t.own(cur); ok {
		n, err := m.LookupBatch(&own, keys, values, n)
		t.mark(cur, own)
		return n, err
	}
	return h.rest(cur, keys, values, n)
}

// rest is a batch of the real map with the values of the copy.
func (h *handle) rest(cur *engine.Cursor, keys, values []byte, n int) (int, error) {
	got, err := h.real.LookupBatch(cur, keys, values, n)
	k, v := int(h.info.KeySize), h.info.Stride()
	left := 0
	for i := range got {
		key := keys[i*k : (i+1)*k]
		if h.target.keeper.Lookup(key, values[left*v:(left+1)*v], 0) == nil {
			copy(keys[left*k:], key)
			left++
		}
	}
	return left, err
}

// own is the place in the copy that a cursor is; not ok: it is one in the real map. One in the copy is longer than any
// of the real map, whose places have 4 bytes, or as many as a key.
func (t *target) own(cur *engine.Cursor) (place engine.Cursor, ok bool) {
	if cur.Opaque == nil {
		return place, true
	}
	return engine.Cursor{Opaque: cur.Opaque}, len(cur.Opaque) == t.marked()
}

func (t *target) marked() int { return max(4, int(t.info.KeySize)) + 1 }

func (t *target) mark(cur *engine.Cursor, place engine.Cursor) {
	if place.Opaque != nil {
		cur.Opaque = make([]byte, t.marked())
		copy(cur.Opaque, place.Opaque)
	}
}
