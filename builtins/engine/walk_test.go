package engine_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// notSupported is the kernel's ENOTSUPP, which has no name in user space.
const notSupported = unix.Errno(524)

// contents is a walk to its end. A key that comes twice is an error.
func contents(t testing.TB, w *engine.Walk, m engine.Map) (entries map[string]string, batches int) {
	t.Helper()
	entries = map[string]string{}
	for {
		b, err := w.Next()
		if err == io.EOF {
			return entries, batches
		}
		if err != nil {
			t.Fatalf("after %d batches and %d entries: %v", batches, len(entries), err)
		}
		take(t, m, b, entries)
		batches++
	}
}

// take adds a batch to what has come.
func take(t testing.TB, m engine.Map, b engine.Batch, entries map[string]string) {
	t.Helper()
	k, v := int(m.Info().KeySize), m.Info().Stride()
	if b.N == 0 || len(b.Keys) != b.N*k || len(b.Values) != b.N*v {
		t.Fatalf("a batch of %d has %d bytes of keys and %d of values, want %d and %d for each entry", b.N, len(b.Keys), len(b.Values), k, v)
	}
	for i := range b.N {
		key := string(b.Keys[i*k : (i+1)*k])
		if _, twice := entries[key]; twice {
			t.Fatalf("key %x came twice", key)
		}
		entries[key] = string(b.Values[i*v : (i+1)*v])
	}
}

// compare says how entries differ from what put has written.
func compare(t testing.TB, m engine.Map, got map[string]string, keys [][]byte) {
	t.Helper()
	if len(got) != len(keys) {
		t.Errorf("%d entries, want %d", len(got), len(keys))
	}
	for i, key := range keys {
		if want := string(value(m.Info(), i)); got[string(key)] != want {
			t.Fatalf("under %x: %x, want %x", key, got[string(key)], want)
		}
	}
}

// prefixes are n different keys of a trie for IPv4, nested in each other.
func prefixes(n int) (keys [][]byte) {
	for i := 0; len(keys) < n; i++ {
		keys = append(keys, prefix(24, uint32(i)<<8))
		for j := 0; j < 3 && len(keys) < n; j++ {
			keys = append(keys, prefix(32, uint32(i)<<8|uint32(j*77)))
		}
	}
	return keys
}

func TestWalk(t *testing.T) {
	for _, c := range []struct {
		typ       string
		keySize   uint32
		valueSize uint32
		max       int
		keys      [][]byte
		size      int
	}{
		{"hash", 4, 8, 4096, numbers(0, 4096), 1},
		{"hash", 4, 8, 4096, numbers(0, 4096), 0},
		{"hash", 4, 8, 1000, numbers(0, 100), 64},
		{"hash", 4, 8, 1000, nil, 64},
		{"hash", 1, 1, 256, [][]byte{{0}, {7}, {255}}, 2},
		{"hash", 4, 70000, 200, numbers(0, 150), 0},
		{"lru_hash", 4, 8, 10000, numbers(0, 100), 16},
		{"array", 4, 8, 256, numbers(0, 256), 64},
		{"array", 4, 8, 100, numbers(0, 100), 64},
		{"array", 4, 3, 5, numbers(0, 5), 1},
		{"percpu_hash", 4, 8, 1000, numbers(0, 100), 64},
		{"percpu_hash", 4, 4, 1000, numbers(0, 100), 1},
		{"percpu_array", 4, 4, 128, numbers(0, 128), 64},
		{"percpu_array", 4, 12, 100, numbers(0, 100), 64},
		{"lru_percpu_hash", 4, 4, 10000, numbers(0, 100), 0},
		{"lpm_trie", 8, 4, 1000, prefixes(1000), 64},
		{"lpm_trie", 8, 4, 1000, prefixes(128), 64},
		{"lpm_trie", 8, 4, 1000, nil, 0},
	} {
		t.Run(fmt.Sprintf("%s %d of %d by %d", c.typ, len(c.keys), c.max, c.size), func(t *testing.T) {
			e := kerneltest.Engine(t)
			m := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, c.typ), KeySize: c.keySize, ValueSize: c.valueSize, MaxEntries: uint32(c.max)})
			put(t, m, c.keys)
			got, _ := contents(t, engine.NewWalk(m, c.size), m)
			compare(t, m, got, c.keys)
			got, batches := contents(t, engine.NewWalk(noBatches{m, unix.EINVAL}, c.size), m)
			compare(t, m, got, c.keys)
			if c.size > 0 && batches < len(c.keys)/c.size {
				t.Errorf("one by one: %d batches of %d for %d entries", batches, c.size, len(c.keys))
			}
		})
	}
}

