package kernel_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"golang.org/x/sys/unix"
)

// each skips a test where the kernel cannot go through a map for a program.
func each(t testing.TB) {
	t.Helper()
	if kerneltest.Older("5.13") {
		t.Skip("bpf_for_each_map_elem is there since Linux 5.13")
	}
}

// fill puts n entries into a map: under each key, its double.
func fill(t testing.TB, m engine.Map, n int) {
	t.Helper()
	var keys, values []byte
	for i := range n {
		keys = append(keys, number(i)...)
		values = append(values, append(number(2*i), make([]byte, m.Info().Stride()-4)...)...)
	}
	if out := engine.UpdateAll(m, keys, values, n, 0, func(int) error { return nil }); out.Err != nil {
		t.Fatal(out.Err)
	}
}

// A program counts and copies all entries, each once.
func TestProgramEntries(t *testing.T) {
	each(t)
	e := kerneltest.Engine(t)
	for _, c := range []struct {
		typ      string
		max, put int
		want     int
	}{
		{"hash", 100, 0, 0}, {"hash", 100, 1, 1}, {"hash", 5000, 4000, 4000}, {"hash", 20000, 20000, 20000},
		{"lru_hash", 5000, 1000, 1000}, {"array", 300, 200, 300}, {"rhash", 1000, 500, 500},
		{"percpu_hash", 1000, 700, 700}, {"lru_percpu_hash", 5000, 100, 100}, {"percpu_array", 70, 70, 70},
	} {
		t.Run(fmt.Sprint(c.typ, c.put), func(t *testing.T) {
			m := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, c.typ), KeySize: 4, ValueSize: 12, MaxEntries: uint32(c.max)})
			fill(t, m, c.put)
			programs, mappings := 0, 0
			for round := range 2 {
				if n, err := m.ProgramCount(); n != c.want || err != nil {
					t.Errorf("counted %d, %v; want %d", n, err, c.want)
				}
				b, err := m.ProgramEntries(0)
				if err != nil || b.N != c.want || len(b.Keys) != 4*c.want || len(b.Values) != 12*c.want {
					t.Fatalf("%d entries of %d and %d bytes, %v; want %d", b.N, len(b.Keys), len(b.Values), err, c.want)
				}
				seen := map[uint32]bool{}
				for i := range b.N {
					k, v := binary.NativeEndian.Uint32(b.Keys[4*i:]), binary.NativeEndian.Uint32(b.Values[12*i:])
					if want := 2 * k; seen[k] || int(k) < c.put && c.typ[0] != 'p' && v != want {
						t.Fatalf("%d: %d, seen before: %v", k, v, seen[k])
					}
					seen[k] = true
				}
				if round == 0 {
					programs, mappings = len(programIDs(t)), mapped(t)
				} else if len(programIDs(t)) != programs || mapped(t) != mappings {
					t.Errorf("%d programs and %d mappings became %d and %d", programs, mappings, len(programIDs(t)), mapped(t))
				}
			}
		})
	}
}

// A type that programs do not go through says so as the system call would.
func TestProgramEntriesRefused(t *testing.T) {
	e := kerneltest.Engine(t)
	for _, c := range []struct {
		typ       string
		key, size uint32
	}{{"lpm_trie", 8, 4}, {"queue", 0, 4}, {"devmap", 4, 4}, {"bloom_filter", 0, 4}} {
		m := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, c.typ), KeySize: c.key, ValueSize: c.size, MaxEntries: 4})
		if _, err := m.ProgramEntries(engine.AnyCPU); err != unix.Errno(524) {
			t.Errorf("%s: %v, want ENOTSUPP", c.typ, err)
		}
	}
}

// What does not fit into memory for one run is not begun.
func TestProgramEntriesTooMany(t *testing.T) {
	each(t)
	m := hash(t, kerneltest.Engine(t))
	fill(t, m, 100)
	if b, all, err := kernel.EntriesIn(m, 1<<26+1); err != unix.EFBIG || b.N != 0 || all {
		t.Errorf("%d entries, all of them: %v, %v; want EFBIG", b.N, all, err)
	}
}

// There is no room for more entries than a map can have: one of many bytes is not too much.
func TestProgramEntriesOfOne(t *testing.T) {
	each(t)
	m := kerneltest.Map(t, kerneltest.Engine(t), engine.Spec{Type: kerneltest.Type(t, "array"), KeySize: 4, ValueSize: 20 << 20, MaxEntries: 1})
	if b, err := m.ProgramEntries(engine.AnyCPU); err != nil || b.N != 1 || len(b.Values) != 20<<20 {
		t.Errorf("%d entries of %d bytes, %v", b.N, len(b.Values), err)
	}
}

// Entries that are there all the time are copied, however many come in meanwhile.
func TestProgramEntriesWhileAdding(t *testing.T) {
	each(t)
	const stay, most = 100, 60000
	e := kerneltest.Engine(t)
	m := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, "hash"), KeySize: 4, ValueSize: 4, MaxEntries: most})
	fill(t, m, stay)
	other, err := e.OpenID(m.Info().ID, false)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var done atomic.Bool
	var adder sync.WaitGroup
	adder.Go(func() {
		for i := stay; i < most && !done.Load(); i++ {
			if err := other.Update(number(i), number(2*i), 0); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for last, round := 0, 0; round < 100 && last < most; round++ {
		b, err := m.ProgramEntries(engine.AnyCPU)
		if err != nil {
			t.Fatal(err)
		}
		last = b.N
		var keys []uint32
		for i := range b.N {
			k := binary.NativeEndian.Uint32(b.Keys[4*i:])
			if v := binary.NativeEndian.Uint32(b.Values[4*i:]); v != 2*k {
				t.Fatalf("under %d is %d", k, v)
			}
			keys = append(keys, k)
		}
		slices.Sort(keys)
		if len(slices.Compact(keys)) != b.N || b.N < stay || keys[stay-1] != stay-1 {
			t.Fatalf("%d entries, not all that stay, or one twice", b.N)
		}
	}
	done.Store(true)
	adder.Wait()
}

// More entries than there is room for are told, and those that did not fit are not.
func TestProgramEntriesGrow(t *testing.T) {
	each(t)
	e := kerneltest.Engine(t)
	m := hash(t, e)
	fill(t, m, 100)
	for _, room := range []int{1, 99, 100, 101} {
		b, all, err := kernel.EntriesIn(m, room)
		if err != nil || all != (room >= 100) || b.N != min(room, 100) || len(b.Keys) != 4*b.N || len(b.Values) != 4*b.N {
			t.Errorf("room for %d: %d entries, all of them: %v, %v", room, b.N, all, err)
		}
	}
	spin := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, "hash"), KeySize: 4, ValueSize: 16, MaxEntries: 9, Key: u32, Value: locked})
	fill(t, spin, 9)
	if b, all, err := kernel.EntriesIn(spin, 5); err != nil || all || b.N != 5 {
		t.Errorf("room for 5: %d entries, all of them: %v, %v", b.N, all, err)
	}
}
