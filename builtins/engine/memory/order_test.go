package memory_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// order is the keys of a map as next_key gives them.
func order(t *testing.T, m engine.Map) (keys []string) {
	t.Helper()
	var at []byte
	for {
		next := make([]byte, m.Info().KeySize)
		switch err := m.NextKey(at, next); err {
		case nil:
			keys, at = append(keys, string(next)), next
		case unix.ENOENT:
			return keys
		default:
			t.Fatal(err)
		}
	}
}

// counted is a map with entries under the keys 0 to n-1.
func counted(t *testing.T, e engine.Engine, spec engine.Spec, n int) engine.Map {
	t.Helper()
	m := create(t, e, spec)
	for i := range n {
		if err := m.Update(key32(uint32(i)), make([]byte, m.Info().Stride()), 0); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// Each map has an order of its own, unless it is made without a seed.
func TestOrder(t *testing.T) {
	engines(t, func(t *testing.T, e engine.Engine) {
		for _, typ := range []string{"hash", "lru_hash", "percpu_hash"} {
			spec := good(t, typ)
			spec.MaxEntries = 512
			a, b := order(t, counted(t, e, spec, 64)), order(t, counted(t, e, spec, 64))
			if slices.Equal(a, b) {
				t.Errorf("%s: two maps have the same order", typ)
			}
			spec.Flags |= unix.BPF_F_ZERO_SEED
			c, d := order(t, counted(t, e, spec, 64)), order(t, counted(t, e, spec, 64))
			if !slices.Equal(c, d) {
				t.Errorf("%s: two maps without a seed have not the same order", typ)
			}
			slices.Sort(a)
			slices.Sort(c)
			if !slices.Equal(a, c) || len(a) != 64 {
				t.Errorf("%s: the keys are not the same: %d and %d", typ, len(a), len(c))
			}
		}
	})
}

// The order without a seed is the same on all kernels, and here.
func TestZeroSeed(t *testing.T) {
	engines(t, func(t *testing.T, e engine.Engine) {
		for _, c := range []struct {
			size uint32
			want string
		}{{4, "21054637"}, {7, "63254071"}, {12, "35471620"}, {13, "65412730"}, {24, "13750642"}, {31, "17265340"}} {
			spec := good(t, "hash")
			spec.KeySize, spec.MaxEntries, spec.Flags = c.size, 8, unix.BPF_F_ZERO_SEED
			m := create(t, e, spec)
			for i := range byte(8) {
				key := make([]byte, c.size)
				key[0], key[c.size-1] = i, key[c.size-1]+i
				if err := m.Update(key, make([]byte, 4), 0); err != nil {
					t.Fatal(err)
				}
			}
			got := ""
			for _, key := range order(t, m) {
				got += fmt.Sprint(key[0])
			}
			if got != c.want {
				t.Errorf("keys of %d bytes: got %s, want %s", c.size, got, c.want)
			}
		}
	})
}

// To overwrite an entry of a hash makes it the first of its bucket; one that is written in place stays where it is.
func TestOverwriteMoves(t *testing.T) {
	engines(t, func(t *testing.T, e engine.Engine) {
		for _, c := range []struct {
			typ   string
			flags uint64
			moves bool
		}{{"hash", 0, true}, {"lru_hash", 0, true}, {"percpu_hash", 0, false}, {"hash", unix.BPF_F_LOCK, false}} {
			spec := good(t, c.typ)
			spec.MaxEntries, spec.Flags = 64, unix.BPF_F_ZERO_SEED
			if c.flags != 0 {
				spec.ValueSize, spec.Key, spec.Value = 16, u32, locked
			}
			m := counted(t, e, spec, 64)
			before := order(t, m)
			for _, key := range before {
				if err := m.Update([]byte(key), make([]byte, m.Info().Stride()), c.flags); err != nil {
					t.Fatal(err)
				}
			}
			if moved := !slices.Equal(before, order(t, m)); moved != c.moves {
				t.Errorf("%s with flags %d: moved is %v", c.typ, c.flags, moved)
			}
		}
	})
}

// A bucket that does not fit is ENOSPC, and the cursor stays before it.
func TestBucketTooLarge(t *testing.T) {
	engines(t, func(t *testing.T, e engine.Engine) {
		spec := good(t, "hash")
		spec.MaxEntries = 256
		m := counted(t, e, spec, 256)
		var cur engine.Cursor
		keys, values := make([]byte, 4*64), make([]byte, 4*64)
		small, total := 0, 0
		for n := 1; ; {
			done, err := m.LookupBatch(&cur, keys, values, n)
			total += done
			if err == unix.ENOENT {
				break
			}
			switch {
			case err == unix.ENOSPC && done == 0:
				small++
				n *= 2
			case err == nil && done > 0:
				n = 1
			default:
				t.Fatalf("%d, %v", done, err)
			}
		}
		if small == 0 || total != 256 {
			t.Errorf("%d buckets did not fit, %d entries came", small, total)
		}
	})
}

// When the cursor's key is deleted, a trie starts over, and a hash does not.
func TestRestart(t *testing.T) {
	engines(t, func(t *testing.T, e engine.Engine) {
		for _, c := range []struct {
			typ   string
			again bool
		}{{"lpm_trie", true}, {"hash", false}} {
			t.Run(c.typ, func(t *testing.T) {
				arrived(t, e, c.typ, "lookup_batch")
				spec := good(t, c.typ)
				spec.MaxEntries = 64
				m := create(t, e, spec)
				for i := range uint32(32) {
					key := key32(i)
					if c.typ == "lpm_trie" {
						key = append(key32(32), key...)
					}
					if err := m.Update(key, key32(i), 0); err != nil {
						t.Fatal(err)
					}
				}
				var cur engine.Cursor
				k := int(spec.KeySize)
				keys, values := make([]byte, 64*k), make([]byte, 64*4)
				n, err := m.LookupBatch(&cur, keys, values, 16)
				if err != nil {
					t.Fatal(err)
				}
				first, last := bytes.Clone(keys[:k]), keys[(n-1)*k:n*k]
				if err := m.Delete(last); err != nil {
					t.Fatal(err)
				}
				if _, err = m.LookupBatch(&cur, keys, values, 64); err != unix.ENOENT {
					t.Fatal(err)
				}
				if again := bytes.Equal(keys[:k], first); again != c.again {
					t.Errorf("started over is %v", again)
				}
			})
		}
	})
}
