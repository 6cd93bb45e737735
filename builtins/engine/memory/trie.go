package memory

import (
	"encoding/binary"
	"math/bits"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// trie is the entries of an lpm_trie. A node's children have longer prefixes that its own covers, by the first bit
// behind it.
type trie struct {
	lacking
	o    *object
	root *node
	held int
}

// node is an entry, or, without a value, a fork of two.
type node struct {
	prefix
	value []byte
	child [2]*node
}

// prefix is a key: the number of significant bits, and the address with whatever it has behind them.
type prefix struct {
	bits int
	addr []byte
}

func newTrie(o *object) table { return &trie{o: o} }

func prefixOf(key []byte) prefix {
	return prefix{int(binary.NativeEndian.Uint32(key)), key[4:]}
}

// common is the number of first bits that both have alike.
func (p prefix) common(q prefix) int {
	limit := min(p.bits, q.bits)
	for i := 0; 8*i < limit; i++ {
		if d := p.addr[i] ^ q.addr[i]; d != 0 {
			return min(limit, 8*i+bits.LeadingZeros8(d))
		}
	}
	return limit
}

// bit is the bit at a place.
func (p prefix) bit(at int) int { return int(p.addr[at/8]>>(7-at%8)) & 1 }

func (p prefix) put(key []byte) {
	binary.NativeEndian.PutUint32(key, uint32(p.bits))
	copy(key[4:], p.addr)
}

// longest is the number of bits of an address.
func (t *trie) longest() int { return 8 * (int(t.o.info.KeySize) - 4) }

// match is the entry with the longest prefix that covers the key.
func (t *trie) match(p prefix) (found *node) {
	if p.bits > t.longest() {
		return nil
	}
	for n := t.root; n != nil && n.common(p) == n.bits; n = n.child[p.bit(n.bits)] {
		if n.value != nil {
			found = n
		}
		if n.bits == p.bits {
			break
		}
	}
	return found
}

// find is where the key's node is, or would be: what is there has not the key's bits, or has exactly its prefix. path
// leads there: the places from the root on.
func (t *trie) find(p prefix) (path []**node) {
	at := &t.root
	path = append(path, at)
	for n := *at; n != nil && n.bits < p.bits && n.common(p) == n.bits; n = *at {
		at = &n.child[p.bit(n.bits)]
		path = append(path, at)
	}
	return path
}

// exact is the node of the key; nil if there is none, or a fork.
func exact(path []**node, p prefix) *node {
	n := *path[len(path)-1]
	if n == nil || n.value == nil || n.bits != p.bits || n.common(p) != p.bits {
		return nil
	}
	return n
}

func (t *trie) lookup(key, value []byte) error {
	n := t.match(prefixOf(key))
	if n == nil {
		return unix.ENOENT
	}
	copy(value, n.value)
	return nil
}

func (t *trie) update(key, value []byte, flags uint64, _ int) error {
	p := prefixOf(append([]byte(nil), key...))
	if flags > unix.BPF_EXIST || p.bits > t.longest() {
		return unix.EINVAL
	}
	path := t.find(p)
	old := exact(path, p)
	switch {
	case old != nil && flags == unix.BPF_NOEXIST:
		return unix.EEXIST
	case old == nil && flags == unix.BPF_EXIST:
		return unix.ENOENT
	case old == nil && t.held == int(t.o.info.MaxEntries):
		return unix.ENOSPC
	case old == nil:
		t.held++
	}
	t.insert(path[len(path)-1], &node{prefix: p, value: append([]byte(nil), value...)})
	return nil
}

// insert puts a node where find has led to.
func (t *trie) insert(at **node, n *node) {
	there := *at
	if there == nil {
		*at = n
		return
	}
	common := there.common(n.prefix)
	switch common {
	case there.bits: // its own prefix: an entry or a fork
		n.child = there.child
		*at = n
	case n.bits: // the node is above
		n.child[there.bit(common)] = there
		*at = n
	default:
		fork := &node{prefix: prefix{common, n.addr}}
		fork.child[n.bit(common)], fork.child[there.bit(common)] = n, there
		*at = fork
	}
}

func (t *trie) delete(key []byte) error {
	p := prefixOf(key)
	if p.bits > t.longest() {
		return unix.EINVAL
	}
	path := t.find(p)
	n := exact(path, p)
	if n == nil {
		return unix.ENOENT
	}
	t.held--
	last := len(path) - 1
	n.value = nil
	if n.child[0] != nil && n.child[1] != nil {
		return nil // it stays as a fork
	}
	*path[last] = only(n)
	if last > 0 { // a fork with one child left is none
		if above := *path[last-1]; above.value == nil && *path[last] == nil {
			*path[last-1] = only(above)
		}
	}
	return nil
}

// only is the one child of a node that has no two.
func only(n *node) *node {
	if n.child[0] != nil {
		return n.child[0]
	}
	return n.child[1]
}

// first is the node of a walk that starts at n: the entry that is covered by all on the way to it.
func first(n *node) *node {
	for {
		switch {
		case n.child[0] != nil:
			n = n.child[0]
		case n.child[1] != nil:
			n = n.child[1]
		default:
			return n
		}
	}
}

func (t *trie) nextKey(key, next []byte) error {
	if t.root == nil {
		return unix.ENOENT
	}
	n := t.after(key)
	if n == nil {
		return unix.ENOENT
	}
	n.put(next)
	return nil
}

// after is the entry behind key: entries come before those that cover them. It is the first, if key is none.
func (t *trie) after(key []byte) *node {
	if len(key) == 0 || prefixOf(key).bits > t.longest() {
		return first(t.root)
	}
	p := prefixOf(key)
	path := t.find(p)
	if exact(path, p) == nil {
		return first(t.root)
	}
	for i := len(path) - 1; i > 0; i-- {
		above := *path[i-1]
		if path[i] == &above.child[0] && above.child[1] != nil {
			return first(above.child[1])
		}
		if above.value != nil {
			return above
		}
	}
	return nil
}

func (t *trie) lookupBatch(cur *engine.Cursor, keys, values []byte, n int) (int, error) {
	return lookupKeys(t, &t.o.info, cur, keys, values, n)
}

func (t *trie) slot(key []byte) []byte {
	if n := t.match(prefixOf(key)); n != nil {
		return n.value
	}
	return nil
}

func (t *trie) count() int { return t.held }

func (t *trie) memory() uint64 {
	const header = 40
	return uint64(t.held) * uint64(header+align8(int(t.o.info.KeySize-4)+int(t.o.info.ValueSize)))
}
