package memory_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"
	"bpfsh/builtins/engine/memory"

	"golang.org/x/sys/unix"
)

// notSupported is the kernel's ENOTSUPP, which has no name in user space.
const notSupported = unix.Errno(524)

// good is a map that can be made.
func good(t testing.TB, typ string) engine.Spec {
	t.Helper()
	s := engine.Spec{Type: kerneltest.Type(t, typ), Name: "good", KeySize: 4, ValueSize: 4, MaxEntries: 4}
	kind := engine.KindOf(s.Type)
	s.Flags = kind.Flags
	switch {
	case kind.Trie:
		s.KeySize = 8
	case !kind.Keyed():
		s.KeySize = 0
	case kind.Nests:
		in := good(t, "array")
		s.Inner = &in
	}
	return s
}

// TestCreateFlags is the table of kernel-semantics §2 about flags, type by type.
func TestCreateFlags(t *testing.T) {
	flags := []uint32{unix.BPF_F_RDONLY, unix.BPF_F_WRONLY, unix.BPF_F_RDONLY_PROG, unix.BPF_F_WRONLY_PROG, unix.BPF_F_MMAPABLE,
		unix.BPF_F_NO_PREALLOC, unix.BPF_F_NO_COMMON_LRU, unix.BPF_F_NUMA_NODE, unix.BPF_F_ZERO_SEED, unix.BPF_F_INNER_MAP, unix.BPF_F_PRESERVE_ELEMS}
	for _, row := range []struct{ types, want string }{
		{"hash", "ok ok ok ok EINVAL ok EINVAL ok ok EINVAL EINVAL"},
		{"hash_of_maps", "ok ok ok ok EINVAL ok EINVAL ok ok EINVAL EINVAL"},
		{"array", "ok ok ok ok ok EINVAL EINVAL ok EINVAL ok EINVAL"},
		{"percpu_hash", "ok ok ok ok EINVAL ok EINVAL EINVAL ok EINVAL EINVAL"},
		{"percpu_array", "ok ok ok ok EINVAL EINVAL EINVAL EINVAL EINVAL EINVAL EINVAL"},
		{"lru_hash", "ok ok ok ok EINVAL 524 ok ok ok EINVAL EINVAL"},
		{"lru_percpu_hash", "ok ok ok ok EINVAL 524 ok EINVAL ok EINVAL EINVAL"},
		{"lpm_trie", "ok ok ok ok EINVAL ok EINVAL ok EINVAL EINVAL EINVAL"},
		{"queue", "ok ok ok ok EINVAL EINVAL EINVAL ok EINVAL EINVAL EINVAL"},
		{"stack", "ok ok ok ok EINVAL EINVAL EINVAL ok EINVAL EINVAL EINVAL"},
		{"bloom_filter", "ok ok ok ok EINVAL EINVAL EINVAL ok ok EINVAL EINVAL"},
		{"array_of_maps", "ok ok EINVAL EINVAL EINVAL EINVAL EINVAL ok EINVAL EINVAL EINVAL"},
	} {
		t.Run(row.types, func(t *testing.T) {
			e := &memory.Engine{}
			for i, want := range strings.Fields(row.want) {
				s := good(t, row.types)
				s.Flags |= flags[i]
				m, err := e.Create(s)
				if got := errorName(err); got != want && (got != "" || want != "ok") {
					t.Errorf("flag %#x: %v, want %s", flags[i], err, want)
				}
				if err != nil {
					continue
				}
				if want := s.Flags &^ (unix.BPF_F_RDONLY | unix.BPF_F_WRONLY); m.Info().Flags != want {
					t.Errorf("flag %#x: the map has %#x, want %#x", flags[i], m.Info().Flags, want)
				}
			}
		})
	}
}

