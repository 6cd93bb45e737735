package engine_test

import (
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/memory"

	"golang.org/x/sys/unix"
)

// filled is a map in memory with n entries, each with its key for a value.
func filled(t *testing.T, typ string, n int) engine.Map {
	t.Helper()
	number, ok := engine.TypeByName(typ)
	if !ok {
		t.Fatalf("no type %s", typ)
	}
	m, err := (&memory.Engine{}).Create(engine.Spec{Type: number, KeySize: 4, ValueSize: 4, MaxEntries: uint32(n)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	for i := range uint32(n) {
		key := binary.NativeEndian.AppendUint32(nil, i)
		if err := m.Update(key, key, 0); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// TestAhead gives every entry once, in batches that stay as they are until the next is asked for.
func TestAhead(t *testing.T) {
	for _, typ := range []string{"hash", "array", "lru_hash"} {
		const n = 10_000
		a, seen := engine.NewAhead(filled(t, typ, n), 64), map[string]bool{}
		for {
			b, err := a.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			before := string(b.Keys) + string(b.Values)
			runtime.Gosched() // the next is being read
			time.Sleep(10 * time.Microsecond)
			if string(b.Keys)+string(b.Values) != before || string(b.Keys) != string(b.Values) {
				t.Fatalf("%s: a batch has changed while it was looked at", typ)
			}
			for i := range b.N {
				key := string(b.Keys[4*i : 4*i+4])
				if seen[key] {
					t.Fatalf("%s: %x comes twice", typ, key)
				}
				seen[key] = true
			}
		}
		if len(seen) != n {
			t.Errorf("%s: %d keys, want %d", typ, len(seen), n)
		}
		if _, err := a.Next(); err != io.EOF {
			t.Errorf("%s: behind the end: %v", typ, err)
		}
	}
}

// counting counts how often batches are read.
type counting struct {
	engine.Map
	reads chan int // for how many entries each asked
	fails int      // which of them fails; 0: none
	with  any      // an error, or what it panics with
	n     int
}

func (m *counting) LookupBatch(cur *engine.Cursor, keys, values []byte, n int) (int, error) {
	if m.n++; m.n == m.fails {
		if err, ok := m.with.(error); ok {
			return 0, err
		}
		panic(m.with)
	}
	m.reads <- n
	return m.Map.LookupBatch(cur, keys, values, n)
}

// TestAheadFails brings an error, and a panic, of a batch that was read early to the call that asks for it, and not
// before.
func TestAheadFails(t *testing.T) {
	for _, with := range []any{unix.EIO, "out of order"} {
		m := &counting{Map: filled(t, "hash", 1000), reads: make(chan int, 100), fails: 3, with: with}
		a := engine.NewAhead(m, 64)
		for i := range 2 {
			if _, err := a.Next(); err != nil {
				t.Fatalf("batch %d: %v", i, err)
			}
		}
		func() {
			defer func() {
				if x := recover(); x != nil && !strings.Contains(x.(string), "out of order") {
					t.Errorf("it panics with %v", x)
				} else if x == nil && with == "out of order" {
					t.Error("the panic is lost")
				}
			}()
			if _, err := a.Next(); !errors.Is(err, unix.EIO) {
				t.Errorf("got %v, want EIO", err)
			}
		}()
	}
}

// TestAheadOneBatch reads one batch ahead, and no more.
func TestAheadOneBatch(t *testing.T) {
	m := &counting{Map: filled(t, "hash", 1000), reads: make(chan int, 100)}
	a := engine.NewAhead(m, 64)
	if _, err := a.Next(); err != nil {
		t.Fatal(err)
	}
	<-m.reads
	<-m.reads // while the first is looked at
	time.Sleep(10 * time.Millisecond)
	if len(m.reads) != 0 {
		t.Errorf("%d more were read, want none", len(m.reads))
	}
}

// TestAheadGrows asks for more at a time when a loop goes on, unless it was told a size.
func TestAheadGrows(t *testing.T) {
	for size, want := range map[int][]int{0: {4096, 16384}, 64: {64, 64}} {
		m := &counting{Map: filled(t, "array", 20000), reads: make(chan int, 1000)}
		a := engine.NewAhead(m, size)
		for range 2 {
			if _, err := a.Next(); err != nil {
				t.Fatal(err)
			}
		}
		if asked := []int{<-m.reads, <-m.reads}; !slices.Equal(asked, want) {
			t.Errorf("size %d: asked for %v, want %v", size, asked, want)
		}
	}
}

// TestNotAhead does not read early where the kernel may start over because of what the caller does.
func TestNotAhead(t *testing.T) {
	number, _ := engine.TypeByName("lpm_trie")
	trie, err := (&memory.Engine{}).Create(engine.Spec{Type: number, KeySize: 8, ValueSize: 4, MaxEntries: 1000, Flags: unix.BPF_F_NO_PREALLOC})
	if err != nil {
		t.Fatal(err)
	}
	defer trie.Close()
	for i := range uint32(500) {
		key := binary.BigEndian.AppendUint32(binary.NativeEndian.AppendUint32(nil, 32), i)
		if err := trie.Update(key, key[4:], 0); err != nil {
			t.Fatal(err)
		}
	}
	m := &counting{Map: trie, reads: make(chan int, 100)}
	if _, err := engine.NewAhead(m, 64).Next(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(10 * time.Millisecond)
	if len(m.reads) != 1 {
		t.Errorf("%d batches were read, want 1", len(m.reads))
	}
}
