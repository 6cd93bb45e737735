package dryrun

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"bpfsh/builtins/engine"
)

// snapshot is entries of a map in the order of a walk, one behind the other.
type snapshot struct {
	n            int
	k, v         int // sizes
	keys, values []byte
	compare      func(a, b []byte) int
	sorted       []uint32 // places, in the order of keys; nil until it is asked for
}

func newSnapshot(info *engine.Info) snapshot {
	s := snapshot{k: int(info.KeySize), v: info.Stride(), compare: bytes.Compare}
	switch kind := engine.KindOf(info.Type); {
	case kind.Trie: // bits behind a prefix do not count
		s.compare = engine.CompareAddresses
	case kind.Shape == engine.Indexed || kind.Shape == engine.Slots:
		s.compare = func(a, b []byte) int {
			return cmp.Compare(binary.NativeEndian.Uint32(a), binary.NativeEndian.Uint32(b))
		}
	}
	return s
}

func (s *snapshot) add(key, value []byte) {
	s.keys, s.values = append(s.keys, key...), append(s.values, value...)
	s.n++
	s.sorted = nil
}

// cut leaves the first n entries.
func (s *snapshot) cut(n int) {
	s.n, s.keys, s.values, s.sorted = n, s.keys[:n*s.k], s.values[:n*s.v], nil
}

func (s *snapshot) key(i int) []byte   { return s.keys[i*s.k : (i+1)*s.k] }
func (s *snapshot) value(i int) []byte { return s.values[i*s.v : (i+1)*s.v] }

// find is the place of a key.
func (s *snapshot) find(key []byte) (place int, found bool) {
	if s.sorted == nil {
		s.sorted = make([]uint32, s.n)
		for i := range s.sorted {
			s.sorted[i] = uint32(i)
		}
		slices.SortFunc(s.sorted, func(a, b uint32) int { return s.compare(s.key(int(a)), s.key(int(b))) })
	}
	i, found := slices.BinarySearchFunc(s.sorted, key, func(at uint32, key []byte) int { return s.compare(s.key(int(at)), key) })
	if !found {
		return 0, false
	}
	return int(s.sorted[i]), true
}