func TestCreateRefuses(t *testing.T) {
	for _, c := range []struct {
		typ, what string
		change    func(*engine.Spec)
		want      error
	}{
		{"hash", "no key", func(s *engine.Spec) { s.KeySize = 0 }, unix.EINVAL},
		{"hash", "no value", func(s *engine.Spec) { s.ValueSize = 0 }, unix.EINVAL},
		{"hash", "no entries", func(s *engine.Spec) { s.MaxEntries = 0 }, unix.EINVAL},
		{"hash", "too many entries", func(s *engine.Spec) { s.MaxEntries = 1<<27 + 1 }, unix.E2BIG},
		{"hash", "large entries", func(s *engine.Spec) { s.ValueSize = 1 << 22 }, unix.E2BIG},
		{"hash", "an unknown flag", func(s *engine.Spec) { s.Flags |= 1 << 31 }, unix.EINVAL},
		{"hash", "both directions", func(s *engine.Spec) { s.Flags |= unix.BPF_F_RDONLY | unix.BPF_F_WRONLY }, unix.EINVAL},
		{"hash", "both directions of programs", func(s *engine.Spec) { s.Flags |= unix.BPF_F_RDONLY_PROG | unix.BPF_F_WRONLY_PROG }, unix.EINVAL},
		{"hash", "map_extra", func(s *engine.Spec) { s.MapExtra = 1 }, unix.EINVAL},
		{"hash", "a node that is not there", func(s *engine.Spec) { s.Flags |= unix.BPF_F_NUMA_NODE; s.NumaNode = 1000 }, unix.EINVAL},
		{"hash", "a long name", func(s *engine.Spec) { s.Name = "sixteen_letters_" }, unix.EINVAL},
		{"hash", "a name with a blank", func(s *engine.Spec) { s.Name = "a b" }, unix.EINVAL},
		{"hash", "a dot in the name", func(s *engine.Spec) { s.Name = ".rodata" }, nil},
		{"percpu_hash", "large values", func(s *engine.Spec) { s.ValueSize = 32769 }, unix.E2BIG},
		{"percpu_array", "large values", func(s *engine.Spec) { s.ValueSize = 32769 }, unix.E2BIG},
		{"percpu_array", "the largest values", func(s *engine.Spec) { s.ValueSize = 32768 }, nil},
		{"array", "a key of 8 bytes", func(s *engine.Spec) { s.KeySize = 8 }, unix.EINVAL},
		{"array", "values of 2 GiB", func(s *engine.Spec) { s.ValueSize = 1 << 31 }, unix.E2BIG},
		{"array", "more than the machine has", func(s *engine.Spec) { s.ValueSize, s.MaxEntries = 1<<20, 1<<32-1 }, unix.ENOMEM},
		{"lpm_trie", "a short key", func(s *engine.Spec) { s.KeySize = 4 }, unix.EINVAL},
		{"lpm_trie", "the longest key", func(s *engine.Spec) { s.KeySize = 260 }, nil},
		{"lpm_trie", "a long key", func(s *engine.Spec) { s.KeySize = 261 }, unix.EINVAL},
		{"lpm_trie", "preallocated", func(s *engine.Spec) { s.Flags = 0 }, unix.EINVAL},
		{"queue", "values of 4 GiB together", func(s *engine.Spec) { s.ValueSize, s.MaxEntries = 1<<20, 1<<12 }, unix.ENOMEM},
		{"queue", "a key", func(s *engine.Spec) { s.KeySize = 4 }, unix.EINVAL},
		{"bloom_filter", "15 hashes", func(s *engine.Spec) { s.MapExtra = 15 }, nil},
		{"bloom_filter", "16 hashes", func(s *engine.Spec) { s.MapExtra = 16 }, unix.EINVAL},
		{"array_of_maps", "no template", func(s *engine.Spec) { s.Inner = nil }, unix.EINVAL},
		{"array_of_maps", "a nested template", func(s *engine.Spec) { in := good(t, "array_of_maps"); s.Inner = &in }, unix.EINVAL},
		{"hash_of_maps", "a bad template", func(s *engine.Spec) { s.Inner.KeySize = 8 }, unix.EINVAL},
		{"hash_of_maps", "a template too large", func(s *engine.Spec) { s.Inner.ValueSize = 1 << 31 }, unix.E2BIG},
		{"hash_of_maps", "a value that is no id", func(s *engine.Spec) { s.ValueSize = 8 }, unix.EINVAL},
		{"array", "a type that is not there", func(s *engine.Spec) { s.Type = 9999 }, unix.EINVAL},
		{"array", "no type", func(s *engine.Spec) { s.Type = 0 }, unix.EINVAL},
	} {
		t.Run(c.typ+" "+c.what, func(t *testing.T) {
			s := good(t, c.typ)
			c.change(&s)
			if _, err := new(memory.Engine).Create(s); err != c.want {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// A type that the engine has not is refused by its name.
func TestCreateOtherType(t *testing.T) {
	for i, kind := range engine.Kinds {
		_, err := new(memory.Engine).Create(engine.Spec{Type: uint32(i), KeySize: 4, ValueSize: 4, MaxEntries: 4096})
		if strings.Contains(strings.Join(types, " ")+" unspec", kind.Name) {
			continue
		}
		want := "the memory engine has no " + kind.Name + "; it has hash, array, percpu_hash, percpu_array, lru_hash, lru_percpu_hash, " +
			"lpm_trie, array_of_maps, hash_of_maps, queue, stack, bloom_filter"
		if !errors.Is(err, memory.ErrNoType) || err.Error() != want {
			t.Errorf("%s: %v", kind.Name, err)
		}
	}
}

// TestCreateDifferential makes maps of every kind of wrongness on both engines, and wants the same answers.
func TestCreateDifferential(t *testing.T) {
	p := &pair{t: t, kernel: kerneltest.Engine(t)}
	defer p.kernel.Close()
	seed := number(t, "BPFSH_DIFF_SEED", uint64(time.Now().UnixNano()))
	t.Logf("BPFSH_DIFF_SEED=%d", seed)
	creates := uint64(2000)
	if testing.Short() {
		creates = 500
	}
	for range number(t, "BPFSH_DIFF_CREATES", creates) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := newScenario(r, 0)
		distort(r, s)
		s.fit()
		if s.spec.Type == 0 || !bounded(&s.spec) {
			seed++
			continue
		}
		notes := map[int]string{0: ""}
		s.ops = []operation{{name: "info"}}
		if _, at := p.run(s, notes); at >= 0 {
			t.Errorf("BPFSH_DIFF_SEED=%d\n%s", seed, s.script(notes))
		}
		seed++
	}
}

// distort changes some of what a map is made of.
func distort(r *rand.Rand, s *scenario) {
	sizes := []uint32{0, 1, 4, 5, 8, 260, 261, 511, 32761, 32768, 32769, 1<<22 - 60, 1<<22 - 56, 1<<22 - 52, 1<<22 - 49, 1<<22 - 48, 1<<22 - 300, 1<<22 - 301, 1 << 22, 1<<22 + 1,
		1<<31 - 1, 1 << 31, 1<<32 - 1}
	for range 1 + r.IntN(3) {
		switch r.IntN(6) {
		case 0:
			s.spec.KeySize = pick(r, sizes)
		case 1:
			s.spec.ValueSize = pick(r, sizes)
			if s.kind().Nests && s.spec.ValueSize == 0 { // cilium/ebpf puts a 4 there
				s.spec.ValueSize = 4
			}
			if s.kind().Nests && s.spec.ValueSize != 4 { // and refuses others itself
				s.spec.ValueSize = 4
			}
		case 2:
			s.spec.MaxEntries = pick(r, []uint32{0, 1, 3, 7, 1 << 20, 1 << 27, 1<<27 + 1, 1 << 31, 1<<31 + 1, 1<<32 - 1})
		case 3:
			s.spec.Flags ^= 1 << r.IntN(16)
			s.spec.NumaNode = pick(r, []uint32{0, 0, 1, 1 << 30, 1<<32 - 1})
		case 4:
			s.spec.MapExtra = pick(r, []uint64{0, 1, 15, 16, 1 << 60})
		case 5:
			s.giveTypes(r, s.kind().Name)
		}
	}
}

// bounded says whether a map takes little memory, or is refused before the kernel takes any. A large percpu_array is
// never tried: the kernel allocates its values one by one, and Linux 6.18 crashes when it gives up after 2^31 of them.
func bounded(s *engine.Spec) bool {
	const little, tooMuch = 1 << 20, 1 << 45
	kind, n := engine.KindOf(s.Type), uint64(s.MaxEntries)
	if n*(uint64(s.KeySize)+uint64(s.ValueSize)+64)*uint64(cpus) < little {
		return true
	}
	switch {
	case kind.PerCPU || kind.Nests || kind.Shape == engine.Members:
		return false
	case kind.Shape == engine.Ordered: // from 4 GiB on it is a matter of the memory there is
		return false
	case kind.Shape == engine.Hashed:
		return !kind.Trie && n > 1<<27
	}
	return n*uint64(s.ValueSize) > tooMuch // one allocation, larger than any machine
}

func ExampleEngine() {
	e := &memory.Engine{}
	m, err := e.Create(engine.Spec{Type: 1, KeySize: 4, ValueSize: 4, MaxEntries: 4})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	fmt.Println(m.Update([]byte("key1"), []byte("val1"), 0), m.Delete([]byte("key2")))
	// Output: <nil> no such file or directory
}
