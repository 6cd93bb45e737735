package memory_test

import (
	"fmt"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/memory"

	"golang.org/x/sys/unix"
)

// A map lives as long as a handle, a pin or an outer map holds it.
func TestLife(t *testing.T) {
	e := &memory.Engine{}
	ids := func() (all []uint32) {
		for id := uint32(0); ; {
			next, err := e.NextID(id)
			if err == unix.ENOENT {
				return all
			}
			if err != nil || next <= id {
				t.Fatalf("after %d: %d, %v", id, next, err)
			}
			id = next
			all = append(all, id)
		}
	}
	want := func(what string, want ...uint32) {
		t.Helper()
		if got := ids(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: there are %v, want %v", what, got, want)
		}
	}
	a, outer := opened(t)(e.Create(good(t, "array"))), opened(t)(e.Create(good(t, "hash_of_maps")))
	array := opened(t)(e.Create(good(t, "array_of_maps")))
	want("made", 1, 2, 3)
	for _, m := range []engine.Map{outer, array} {
		for i := range uint32(2) {
			if err := m.Update(key32(i), key32(1), 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	a.Close()
	want("held by two maps", 1, 2, 3)
	again := opened(t)(e.OpenID(1, false))
	if err := again.Pin("/sys/fs/bpf/a", false); err != nil {
		t.Fatal(err)
	}
	again.Close()
	if err := outer.Delete(key32(0)); err != nil {
		t.Fatal(err)
	}
	if n, err := outer.LookupAndDeleteBatch(&engine.Cursor{}, make([]byte, 64), make([]byte, 64), 4); n != 1 || err != unix.ENOENT {
		t.Fatal(n, err)
	}
	want("held by one map and a pin", 1, 2, 3)
	array.Close()
	want("held by a pin", 1, 2)
	b := opened(t)(e.Create(good(t, "array")))
	if err := b.Pin("/sys/fs/bpf/a", true); err != nil {
		t.Fatal(err)
	}
	want("replaced", 2, 4)
	b.Close()
	if err := e.Unpin("/sys/fs/bpf/a"); err != nil {
		t.Fatal(err)
	}
	want("unpinned", 2)
	c := opened(t)(e.Create(good(t, "array")))
	if err := outer.Update(key32(0), key32(5), 0); err != nil {
		t.Fatal(err)
	}
	if err := outer.Update(key32(0), key32(5), unix.BPF_NOEXIST); err != unix.EEXIST {
		t.Fatal(err)
	}
	if err := outer.Update(key32(0), key32(5), 0); err != nil {
		t.Fatal(err)
	}
	c.Close()
	want("in a map", 2, 5)
	outer.Close()
	want("all closed")
	if _, err := e.OpenID(5, false); err != unix.ENOENT {
		t.Errorf("open what is gone: %v", err)
	}
	if next, err := e.NextID(4); next != 0 || err != unix.ENOENT {
		t.Errorf("next id: %d, %v", next, err)
	}
}
