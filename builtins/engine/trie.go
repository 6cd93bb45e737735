package engine

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/bits"
)

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

// fromTrie leaves of a batch what was not delivered before. The kernel may have started over anywhere in it.
func (w *Walk) fromTrie(b Batch) (Batch, error) {
	k, v := int(w.info.KeySize), w.info.Stride()
	n := 0
	for i := range b.N {
		key := b.Keys[i*k : (i+1)*k]
		fresh, err := w.fresh(key)
		if err != nil {
			return Batch{}, err
		}
		if !fresh {
			continue
		}
		if n < i {
			copy(b.Keys[n*k:], key)
			copy(b.Values[n*v:], b.Values[i*v:(i+1)*v])
		}
		n++
	}
	return Batch{b.Keys[:n*k], b.Values[:n*v], n}, nil
}

// Masked says whether a trie's key has zeros alone behind its prefix.
func Masked(key []byte) bool {
	bits, address := PrefixLen(key), key[4:]
	at := bits / 8
	if at >= len(address) {
		return true
	}
	if address[at]&(0xff>>(bits%8)) != 0 {
		return false
	}
	for _, b := range address[at+1:] {
		if b != 0 {
			return false
		}
	}
	return true
}

// Shorten makes key, a trie's, a prefix of bits bits, with zeros behind it.
func Shorten(key []byte, bits int) {
	binary.NativeEndian.PutUint32(key, uint32(bits))
	address := key[4:]
	for i := range address {
		switch left := bits - 8*i; {
		case left <= 0:
			address[i] = 0
		case left < 8:
			address[i] &= 0xff << (8 - left)
		}
	}
}

// masked is key without what is behind its prefix.
func masked(key []byte) []byte {
	key = bytes.Clone(key)
	Shorten(key, min(PrefixLen(key), 8*(len(key)-4)))
	return key
}

// CompareAddresses orders a trie's keys as people read them: by address, and a prefix before those within it.
func CompareAddresses(a, b []byte) int {
	a, b = masked(a), masked(b)
	if c := bytes.Compare(a[4:], b[4:]); c != 0 {
		return c
	}
	return cmp.Compare(PrefixLen(a), PrefixLen(b))
}
