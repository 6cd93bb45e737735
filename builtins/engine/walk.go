package engine

import (
	"errors"
	"io"

	"golang.org/x/sys/unix"
)

// Batch is some entries of a map: n keys and n values, one behind the other.
type Batch struct {
	Keys, Values []byte
	N            int
}

// Walk visits every entry of a map once: each key that stays in the map while the walk lasts, and none twice.
// An entry that comes or goes meanwhile may be visited or not.
//
// A hash is read bucket by bucket, each in one step, so that nothing can come between. Other maps are read
// behind the last key, and the kernel starts over when that key is gone: a trie is then read on from where it
// was, by the order of its prefixes; elsewhere what was seen is not delivered again. One race of the kernel's
// remains: its step through a trie may pass over what is beside an entry that is deleted in the same moment (once
// in 600,000 steps, with a writer at full speed).
type Walk struct {
	m    Map
	info *Info
	kind *Kind
	size int // what to ask for
	pop  bool

	cur      Cursor
	keys     []byte
	values   []byte
	done     bool
	oneByOne bool // by NextKey: the type or the kernel has no batches

	at       []byte          // the last key that the kernel gave, where it may start over; nil at the start
	furthest []byte          // of a trie: the last key that was delivered
	seen     map[string]bool // one by one, where the order says nothing
	repeats  int             // keys in a row that were seen before
	resumed  bool            // the next key is the first since the caller had the last batch
	restarts int             // that were not the caller's doing
}

const (
	defaultBatch = 4096
	// A system call is not interrupted by a signal, so that it must be short: a batch is cut where one call
	// would copy more than this. It takes some 20 ms.
	maxBatchEntries = 1 << 16
	maxBatchBytes   = 8 << 20
	// maxBucketBytes is what a batch may grow to, where one bucket of a hash is larger.
	maxBucketBytes = 1 << 30
	// maxRestarts ends a walk through a map that changes faster than it can be read.
	maxRestarts = 64
)

// ErrBusy ends a walk that was made to start over too often.
var ErrBusy = errors.New("the map changes faster than it can be read")

// NewWalk starts a walk that asks for size entries at a time; 0 chooses.
func NewWalk(m Map, size int) *Walk {
	info := m.Info()
	w := &Walk{m: m, info: info, kind: KindOf(info.Type)}
	if size == 0 {
		size = min(defaultBatch, max(1, int(info.MaxEntries)))
	}
	w.size = BatchLimit(info, size)
	return w
}

// NewPop starts a walk that removes what it visits. Only what Next has returned is removed.
func NewPop(m Map, size int) *Walk {
	w := NewWalk(m, size)
	w.pop = true
	return w
}

// BatchLimit is size, cut to what one system call may do at once.
func BatchLimit(info *Info, size int) int {
	entry := int(info.KeySize) + info.Stride()
	return max(1, min(size, maxBatchEntries, maxBatchBytes/max(1, entry)))
}

// Restarts says how often the kernel has started over, for a key that was gone.
func (w *Walk) Restarts() int { return w.restarts }

// Exact says that the walk can have passed over nothing that stayed in the map: a hash is read bucket by bucket, and
// an index has its place.
func (w *Walk) Exact() bool {
	switch w.kind.Shape {
	case Indexed, Slots:
		return true
	case Hashed:
		return !w.kind.Trie && !w.oneByOne
	default:
		return false
	}
}

// Next returns the next entries, at least one, or io.EOF behind the last. They are valid until the next call.
func (w *Walk) Next() (Batch, error) {
	w.resumed = true
	for !w.done {
		b, err := w.step()
		if err != nil {
			return Batch{}, err
		}
		if b.N > 0 {
			return b, nil
		}
	}
	return Batch{}, io.EOF
}