// noBatches is a map of a kernel without batches, as all are before Linux 5.6.
type noBatches struct {
	engine.Map
	err error
}

func (m noBatches) LookupBatch(*engine.Cursor, []byte, []byte, int) (int, error) { return 0, m.err }

// Values of these types are written as descriptors and read as ids, or have one meaning each.
func TestWalkHandles(t *testing.T) {
	e := kerneltest.Engine(t)
	inner := &engine.Spec{Type: kerneltest.Type(t, "array"), KeySize: 4, ValueSize: 4, MaxEntries: 1}
	first, second := kerneltest.Map(t, e, *inner), kerneltest.Map(t, e, *inner)
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.SocketFilter, License: "MIT",
		Instructions: asm.Instructions{asm.LoadImm(asm.R0, 0, asm.DWord), asm.Return()},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer prog.Close()
	info, err := prog.Info()
	if err != nil {
		t.Fatal(err)
	}
	id, _ := info.ID()
	loopback := map[int]written{5: {1, 1}} // the first interface of every network namespace is lo
	maps := map[int]written{2: {descriptor(t, first), int(first.Info().ID)}, 200: {descriptor(t, second), int(second.Info().ID)}}
	for _, c := range []struct {
		typ     string
		entries map[int]written
		empty   bool // slots without an entry are walked as zeros
	}{
		{typ: "array_of_maps", entries: maps},
		{typ: "hash_of_maps", entries: maps},
		{typ: "prog_array", entries: map[int]written{0: {prog.FD(), int(id)}, 131: {prog.FD(), int(id)}}},
		{typ: "devmap", entries: loopback},
		{typ: "devmap_hash", entries: loopback},
		{typ: "stack_trace"},
		{typ: "sockhash"},
	} {
		for _, size := range []int{1, 0} {
			t.Run(fmt.Sprintf("%s by %d", c.typ, size), func(t *testing.T) {
				spec := engine.Spec{Type: kerneltest.Type(t, c.typ), KeySize: 4, ValueSize: 4, MaxEntries: 300}
				switch {
				case strings.HasSuffix(c.typ, "_of_maps"):
					spec.Inner = inner
				case c.typ == "stack_trace" || c.typ == "sockhash":
					spec.ValueSize = 8
				}
				m := kerneltest.Map(t, e, spec)
				for key, v := range c.entries {
					if err := m.Update(number(key), number(v.as), 0); err != nil {
						t.Fatal(err)
					}
				}
				got, _ := contents(t, engine.NewWalk(m, size), m)
				if len(got) != len(c.entries) {
					t.Errorf("%d entries, want %d", len(got), len(c.entries))
				}
				for key, v := range c.entries {
					if got := got[string(number(key))]; got != string(number(v.read)) {
						t.Errorf("under %d: %x, want %x", key, got, number(v.read))
					}
				}
			})
		}
	}
}

// written is a value as it is written and as it is read.
type written struct{ as, read int }

// descriptor is one of m, open during the test.
func descriptor(t *testing.T, m engine.Map) int {
	t.Helper()
	handle, err := ebpf.NewMapFromID(ebpf.MapID(m.Info().ID))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { handle.Close() })
	return handle.FD()
}

// What cannot be walked answers with what the kernel says to its keys, or to its values.
func TestWalkErrno(t *testing.T) {
	for _, c := range []struct {
		typ                string
		keySize, valueSize uint32
		max                uint32
		walk               func(engine.Map, int) *engine.Walk
		want               error
	}{
		{"queue", 0, 4, 4, engine.NewWalk, unix.EINVAL},
		{"stack", 0, 4, 4, engine.NewWalk, unix.EINVAL},
		{"ringbuf", 0, 0, 4096, engine.NewWalk, notSupported},
		{"bloom_filter", 0, 4, 4, engine.NewWalk, unix.EOPNOTSUPP},
		{"cgroup_array", 4, 4, 4, engine.NewWalk, notSupported},
		{"xskmap", 4, 4, 4, engine.NewWalk, unix.EOPNOTSUPP},
		{"queue", 0, 4, 4, engine.NewPop, notSupported},
		{"array", 4, 4, 4, engine.NewPop, notSupported},
		{"lpm_trie", 8, 4, 4, engine.NewPop, notSupported},
		{"devmap_hash", 4, 4, 4, engine.NewPop, notSupported},
	} {
		t.Run(fmt.Sprint(c.typ, " ", c.want), func(t *testing.T) {
			m := kerneltest.Map(t, kerneltest.Engine(t), engine.Spec{Type: kerneltest.Type(t, c.typ), KeySize: c.keySize, ValueSize: c.valueSize, MaxEntries: c.max})
			w := c.walk(m, 0)
			for range 2 {
				if b, err := w.Next(); !errors.Is(err, c.want) || b.N != 0 {
					t.Errorf("%d entries, %v; want %v", b.N, err, c.want)
				}
			}
		})
	}
}

