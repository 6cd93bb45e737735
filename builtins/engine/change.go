package engine

import "github.com/cilium/ebpf/btf"

// Change is one thing that a run would have changed, on an engine that only plans.
type Change struct {
	Op         ChangeOp
	Map        *Info    // nil where what is unpinned is no map, and of Mounted
	Key, Value btf.Type // the map's own types; nil where it has none
	Spec       *Spec    // as which the map was made in this run; nil: it was there before
	Gone       bool     // of Created: it was closed again, and nothing holds it
	Path       string   // of Pinned, Unpinned and Mounted
	Replaced   *Info    // of Pinned: the map that was pinned there; nil if there was none
	// Entries are what becomes of the entries, of Created and Written.
	Entries Difference
}

// ChangeOp is what is done to a map.
type ChangeOp uint8

const (
	Created ChangeOp = iota
	Written          // entries of a map that is there
	Pinned
	Unpinned
	Frozen
	Mounted // a bpffs
)

// Difference is what becomes of the entries of a map. Of a queue, a stack and a bloom filter it is what was done, and
// of others what the run comes to: an entry that was added and removed again is not in it.
type Difference struct {
	Added, Changed, Removed int
	Pushed, Popped          int
	// Each calls visit with each entry, in the order of keys that compare says; nil: of their bytes. What was pushed and
	// popped comes in the order in which it was. Slices are valid until visit returns, whose error ends it. nil: there are
	// no entries.
	Each func(compare func(a, b []byte) int, visit func(EntryChange) error) error
}

// EntryChange is what becomes of one entry.
type EntryChange struct {
	Op       EntryOp
	Key      []byte // empty for EntryPushed and EntryPopped
	Old, New []byte // nil where there is none; of EntryPushed New, of EntryPopped Old
}

// EntryOp is what is done to an entry.
type EntryOp uint8

const (
	EntryAdded EntryOp = iota
	EntryChanged
	EntryRemoved
	EntryPushed
	EntryPopped
)
