package engine

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"

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
// was, by the order of its prefixes; elsewhere what was seen is not delivered again.
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
	oneByOne bool                // by NextKey: the type or the kernel has no batches
	at       []byte              // the last key that the kernel gave; nil at the start
	furthest []byte              // of a trie: the last key that was delivered
	seen     map[string]struct{} // one by one, where the order says nothing
	repeats  int                 // keys in a row that were seen before
	restarts int
}

const (
	defaultBatch = 4096
	// A system call is not interrupted by a signal, so that it must be short: a batch is cut where one call
	// would copy more than this. It takes some 20 ms.
	maxBatchEntries = 1 << 16
	maxBatchBytes   = 8 << 20
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

// Restarts is how often the kernel has started over.
func (w *Walk) Restarts() int { return w.restarts }

// Next returns the next entries, at least one, or io.EOF behind the last. They are valid until the next call.
func (w *Walk) Next() (Batch, error) {
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
	ask, first := w.size, w.cur.Opaque == nil
	for {
		w.grow(ask)
		n, err := w.batch(ask)
		switch {
		case err == nil && n == 0 && !w.kind.Trie:
			return Batch{}, nil // the entries went away while they were read; the cursor has moved
		case err == nil:
		case errors.Is(err, unix.ENOENT):
			w.done = true
		case errors.Is(err, unix.ENOSPC):
			if ask >= 1<<30/max(1, int(w.info.KeySize)+w.info.Stride()) {
				return Batch{}, fmt.Errorf("a bucket holds more than %d entries: %w", ask, err)
			}
			ask *= 2
			continue
		case first && !w.pop && (errors.Is(err, unix.Errno(524)) || errors.Is(err, unix.EINVAL)):
			w.oneByOne = true // no batches for this type, or (EINVAL) not on this kernel
			return w.stepKeys()
		default:
			return Batch{}, err
		}
		b := Batch{w.keys[:n*int(w.info.KeySize)], w.values[:n*w.info.Stride()], n}
		if w.kind.Trie && !w.pop {
			return w.behindLast(b)
		}
		return b, nil
	}
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

// behindLast drops what a trie delivers again after the kernel has started over.
func (w *Walk) behindLast(b Batch) (Batch, error) {
	if b.N == 0 {
		return b, nil
	}
	k, v := int(w.info.KeySize), w.info.Stride()
	if w.at != nil && ComparePrefixes(b.Keys[:k], w.at) <= 0 {
		if err := w.restart(); err != nil {
			return Batch{}, err
		}
	}
	w.at = append(w.at[:0], b.Keys[(b.N-1)*k:b.N*k]...)
	skip := 0
	for w.furthest != nil && skip < b.N && ComparePrefixes(b.Keys[skip*k:(skip+1)*k], w.furthest) <= 0 {
		skip++
	}
	if skip < b.N {
		w.furthest = append(w.furthest[:0], w.at...)
	}
	return Batch{b.Keys[skip*k:], b.Values[skip*v:], b.N - skip}, nil
}

func (w *Walk) restart() error {
	if w.restarts++; w.restarts > maxRestarts {
		return ErrBusy
	}
	return nil
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
		fresh, err := w.fresh(key)
		if err != nil {
			return Batch{}, err
		}
		w.at = append(w.at[:0], key...)
		if !fresh {
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

// fresh says whether a key that NextKey gave was not there yet.
func (w *Walk) fresh(key []byte) (bool, error) {
	switch {
	case w.kind.Trie:
		if w.at != nil && ComparePrefixes(key, w.at) <= 0 {
			if err := w.restart(); err != nil {
				return false, err
			}
		}
		if w.furthest != nil && ComparePrefixes(key, w.furthest) <= 0 {
			return false, nil
		}
		w.furthest = append(w.furthest[:0], key...)
		return true, nil
	case w.kind.Shape != Hashed: // indexes go up, and nothing can take one away
		return true, nil
	}
	if _, again := w.seen[string(key)]; !again {
		if w.seen == nil {
			w.seen = map[string]struct{}{}
		}
		w.seen[string(key)] = struct{}{}
		w.repeats = 0
		return true, nil
	}
	// The first repeat is a new start; so is one more than there are keys to repeat.
	if w.repeats++; w.repeats%(len(w.seen)+1) == 1 {
		return false, w.restart()
	}
	return false, nil
}

// ComparePrefixes orders two keys of a trie as the kernel walks it: what is covered comes before what covers
// it, and otherwise the address with the lower first bit that differs.
func ComparePrefixes(a, b []byte) int {
	la, lb := binary.NativeEndian.Uint32(a), binary.NativeEndian.Uint32(b)
	common := min(la, lb)
	a, b = a[4:], b[4:]
	for i := range a {
		if d := a[i] ^ b[i]; d != 0 {
			if at := uint32(8*i + bits.LeadingZeros8(d)); at < common {
				return bytes.Compare(a[i:], b[i:])
			}
			break
		}
	}
	return cmp.Compare(lb, la)
}

// PrefixLen is the number of significant bits of a trie's key.
func PrefixLen(key []byte) int { return int(binary.NativeEndian.Uint32(key)) }
