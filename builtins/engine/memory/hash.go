package memory

import (
	"bytes"
	"math/bits"
	"math/rand/v2"

	"golang.org/x/sys/unix"
)

// hash is the entries of the hash family: buckets, each a list whose head is what was written last.
type hash struct {
	o     *object
	pages [][]*entry // of pageBuckets buckets each; nil where all are empty
	n     uint32     // buckets, a power of two
	seed  uint32
	held  int
	// recent orders the entries of an LRU map; nil for others.
	recent *recency
	// gone is told of a value that is no longer in the map.
	gone func(value []byte)
	// inPlace says that an entry which is overwritten stays where it is in its bucket.
	inPlace bool
}

// entry is in the list of its bucket, and in that of the LRU.
type entry struct {
	next         *entry
	newer, older *entry
	bucket       uint32
	key, value   []byte
}

const pageBuckets = 1 << 10

func newHash(o *object) table {
	t := &hash{o: o, n: buckets(o.info.MaxEntries), gone: func([]byte) {}}
	t.pages = make([][]*entry, (t.n+pageBuckets-1)/pageBuckets)
	if o.info.Flags&unix.BPF_F_ZERO_SEED == 0 {
		t.seed = rand.Uint32()
	}
	return t
}

// buckets is the number of buckets for so many entries.
func buckets(entries uint32) uint32 { return 1 << bits.Len32(entries-1) }

func (t *hash) head(bucket uint32) *entry {
	if page := t.pages[bucket/pageBuckets]; page != nil {
		return page[bucket%pageBuckets]
	}
	return nil
}

func (t *hash) setHead(bucket uint32, e *entry) {
	page := &t.pages[bucket/pageBuckets]
	if *page == nil {
		*page = make([]*entry, min(t.n, pageBuckets))
	}
	(*page)[bucket%pageBuckets] = e
}

// find is the entry under key, or nil, and its bucket.
func (t *hash) find(key []byte) (*entry, uint32) {
	bucket := jenkins(key, t.seed) & (t.n - 1)
	for e := t.head(bucket); e != nil; e = e.next {
		if bytes.Equal(e.key, key) {
			return e, bucket
		}
	}
	return nil, bucket
}

// first is the first entry of the buckets from one on.
func (t *hash) first(bucket uint32) *entry {
	for ; bucket < t.n; bucket++ {
		if t.pages[bucket/pageBuckets] == nil {
			bucket |= pageBuckets - 1
		} else if e := t.head(bucket); e != nil {
			return e
		}
	}
	return nil
}

func (t *hash) lookup(key, value []byte) error {
	e, _ := t.find(key)
	if e == nil {
		return unix.ENOENT
	}
	copy(value, e.value)
	return nil
}

func (t *hash) update(key, value []byte, flags uint64, cpu int) error {
	perCPU := t.o.info.CPUs > 0
	mode := flags &^ unix.BPF_F_LOCK
	if mode > unix.BPF_EXIST || flags != mode && (perCPU || !t.o.kept.lock) {
		return unix.EINVAL
	}
	e, bucket := t.find(key)
	switch {
	case e != nil && mode == unix.BPF_NOEXIST:
		return unix.EEXIST
	case e == nil && mode == unix.BPF_EXIST:
		return unix.ENOENT
	case e == nil:
		if t.held == int(t.o.info.MaxEntries) {
			if t.recent == nil {
				return unix.E2BIG
			}
			t.remove(t.recent.oldest)
		}
		e = t.add(key, bucket)
	case !perCPU && flags == mode:
		// A new value takes the head of the bucket; a value of each CPU, or one that is written under its lock, is
		// written where it is.
		if !t.inPlace {
			t.unlink(e)
			t.push(e)
		}
		t.gone(e.value)
	}
	t.recent.touch(e)
	if perCPU && cpu != allCPUs {
		copy(t.o.of(cpu, e.value), value)
		return nil
	}
	copy(e.value, value)
	t.o.kept.clear(e.value)
	return nil
}

// add makes an entry whose value is zero.
func (t *hash) add(key []byte, bucket uint32) *entry {
	b := make([]byte, len(key)+t.o.info.Stride())
	copy(b, key)
	e := &entry{key: b[:len(key):len(key)], value: b[len(key):], bucket: bucket}
	t.push(e)
	t.recent.add(e)
	t.held++
	return e
}

// push puts an entry at the head of its bucket.
func (t *hash) push(e *entry) {
	e.next = t.head(e.bucket)
	t.setHead(e.bucket, e)
}

// unlink takes an entry out of its bucket.
func (t *hash) unlink(e *entry) {
	if t.head(e.bucket) == e {
		t.setHead(e.bucket, e.next)
		return
	}
	before := t.head(e.bucket)
	for before.next != e {
		before = before.next
	}
	before.next = e.next
}

func (t *hash) remove(e *entry) {
	t.unlink(e)
	t.recent.remove(e)
	t.held--
	t.gone(e.value)
}

func (t *hash) delete(key []byte) error {
	e, _ := t.find(key)
	if e == nil {
		return unix.ENOENT
	}
	t.remove(e)
	return nil
}

func (t *hash) take(key, value []byte) error {
	e, _ := t.find(key)
	if e == nil {
		return unix.ENOENT
	}
	copy(value, e.value)
	t.remove(e)
	return nil
}

func (t *hash) nextKey(key, next []byte) error {
	e := t.after(key)
	if e == nil {
		return unix.ENOENT
	}
	copy(next, e.key)
	return nil
}

// after is the entry behind key; the first, if key is not there.
func (t *hash) after(key []byte) *entry {
	if len(key) == 0 {
		return t.first(0)
	}
	e, bucket := t.find(key)
	switch {
	case e == nil:
		return t.first(0)
	case e.next != nil:
		return e.next
	default:
		return t.first(bucket + 1)
	}
}

func (t *hash) slot(key []byte) []byte {
	e, _ := t.find(key)
	if e == nil {
		return nil
	}
	t.recent.touch(e)
	return e.value
}

func (t *hash) each(f func(key, value []byte)) {
	for e := t.first(0); e != nil; e = t.after(e.key) {
		f(e.key, e.value)
	}
}

func (t *hash) count() int { return t.held }

// memory counts the buckets, and the entries that are made beforehand, or those that there are.
func (t *hash) memory() uint64 {
	const bucket, header = 16, 48
	i := &t.o.info
	n := uint64(i.MaxEntries)
	if i.Flags&unix.BPF_F_NO_PREALLOC != 0 {
		n = uint64(t.held)
	}
	return uint64(t.n)*bucket + n*uint64(header+align8(int(i.KeySize))+align8(i.Stride()))
}

func (t *hash) close() {}
