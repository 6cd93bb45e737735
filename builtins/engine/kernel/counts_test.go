package kernel_test

import (
	"io"
	"strings"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"golang.org/x/sys/unix"
)

// counts is what the kernel tells; the test is skipped where it tells nothing.
func counts(t testing.TB, e *kernel.Engine) map[uint32]int {
	t.Helper()
	counts, err := e.Counts()
	if err == unix.Errno(524) && kerneltest.Older("6.6") {
		t.Skipf("bpf_map_sum_elem_count is there since Linux 6.6: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

func walked(t testing.TB, m engine.Map) (n int) {
	t.Helper()
	w := engine.NewWalk(m, 0)
	for {
		b, err := w.Next()
		if err == io.EOF {
			return n
		} else if err != nil {
			t.Fatal(err)
		}
		n += b.N
	}
}

// The kernel's own count is that of a walk for the types whose Kind is Counted, whatever has happened, and for no others.
func TestCountsAreThoseOfAWalk(t *testing.T) {
	e := kerneltest.Engine(t)
	counts(t, e)
	for _, c := range []struct {
		typ   string
		max   uint32
		flags uint32
	}{
		{"hash", 1000, 0}, {"hash", 1000, unix.BPF_F_NO_PREALLOC},
		{"percpu_hash", 1000, 0}, {"percpu_hash", 1000, unix.BPF_F_NO_PREALLOC},
		{"lru_hash", 5000, 0}, {"lru_hash", 200, 0}, {"lru_hash", 5000, unix.BPF_F_NO_COMMON_LRU}, {"lru_percpu_hash", 5000, 0}, {"lru_percpu_hash", 200, 0},
		{"hash_of_maps", 1000, 0}, {"hash_of_maps", 1000, unix.BPF_F_NO_PREALLOC},
		{"lpm_trie", 1000, 0}, {"devmap_hash", 1000, 0}, {"rhash", 1000, 0},
		{"array", 1000, 0}, {"percpu_array", 1000, 0}, {"devmap", 1000, 0}, {"array_of_maps", 1000, 0},
	} {
		t.Run(c.typ, func(t *testing.T) {
			spec := engine.Spec{Type: kerneltest.Type(t, c.typ), KeySize: 4, ValueSize: 4, MaxEntries: c.max, Flags: c.flags}
			value, key, n := number, number, 500
			switch {
			case strings.HasSuffix(c.typ, "_of_maps"):
				n = 20 // each update waits until no program runs any more
				spec.Inner = &engine.Spec{Type: 2, KeySize: 4, ValueSize: 4, MaxEntries: 1}
				inner := innerFD(t, e)
				value = func(int) []byte { return number(inner) }
			case strings.HasPrefix(c.typ, "devmap"):
				value = func(int) []byte { return number(1) }
			case c.typ == "lpm_trie":
				spec.KeySize = 8
				key = func(i int) []byte { return append(number(32), number(i)...) }
			}
			m := kerneltest.Map(t, e, spec)
			width := m.Info().Stride()
			put := func(from, to int) {
				t.Helper()
				for i := from; i < to; i++ {
					if err := m.Update(key(i), append(value(i), make([]byte, width-4)...), 0); err != nil {
						t.Fatal(i, err)
					}
				}
			}
			steps := []struct {
				what string
				do   func()
			}{
				{"nothing", func() {}},
				{"inserts", func() { put(0, n) }},
				{"overwrites", func() { put(n/5, n/2) }},
				{"deletes", func() {
					for i := range n / 7 {
						_ = m.Delete(key(i)) // an LRU may have removed it, and an array has no delete
					}
				}},
				{"inserts by a program", func() {
					if kind := engine.KindOf(m.Info().Type); kind.ProgramHas("update") {
						for i := n; i < n+50; i++ {
							if err := m.ProgramUpdate(key(i), value(i), 0, i%2); err != nil {
								t.Fatal(err)
							}
						}
					}
				}},
			}
			counted := true
			for _, s := range steps {
				s.do()
				got, want := counts(t, e)[m.Info().ID], walked(t, m)
				counted = counted && got == want
				if engine.KindOf(m.Info().Type).Counted && got != want {
					t.Errorf("after %s: %d, a walk finds %d", s.what, got, want)
				}
			}
			if kind := engine.KindOf(m.Info().Type); counted != kind.Counted {
				t.Errorf("Counted is %v, but the kernel's count is right: %v", kind.Counted, counted)
			}
		})
	}
}

// innerFD is the descriptor of a map that fits into a map of arrays.
func innerFD(t testing.TB, e *kernel.Engine) int {
	t.Helper()
	return twin(t, kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, "array"), KeySize: 4, ValueSize: 4, MaxEntries: 1})).FD()
}

// An engine that is closed counts no more, and may be closed again.
func TestCountsClosed(t *testing.T) {
	for _, used := range []bool{true, false} {
		e := kerneltest.Engine(t)
		before := len(programIDs(t))
		if used {
			counts(t, e)
			counts(t, e)
		}
		for range 2 {
			if err := e.Close(); err != nil {
				t.Error(err)
			}
			if counts, err := e.Counts(); err != unix.EBADF || counts != nil {
				t.Errorf("got %v, %v; want EBADF", counts, err)
			}
		}
		if n := len(programIDs(t)); n != before {
			t.Errorf("%d programs became %d", before, n)
		}
	}
}
