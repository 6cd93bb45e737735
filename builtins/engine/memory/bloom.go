package memory

import (
	"math/bits"
	"math/rand/v2"

	"golang.org/x/sys/unix"
)

// bloom is the bits of a bloom filter.
type bloom struct {
	lacking
	pages  map[uint32]*[64]uint64
	mask   uint32 // one less than the number of bits
	hashes uint32
	seed   uint32
}

func newBloom(o *object) table {
	t := &bloom{pages: map[uint32]*[64]uint64{}, hashes: uint32(o.info.MapExtra)}
	if t.hashes == 0 {
		t.hashes = 5
	}
	// As many bits as make false answers rare, entries * hashes / ln 2, and a power of two.
	switch n := uint64(o.info.MaxEntries) * uint64(t.hashes); {
	case n > 1<<32-1 || n/5*7 > 1<<31:
		t.mask = 1<<32 - 1
	case n/5*7 <= 64:
		t.mask = 63
	default:
		t.mask = 1<<bits.Len64(n/5*7-1) - 1
	}
	if o.info.Flags&unix.BPF_F_ZERO_SEED == 0 {
		t.seed = rand.Uint32()
	}
	return t
}

// bit is the place of one of a value's bits.
func (t *bloom) bit(value []byte, hash uint32) (page uint32, word int, bit uint64) {
	at := jenkins(value, t.seed+hash) & t.mask
	return at / (64 * 64), int(at / 64 % 64), 1 << (at % 64)
}

func (t *bloom) lookup(_, value []byte) error {
	for i := range t.hashes {
		page, word, bit := t.bit(value, i)
		if p := t.pages[page]; p == nil || p[word]&bit == 0 {
			return unix.ENOENT
		}
	}
	return nil
}

func (t *bloom) update(_, value []byte, flags uint64, _ int) error {
	if flags != unix.BPF_ANY {
		return unix.EINVAL
	}
	for i := range t.hashes {
		page, word, bit := t.bit(value, i)
		if t.pages[page] == nil {
			t.pages[page] = new([64]uint64)
		}
		t.pages[page][word] |= bit
	}
	return nil
}

func (t *bloom) delete([]byte) error { return unix.EOPNOTSUPP }

func (t *bloom) nextKey(key, next []byte) error { return unix.EOPNOTSUPP }

func (t *bloom) memory() uint64 { return (uint64(t.mask) + 1) / 8 }
