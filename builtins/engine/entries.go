package engine

import (
	"bytes"
	"hash/maphash"
	"slices"
)

// Entries are entries of a map as bytes, in the order in which they were added: keys and values one behind the other.
// It is what a million of them take the least room in. They are for one goroutine.
type Entries struct {
	Batch
	k, v   int  // sizes
	trie   bool // what is behind the prefix of a key does not count
	masked []byte

	// table has the places of the entries, each more by one, by the hashes of their keys. 0 is for nothing. It is nil
	// until a key is looked for that is not where it is expected.
	table []uint32
	seed  maphash.Seed
}

// NewEntries makes room for some entries of a map; room is the number that is expected.
func NewEntries(info *Info, room int) *Entries {
	const most = 64 << 20 // bytes, that somebody only says there will be
	e := &Entries{k: int(info.KeySize), v: info.Stride(), trie: KindOf(info.Type).Trie, seed: maphash.MakeSeed()}
	room = max(0, min(room, most/max(1, e.k+e.v)))
	e.Keys, e.Values = make([]byte, 0, room*e.k), make([]byte, 0, room*e.v)
	return e
}

// Key is the key of entry i, and Value its value. The caller must not change them.
func (e *Entries) Key(i int) []byte   { return e.Keys[i*e.k : (i+1)*e.k : (i+1)*e.k] }
func (e *Entries) Value(i int) []byte { return e.Values[i*e.v : (i+1)*e.v : (i+1)*e.v] }

// Append adds entries whose keys are not there yet.
func (e *Entries) Append(b Batch) {
	e.Keys, e.Values = append(e.Keys, b.Keys...), append(e.Values, b.Values...)
	for e.N += b.N; e.table != nil && b.N > 0; b.N-- {
		e.note(e.N - b.N)
	}
}

// Add adds an entry, unless its key is there. It returns the place of the key.
func (e *Entries) Add(key, value []byte) (at int, added bool) {
	if at = e.Find(key, e.N); at >= 0 {
		return at, false
	}
	e.Append(Batch{key, value, 1})
	return e.N - 1, true
}

// Find is the place of a key; -1: it is not there. near is where it is looked for first: a key of another reading of the
// same map is where the one before it was, but for one.
func (e *Entries) Find(key []byte, near int) int {
	if near < e.N && e.same(e.Key(near), key) {
		return near
	}
	if e.table == nil {
		e.index(e.N)
	}
	_, at := e.slot(key)
	return at
}

// same says whether two keys are of one entry.
func (e *Entries) same(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	return e.trie && PrefixLen(a) == PrefixLen(b) && bytes.Equal(masked(a), masked(b))
}

// slot is where in the table a key is, or would be, and its place; -1: it is not there.
func (e *Entries) slot(key []byte) (slot, at int) {
	hashed := key
	if e.trie {
		hashed = append(e.masked[:0], key...)
		e.masked = hashed
		Shorten(hashed, min(PrefixLen(hashed), 8*(len(hashed)-4)))
	}
	mask := len(e.table) - 1
	for slot = int(maphash.Bytes(e.seed, hashed)) & mask; ; slot = (slot + 1) & mask {
		switch at := int(e.table[slot]) - 1; {
		case at < 0:
			return slot, -1
		case e.same(e.Key(at), key):
			return slot, at
		}
	}
}

// index makes the table, with room for n entries and for as many again.
func (e *Entries) index(n int) {
	size := 64
	for size < 2*n {
		size *= 2
	}
	e.table = make([]uint32, size)
	for i := range e.N {
		e.note(i)
	}
}

// note puts entry i into the table. Of two with one key the first stays.
func (e *Entries) note(i int) {
	if 2*i >= len(e.table) {
		e.index(2 * (i + 1))
		return
	}
	if slot, at := e.slot(e.Key(i)); at < 0 {
		e.table[slot] = uint32(i + 1)
	}
}

// Pair is an entry that two sets of entries have, at its place in each.
type Pair struct{ Old, New uint32 }

// Changes is what is in one set of entries and not in another.
type Changes struct {
	Added   []uint32 // places in the new entries
	Removed []uint32 // places in the old ones
	Changed []Pair
	Same    int
}

// Compare finds what has to be done to old for it to be new. equal says whether two values, which differ in some byte,
// come to the same; nil: they do not. next is asked now and then, and its error ends the work.
func Compare(old, new *Entries, equal func(old, new []byte) bool, next func() error) (*Changes, error) {
	const step = 1 << 14
	c := &Changes{}
	at, met := -1, make([]bool, old.N)
	for i := range new.N {
		if i%step == 0 {
			if err := next(); err != nil {
				return nil, err
			}
		}
		place := old.Find(new.Key(i), at+1)
		if place < 0 {
			c.Added = append(c.Added, uint32(i))
			continue
		}
		at, met[place] = place, true
		if a, b := old.Value(place), new.Value(i); bytes.Equal(a, b) || equal != nil && equal(a, b) {
			c.Same++
		} else {
			c.Changed = append(c.Changed, Pair{uint32(place), uint32(i)})
		}
	}
	if n := old.N - c.Same - len(c.Changed); n > 0 {
		c.Removed = slices.Grow(c.Removed, n)
		for i, met := range met {
			if !met {
				c.Removed = append(c.Removed, uint32(i))
			}
		}
	}
	return c, nil
}
