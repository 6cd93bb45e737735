package memory_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/memory"

	"golang.org/x/sys/unix"
)

// A trie finds the longest prefix that covers a key, and its order is that of ComparePrefixes.
func TestTrie(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	spec := good(t, "lpm_trie")
	spec.MaxEntries = 1000
	for range 200 {
		m := opened(t)(new(memory.Engine).Create(spec))
		held := map[string][]byte{} // by the key without host bits
		for range 1 + r.IntN(200) {
			key := key32(uint32(r.IntN(33)))
			key = append(key, byte(r.IntN(2)), byte(r.IntN(2)<<7), byte(r.IntN(4)), byte(r.Uint32()))
			if one(r, 2) {
				if there := slices.Collect(maps.Values(held)); len(there) > 0 && one(r, 2) {
					key = pick(r, there)
				}
				if err := m.Delete(key); (err == nil) != (held[masked(key)] != nil) || err != nil && err != unix.ENOENT {
					t.Fatalf("delete %x: %v", key, err)
				}
				delete(held, masked(key))
				continue
			}
			if err := m.Update(key, key[4:], 0); err != nil {
				t.Fatal(err)
			}
			held[masked(key)] = key
		}
		var want []string
		for _, key := range held {
			want = append(want, string(key))
		}
		slices.SortFunc(want, func(a, b string) int { return engine.ComparePrefixes([]byte(a), []byte(b)) })
		if got := order(t, m); !slices.Equal(got, want) {
			t.Fatalf("got %x, want %x", got, want)
		}
		for range 50 {
			q := append(key32(uint32(r.IntN(33))), byte(r.IntN(2)), byte(r.IntN(2)<<7), byte(r.IntN(4)), byte(r.Uint32()))
			v := make([]byte, 4)
			err := m.Lookup(q, v, 0)
			if want := longest(held, q); want == nil && err != unix.ENOENT || want != nil && (err != nil || !bytes.Equal(v, want[4:])) {
				t.Fatalf("the longest prefix of %x: %x, %v; want %x", q, v, err, want)
			}
		}
	}
}

// masked is a key of 8 bytes without what is behind its prefix.
func masked(key []byte) string {
	n := binary.NativeEndian.Uint32(key)
	addr := binary.BigEndian.Uint32(key[4:])
	return fmt.Sprint(n, uint64(addr)>>(32-n)<<(32-n))
}

func longest(held map[string][]byte, q []byte) []byte {
	for n := int(binary.NativeEndian.Uint32(q)); n >= 0; n-- {
		if found := held[masked(append(key32(uint32(n)), q[4:]...))]; found != nil {
			return found
		}
	}
	return nil
}
