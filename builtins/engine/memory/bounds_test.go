package memory_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/memory"

	"golang.org/x/sys/unix"
)

// A full map takes no entry more, and still lets one be overwritten.
func TestFull(t *testing.T) {
	engines(t, func(t *testing.T, e engine.Engine) {
		for _, c := range []struct {
			typ             string
			more, overwrite error
		}{
			{"hash", unix.E2BIG, nil},
			{"percpu_hash", unix.E2BIG, nil},
			{"lru_hash", nil, nil},
			{"lpm_trie", unix.ENOSPC, nil},
			{"array", unix.E2BIG, nil},
			{"percpu_array", unix.E2BIG, nil},
		} {
			t.Run(c.typ, func(t *testing.T) {
				m := create(t, e, good(t, c.typ))
				key := func(i uint32) []byte {
					if c.typ == "lpm_trie" {
						return append(key32(32), key32(i)...)
					}
					return key32(i)
				}
				v := make([]byte, m.Info().Stride())
				for i := range uint32(4) {
					if err := m.Update(key(i), v, 0); err != nil {
						t.Fatal(err)
					}
				}
				if c.typ == "lpm_trie" && older(e, "6.1") {
					c.overwrite = unix.ENOSPC
				}
				if err := m.Update(key(3), v, 0); err != c.overwrite {
					t.Errorf("overwrite: %v, want %v", err, c.overwrite)
				}
				next := make([]byte, m.Info().KeySize)
				if err := m.NextKey(key(77), next); err != nil { // behind a key that is not there comes the first
					t.Errorf("behind a missing key: %v", err)
				}
				arrived(t, e, c.typ, "update_batch")
				keys := slices.Concat(key(1), key(2), key(77), key(3))
				if n, err := m.UpdateBatch(keys, make([]byte, 4*len(v)), 4, 0); err != c.more || err != nil && n != 2 {
					t.Errorf("a batch with one more: %d, %v, want %v", n, err, c.more)
				}
			})
		}
	})
}

// A full queue and a full stack lose their oldest value to BPF_EXIST.
func TestQueue(t *testing.T) {
	engines(t, func(t *testing.T, e engine.Engine) {
		for typ, want := range map[string]string{"queue": "[2 3 4 5]", "stack": "[5 4 3 2]"} {
			m := create(t, e, good(t, typ))
			for i, want := range []error{nil, nil, nil, nil, unix.E2BIG} {
				if err := m.Update(nil, key32(uint32(i+1)), 0); err != want {
					t.Errorf("%s: push %d: %v, want %v", typ, i+1, err, want)
				}
			}
			if err := m.Update(nil, key32(5), unix.BPF_EXIST); err != nil {
				t.Error(err)
			}
			var got []uint32
			v := make([]byte, 4)
			for m.LookupAndDelete(nil, v, 0) == nil {
				got = append(got, binary.NativeEndian.Uint32(v))
			}
			if fmt.Sprint(got) != want {
				t.Errorf("%s: %v, want %s", typ, got, want)
			}
		}
	})
}

// A bloom filter forgets nothing, and is rarely wrong: with 5 hashes and as many values as it is for, about once in a
// hundred.
func TestBloom(t *testing.T) {
	engines(t, func(t *testing.T, e engine.Engine) {
		spec := good(t, "bloom_filter")
		spec.MaxEntries = 1000
		m := create(t, e, spec)
		for i := range uint32(1000) {
			if err := m.Update(nil, key32(i), 0); err != nil {
				t.Fatal(err)
			}
		}
		wrong := 0
		for i := range uint32(10_000) {
			switch err := m.Lookup(nil, key32(i), 0); {
			case i < 1000 && err != nil:
				t.Fatalf("%d is not there: %v", i, err)
			case i >= 1000 && err == nil:
				wrong++
			}
		}
		if wrong == 0 || wrong > 900 {
			t.Errorf("%d of 9000 are there that are not", wrong)
		}
	})
}

// A large map costs what is in it.
func TestSparse(t *testing.T) {
	e := &memory.Engine{Processors: 512}
	for _, c := range []struct {
		typ     string
		entries uint32
	}{{"array", 1 << 27}, {"percpu_array", 1 << 15}, {"hash", 1 << 25}, {"lru_hash", 1 << 25}, {"bloom_filter", 1<<32 - 1}, {"lpm_trie", 1<<32 - 1}} {
		spec := good(t, c.typ)
		spec.MaxEntries = c.entries
		m, err := e.Create(spec)
		if err == unix.ENOMEM {
			continue // a machine with little memory
		}
		if err != nil {
			t.Fatalf("%s: %v", c.typ, err)
		}
		key, value := make([]byte, spec.KeySize), make([]byte, m.Info().Stride())
		if err := m.Update(key, value, 0); err != nil {
			t.Fatalf("%s: %v", c.typ, err)
		}
		if n, err := m.Memory(); n == 0 || err != nil {
			t.Errorf("%s: memory is %d, %v", c.typ, n, err)
		}
		m.Close()
	}
}
