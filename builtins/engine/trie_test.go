package engine_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"golang.org/x/sys/unix"
)

func TestComparePrefixes(t *testing.T) {
	key := func(length int, addr ...byte) []byte { return append(number(length), addr...) }
	for _, c := range []struct {
		a, b []byte
		want int
	}{
		{key(32, 10, 0, 0, 1), key(32, 10, 0, 0, 1), 0},
		{key(32, 10, 0, 0, 1), key(32, 10, 0, 0, 2), -1},
		{key(24, 10, 0, 0, 0), key(16, 10, 0, 0, 0), -1},
		{key(32, 10, 0, 255, 255), key(16, 10, 0, 0, 0), -1},
		{key(0, 0, 0, 0, 0), key(32, 255, 255, 255, 255), 1},
		{key(8, 11, 0, 0, 0), key(32, 10, 0, 0, 0), 1},
		{key(8, 10, 1, 2, 3), key(8, 10, 9, 9, 9), 0}, // bits behind the prefix do not count
		{key(0, 1, 2, 3, 4), key(0, 5, 6, 7, 8), 0},
		{key(9, 10, 128, 0, 0), key(9, 10, 0, 0, 0), 1},
		{key(9, 10, 128, 0, 0), key(8, 10, 0, 0, 0), -1},
		{key(3, 0x20), key(3, 0x3f), 0},
		{key(4, 0x20), key(4, 0x3f), -1},
	} {
		t.Run(fmt.Sprintf("%x %x", c.a, c.b), func(t *testing.T) {
			if got := engine.ComparePrefixes(c.a, c.b); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
			if got := engine.ComparePrefixes(c.b, c.a); got != -c.want {
				t.Errorf("the other way round: got %d, want %d", got, -c.want)
			}
		})
	}
}

// The order of ComparePrefixes is the kernel's.
func TestWalkOrderOfTries(t *testing.T) {
	e := kerneltest.Engine(t)
	for _, size := range []int{1, 2, 3, 4, 7, 16, 33, 256} { // bytes of an address; the kernel has 1 to 256
		for round := range 20 {
			t.Run(fmt.Sprintf("%d bytes %d", size, round), func(t *testing.T) {
				r := rand.New(rand.NewPCG(uint64(size), uint64(round)))
				m := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, "lpm_trie"), KeySize: uint32(4 + size), ValueSize: 1, MaxEntries: 500})
				addrs := [][]byte{make([]byte, size)}
				for range 300 {
					if err := m.Update(randomPrefix(r, &addrs), []byte{1}, 0); err != nil {
						t.Fatal(err)
					}
				}
				var last []byte
				for n := 0; ; n++ {
					next := make([]byte, 4+size)
					if err := m.NextKey(last, next); errors.Is(err, unix.ENOENT) {
						if n < 2 {
							t.Fatalf("only %d prefixes", n)
						}
						return
					} else if err != nil {
						t.Fatal(err)
					}
					if last != nil && engine.ComparePrefixes(last, next) >= 0 {
						t.Fatalf("the kernel goes from %x to %x; ComparePrefixes = %d", last, next, engine.ComparePrefixes(last, next))
					}
					last = next
				}
			})
		}
	}
}

// randomPrefix has often the bits of an address that was there before, up to some place, so that prefixes are nested.
func randomPrefix(r *rand.Rand, addrs *[][]byte) []byte {
	addr := append([]byte(nil), (*addrs)[r.IntN(len(*addrs))]...)
	bits := 8 * len(addr)
	for at := r.IntN(bits + 1); at < bits; at++ {
		if r.IntN(2) == 0 {
			addr[at/8] ^= 0x80 >> (at % 8)
		}
	}
	*addrs = append(*addrs, addr)
	length := r.IntN(bits + 1)
	switch r.IntN(10) {
	case 0:
		length = 0
	case 1:
		length = bits
	}
	return append(number(length), addr...)
}

func TestPrefixLen(t *testing.T) {
	for _, length := range []int{0, 24, 32, 1 << 31} {
		if got := engine.PrefixLen(prefix(length, 1)); got != length {
			t.Errorf("PrefixLen = %d, want %d", got, length)
		}
	}
}

// TestMasked asks for every bit behind every prefix.
func TestMasked(t *testing.T) {
	for length := range 41 { // longer than the address: no bit is behind it
		if !engine.Masked(append(number(length), make([]byte, 4)...)) {
			t.Errorf("zeros behind %d bits are bits", length)
		}
		for bit := range 32 {
			var address [4]byte
			address[bit/8] = 0x80 >> (bit % 8)
			if got, want := engine.Masked(append(number(length), address[:]...)), bit < length; got != want {
				t.Errorf("bit %d and a prefix of %d: %t, want %t", bit, length, got, want)
			}
		}
	}
}