func TestWalkClosed(t *testing.T) {
	for _, size := range []int{0, 10} {
		for _, start := range []func(engine.Map, int) *engine.Walk{engine.NewWalk, engine.NewPop} {
			m := kerneltest.Map(t, kerneltest.Engine(t), engine.Spec{Type: kerneltest.Type(t, "hash"), KeySize: 4, ValueSize: 8, MaxEntries: 100})
			put(t, m, numbers(0, 100))
			w := start(m, size)
			if size > 0 {
				if _, err := w.Next(); err != nil {
					t.Fatal(err)
				}
			}
			m.Close()
			if b, err := w.Next(); !errors.Is(err, unix.EBADF) || b.N != 0 {
				t.Errorf("of a closed map: %d entries, %v; want EBADF", b.N, err)
			}
		}
	}
}

func TestPop(t *testing.T) {
	for _, c := range []struct {
		typ       string
		valueSize uint32
		size      int
	}{
		{"hash", 8, 64}, {"hash", 8, 1}, {"hash", 8, 0}, {"lru_hash", 8, 64}, {"percpu_hash", 4, 64},
	} {
		t.Run(fmt.Sprintf("%s by %d", c.typ, c.size), func(t *testing.T) {
			e := kerneltest.Engine(t)
			m := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, c.typ), KeySize: 4, ValueSize: c.valueSize, MaxEntries: 5000})
			keys := numbers(0, 4500)
			if c.typ == "lru_hash" {
				keys = keys[:100] // more than that, and it may have dropped some
			}
			put(t, m, keys)

			w, popped := engine.NewPop(m, c.size), map[string]string{}
			b, err := w.Next()
			if err != nil {
				t.Fatal(err)
			}
			take(t, m, b, popped)
			rest, _ := contents(t, engine.NewWalk(m, 0), m)
			if len(rest)+len(popped) != len(keys) {
				t.Errorf("%d entries were returned and %d are left, of %d", len(popped), len(rest), len(keys))
			}
			if len(rest) == 0 && c.size > 0 {
				t.Error("the first batch took all")
			}
			for err == nil {
				if b, err = w.Next(); err == nil {
					take(t, m, b, popped)
				}
			}
			if err != io.EOF {
				t.Error(err)
			}
			compare(t, m, popped, keys)
			if _, err := engine.NewWalk(m, 0).Next(); err != io.EOF {
				t.Errorf("walk after all was taken: %v, want EOF", err)
			}
		})
	}
}

// An array of maps with empty slots ends a batch with EINTR before Linux 6.14, behind the entries before the slot.
func TestWalkEmptySlots(t *testing.T) {
	e := kerneltest.Engine(t)
	inner := &engine.Spec{Type: kerneltest.Type(t, "array"), KeySize: 4, ValueSize: 4, MaxEntries: 1}
	m := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, "array_of_maps"), KeySize: 4, ValueSize: 4, MaxEntries: 10, Inner: inner})
	fd := descriptor(t, kerneltest.Map(t, e, *inner))
	filled := []int{0, 1, 2, 5, 9}
	for _, i := range filled {
		if err := m.Update(number(i), number(fd), 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, size := range []int{1, 2, 3, 10} {
		got, _ := contents(t, engine.NewWalk(interrupted{m}, size), m)
		if len(got) != len(filled) {
			t.Errorf("by %d: %d entries, want %d", size, len(got), len(filled))
		}
	}
}

// interrupted is an array of maps of an older kernel.
type interrupted struct{ engine.Map }

func (m interrupted) LookupBatch(cur *engine.Cursor, keys, values []byte, n int) (int, error) {
	for i := range n {
		key, value := keys[4*i:4*i+4], values[4*i:4*i+4]
		if err := m.NextKey(cur.Opaque, key); err != nil {
			return i, err
		}
		switch err := m.Lookup(key, value, 0); {
		case errors.Is(err, unix.ENOENT) && i == 0:
			return 0, unix.EINTR
		case errors.Is(err, unix.ENOENT):
			return i, nil
		case err != nil:
			return 0, err
		}
		cur.Opaque = append([]byte(nil), key...)
	}
	return n, nil
}