// step makes one system call, or a few. It may find nothing.
func (w *Walk) step() (Batch, error) {
	if w.oneByOne {
		return w.stepKeys()
	}
	ask, entry := w.size, int(w.info.KeySize)+w.info.Stride()
	for {
		w.grow(ask)
		n, err := w.batch(ask)
		switch {
		case err == nil:
		case errors.Is(err, unix.ENOENT):
			w.done = true
		case errors.Is(err, unix.ENOSPC) && ask*entry < maxBucketBytes:
			ask *= 2
			continue
		case w.wantsKeys(err):
			w.oneByOne, w.at = true, w.cur.Opaque
			return w.stepKeys()
		default:
			return Batch{}, err
		}
		b := Batch{w.keys[:n*int(w.info.KeySize)], w.values[:n*w.info.Stride()], n}
		if w.kind.Trie {
			return w.fromTrie(b)
		}
		return b, nil
	}
}

// wantsKeys says whether the walk can go on by NextKey after a batch has failed.
func (w *Walk) wantsKeys(err error) bool {
	switch {
	case w.pop:
		return false
	case errors.Is(err, unix.EINTR) && (w.kind.Trie || w.kind.Shape != Hashed):
		return true // the next slot is empty, which ends a batch before Linux 6.14; its place is a key
	}
	// No batches for this type, or (EINVAL) on this kernel.
	return w.cur.Opaque == nil && (errors.Is(err, NotSupported) || errors.Is(err, unix.EINVAL))
}

func (w *Walk) batch(n int) (int, error) {
	if w.pop {
		return w.m.LookupAndDeleteBatch(&w.cur, w.keys, w.values, n)
	}
	return w.m.LookupBatch(&w.cur, w.keys, w.values, n)
}

// grow makes room for n entries.
func (w *Walk) grow(n int) {
	if need := n * int(w.info.KeySize); cap(w.keys) < need {
		w.keys = make([]byte, need)
	} else {
		w.keys = w.keys[:need]
	}
	if need := n * w.info.Stride(); cap(w.values) < need {
		w.values = make([]byte, need)
	} else {
		w.values = w.values[:need]
	}
}

// stepKeys reads some entries by NextKey and Lookup.
func (w *Walk) stepKeys() (Batch, error) {
	const atOnce, maxSteps = 64, 1024
	w.grow(atOnce)
	k, v := int(w.info.KeySize), w.info.Stride()
	n := 0
	for steps := 0; n < min(atOnce, w.size) && steps < maxSteps; steps++ {
		key := w.keys[n*k : (n+1)*k]
		if err := w.m.NextKey(w.at, key); errors.Is(err, unix.ENOENT) {
			w.done = true
			break
		} else if err != nil {
			return Batch{}, err
		}
		if fresh, err := w.fresh(key); err != nil {
			return Batch{}, err
		} else if !fresh {
			continue
		}
		switch err := w.m.Lookup(key, w.values[n*v:(n+1)*v], 0); {
		case err == nil:
			n++
		case errors.Is(err, unix.ENOENT): // an empty slot, or an entry that has gone
		default:
			return Batch{}, err
		}
	}
	return Batch{w.keys[:n*k], w.values[:n*v], n}, nil
}

// fresh says whether a key that the kernel gave was not there yet.
func (w *Walk) fresh(key []byte) (fresh bool, err error) {
	switch {
	case w.kind.Trie:
		if w.at != nil && ComparePrefixes(key, w.at) <= 0 {
			err = w.restart()
		}
		if w.furthest == nil || ComparePrefixes(key, w.furthest) > 0 {
			w.furthest, fresh = append(w.furthest[:0], key...), true
		}
	case w.kind.Shape != Hashed: // indexes go up, and nothing can take one away
		fresh = true
	case !w.seen[string(key)]:
		if w.seen == nil {
			w.seen = map[string]bool{}
		}
		w.seen[string(key)], w.repeats, fresh = true, 0, true
	default:
		// The first repeat is a new start; so is one more than there are keys to repeat.
		if w.repeats++; w.repeats%(len(w.seen)+1) == 1 {
			err = w.restart()
		}
	}
	w.at, w.resumed = append(w.at[:0], key...), false
	return fresh, err
}

// restart notes that the kernel has started over. Between two batches that is the caller's own doing, who removes
// what is returned: such a walk comes to its end.
func (w *Walk) restart() error {
	if w.resumed {
		return nil
	}
	if w.restarts++; w.restarts > maxRestarts {
		return ErrBusy
	}
	return nil
}
