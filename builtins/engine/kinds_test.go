package engine_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// plain is a spec that the kernel takes for a type.
func plain(typ uint32, kind *engine.Kind) engine.Spec {
	s := engine.Spec{Type: typ, KeySize: 4, ValueSize: 4, MaxEntries: 4}
	switch {
	case kind.Trie:
		s.KeySize = 8
	case kind.Shape == engine.Ordered || kind.Shape == engine.Members:
		s.KeySize = 0
	case kind.Name == "arena":
		s.KeySize, s.ValueSize = 0, 0
	case kind.Shape == engine.Opaque:
		s.KeySize, s.ValueSize, s.MaxEntries = 0, 0, 4096
	case strings.HasSuffix(kind.Name, "cgroup_storage"):
		s.KeySize = 8
	case strings.HasSuffix(kind.Name, "_of_maps"):
		s.Inner = &engine.Spec{Type: 2, KeySize: 4, ValueSize: 4, MaxEntries: 1}
	case kind.Name == "insn_array":
		s.ValueSize = 16
	case kind.Name == "stack_trace", strings.HasPrefix(kind.Name, "sock"), kind.Name == "reuseport_sockarray":
		s.ValueSize = 8
	}
	if kind.NoEntries {
		s.MaxEntries = 0
		s.Key, s.Value = &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}, &btf.Int{Name: "u32", Size: 4}
	}
	return s
}

// attempts are the operations by which the others are done.
var attempts = []struct {
	op, also string
	try      func(m engine.Map) error
}{
	{"lookup", "", func(m engine.Map) error { return m.Lookup(anyKey(m), value(m.Info(), 0), 0) }},
	{"update", "update_batch", func(m engine.Map) error { return m.Update(anyKey(m), value(m.Info(), 0), 0) }},
	{"delete", "delete_batch", func(m engine.Map) error { return m.Delete(anyKey(m)) }},
	{"pop", "", func(m engine.Map) error { return m.LookupAndDelete(anyKey(m), value(m.Info(), 0), 0) }},
	{"next_key", "", func(m engine.Map) error { return m.NextKey(nil, anyKey(m)) }},
	{"items", "keys values lookup_batch count", func(m engine.Map) error { return walked(engine.NewWalk(m, 0)) }},
	{"pop_batch", "", func(m engine.Map) error { return walked(engine.NewPop(m, 0)) }},
}

func anyKey(m engine.Map) []byte { return make([]byte, m.Info().KeySize) }

func walked(w *engine.Walk) error {
	for {
		if _, err := w.Next(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// What the kernel refuses has a hint, and what it does has none.
func TestInstead(t *testing.T) {
	for i, kind := range engine.Kinds {
		if i == 0 || kind.Name == "struct_ops" { // which wants the types of a subsystem
			continue
		}
		t.Run(kind.Name, func(t *testing.T) {
			m := kerneltest.Map(t, kerneltest.Engine(t), plain(uint32(i), &kind))
			for _, a := range attempts {
				if a.op == "update" && refersToObjects(&kind) || a.op == "delete" && kind.Name == "sockmap" {
					continue // EINVAL is about the value, or the empty slot
				}
				err := a.try(m)
				refused := errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, notSupported)
				for _, op := range append(strings.Fields(a.also), a.op) {
					text := kind.Instead.Of(op) + kind.Instead.Of("")
					switch {
					case refused && kind.Name == "hash_of_maps" && op == "pop_batch": // an older kernel
					case refused && text == "":
						t.Errorf("%s is refused (%v), and nothing says what to use instead", op, err)
					case !refused && text != "" && kind.Keyed() && op != "pop":
						t.Errorf("%s: %v, but the hint is %q", op, err, text)
					}
				}
			}
		})
	}
}

// refersToObjects says whether a value is the descriptor or number of something that must exist.
func refersToObjects(kind *engine.Kind) bool {
	return kind.Shape == engine.Slots || slices.Contains([]string{"hash_of_maps", "devmap_hash", "sockhash", "insn_array"}, kind.Name)
}

// A type's shape is how its keys come and go.
func TestShape(t *testing.T) {
	for i, kind := range engine.Kinds {
		if i == 0 || kind.Name == "struct_ops" || !kind.Keyed() || kind.Name == "stack_trace" {
			continue
		}
		t.Run(kind.Name, func(t *testing.T) {
			m := kerneltest.Map(t, kerneltest.Engine(t), plain(uint32(i), &kind))
			if got := m.Info().CPUs > 0; got != kind.PerCPU {
				t.Errorf("it has a value for each CPU: %v, want %v", got, kind.PerCPU)
			}
			if m.Info().Flags&kind.Flags != kind.Flags {
				t.Errorf("flags %#x, want %#x among them", m.Info().Flags, kind.Flags)
			}
			// An empty map has a first key only if keys are indexes.
			indexed := kind.Shape != engine.Hashed
			if err := m.NextKey(nil, anyKey(m)); (err == nil) != indexed {
				t.Errorf("the first key of an empty map: %v, want one: %v", err, indexed)
			}
			n, want := 0, 0
			if kind.Shape == engine.Indexed {
				want = int(m.Info().MaxEntries)
			}
			w := engine.NewWalk(m, 0)
			b, err := w.Next()
			for ; err == nil; b, err = w.Next() {
				n += b.N
			}
			if err == io.EOF && n != want {
				t.Errorf("a walk through an empty map gives %d entries, want %d", n, want)
			}
		})
	}
}

func TestKinds(t *testing.T) {
	for i, kind := range engine.Kinds {
		if i == 0 {
			continue
		}
		if n, ok := engine.TypeByName(kind.Name); n != uint32(i) || !ok {
			t.Errorf("TypeByName(%q) = %d, %v; want %d", kind.Name, n, ok, i)
		}
		if engine.KindOf(uint32(i)).Name != kind.Name || engine.TypeNames()[i-1] != kind.Name {
			t.Errorf("%d is called %s, %s and %s", i, kind.Name, engine.KindOf(uint32(i)).Name, engine.TypeNames()[i-1])
		}
	}
	for _, name := range []string{"", "unspec", "hashes", "type_99"} {
		if n, ok := engine.TypeByName(name); ok {
			t.Errorf("TypeByName(%q) = %d, want none", name, n)
		}
	}
	if n, ok := engine.TypeByName("LRU_Hash"); n != 9 || !ok {
		t.Errorf("TypeByName(LRU_Hash) = %d, %v; want 9", n, ok)
	}
	if k := engine.KindOf(99); k.Name != "type_99" || !k.Keyed() || len(k.Instead) > 0 {
		t.Errorf("a type of the future is %+v", k)
	}
}

func TestStride(t *testing.T) {
	for _, c := range []struct {
		size uint32
		cpus int
		want int
	}{{4, 0, 4}, {0, 0, 0}, {4, 2, 16}, {8, 2, 16}, {9, 4, 64}, {1, 1, 8}} {
		t.Run(fmt.Sprintf("%d for %d CPUs", c.size, c.cpus), func(t *testing.T) {
			if got := (&engine.Info{ValueSize: c.size, CPUs: c.cpus}).Stride(); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}
