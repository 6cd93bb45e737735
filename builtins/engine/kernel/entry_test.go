package kernel_test

import (
	"bytes"
	"fmt"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"golang.org/x/sys/unix"
)

// An operation on one entry allocates nothing, whether the entry is there or not.
func TestAllocations(t *testing.T) {
	m := hash(t, kerneltest.Engine(t))
	if err := m.Update(number(1), number(2), 0); err != nil {
		t.Fatal(err)
	}
	there, missing, v := number(1), number(7), make([]byte, 4)
	for _, c := range []struct {
		op   string
		call func() error
		want error
	}{
		{"lookup, hit", func() error { return m.Lookup(there, v, 0) }, nil},
		{"lookup, miss", func() error { return m.Lookup(missing, v, 0) }, unix.ENOENT},
		{"update", func() error { return m.Update(there, v, 0) }, nil},
		{"update, refused", func() error { return m.Update(there, v, unix.BPF_NOEXIST) }, unix.EEXIST},
		{"delete, miss", func() error { return m.Delete(missing) }, unix.ENOENT},
		{"next key", func() error { return m.NextKey(nil, v) }, nil},
	} {
		t.Run(c.op, func(t *testing.T) {
			if n := testing.AllocsPerRun(100, func() {
				if err := c.call(); err != c.want {
					t.Fatalf("got %v, want %v", err, c.want)
				}
			}); n != 0 {
				t.Errorf("%v allocations, want 0", n)
			}
		})
	}
}

func TestQueue(t *testing.T) {
	for _, c := range []struct {
		typ   string
		order []int
	}{{"queue", []int{2, 3, 4}}, {"stack", []int{4, 3, 2}}} {
		t.Run(c.typ, func(t *testing.T) {
			m := kerneltest.Map(t, kerneltest.Engine(t), engine.Spec{Type: kerneltest.Type(t, c.typ), ValueSize: 4, MaxEntries: 3})
			for i, want := range []error{nil, nil, nil, unix.E2BIG} {
				if err := m.Update(nil, number(i+1), 0); err != want {
					t.Errorf("push %d: %v, want %v", i+1, err, want)
				}
			}
			if err := m.Update(nil, number(4), unix.BPF_EXIST); err != nil { // the oldest makes room
				t.Error(err)
			}
			got := make([]byte, 4)
			for _, want := range c.order {
				for _, read := range []func(key, value []byte, flags uint64) error{m.Lookup, m.LookupAndDelete} {
					if err := read(nil, got, 0); err != nil || !bytes.Equal(got, number(want)) {
						t.Errorf("got %x, %v; want %d", got, err, want)
					}
				}
			}
			if err := m.LookupAndDelete(nil, got, 0); err != unix.ENOENT {
				t.Errorf("pop of an empty %s: %v, want ENOENT", c.typ, err)
			}
		})
	}
}

func TestBloomFilter(t *testing.T) {
	m := kerneltest.Map(t, kerneltest.Engine(t), engine.Spec{Type: kerneltest.Type(t, "bloom_filter"), ValueSize: 4, MaxEntries: 1000})
	if err := m.Lookup(nil, number(77), 0); err != unix.ENOENT {
		t.Errorf("in an empty filter: %v, want ENOENT", err)
	}
	if err := m.Update(nil, number(77), 0); err != nil {
		t.Error(err)
	}
	if err := m.Lookup(nil, number(77), 0); err != nil {
		t.Errorf("what was added: %v", err)
	}
}

// A count is true although the kernel's is not: it leaves what was asked for where it fails before its loop.
func TestCounts(t *testing.T) {
	const notSupported = unix.Errno(524)
	e := kerneltest.Engine(t)
	keys, values := bytes.Join([][]byte{number(1), number(2), number(9999)}, nil), make([]byte, 12)
	for _, c := range []struct {
		typ  string
		what string
		call func(m engine.Map) (int, error)
		done int
		want error
	}{
		{"hash", "update", func(m engine.Map) (int, error) { return m.UpdateBatch(keys, values, 3, 0) }, 3, nil},
		{"hash", "update with NOEXIST", func(m engine.Map) (int, error) { return m.UpdateBatch(keys, values, 3, unix.BPF_NOEXIST) }, 0, unix.EINVAL},
		{"array", "update", func(m engine.Map) (int, error) { return m.UpdateBatch(keys, values, 3, 0) }, 2, unix.E2BIG},
		{"hash", "delete", func(m engine.Map) (int, error) { return m.DeleteBatch(keys, 3) }, 0, unix.ENOENT},
		{"array", "delete", func(m engine.Map) (int, error) { return m.DeleteBatch(keys, 3) }, 0, notSupported},
		{"devmap_hash", "update", func(m engine.Map) (int, error) { return m.UpdateBatch(keys, values, 3, 0) }, 0, notSupported},
		{"devmap_hash", "lookup", func(m engine.Map) (int, error) { return m.LookupBatch(&engine.Cursor{}, keys, values, 3) }, 0, notSupported},
		{"array", "pop", func(m engine.Map) (int, error) { return m.LookupAndDeleteBatch(&engine.Cursor{}, keys, values, 3) }, 0, notSupported},
		{"hash", "lookup in an empty map", func(m engine.Map) (int, error) { return m.LookupBatch(&engine.Cursor{}, keys, values, 3) }, 0, unix.ENOENT},
		{"array", "lookup", func(m engine.Map) (int, error) { return m.LookupBatch(&engine.Cursor{}, keys, values, 3) }, 3, nil},
	} {
		t.Run(c.typ+" "+c.what, func(t *testing.T) {
			m := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, c.typ), KeySize: 4, ValueSize: 4, MaxEntries: 4})
			if done, err := c.call(m); done != c.done || err != c.want {
				t.Errorf("done %d, %v; want %d, %v", done, err, c.done, c.want)
			}
		})
	}
}

// A bucket that does not fit leaves the cursor before it, and a larger batch goes on from there.
func TestLookupBatchTooSmall(t *testing.T) {
	m := kerneltest.Map(t, kerneltest.Engine(t), engine.Spec{Type: kerneltest.Type(t, "hash"), KeySize: 4, ValueSize: 4, MaxEntries: 64})
	for i := range 64 {
		if err := m.Update(number(i), number(i), 0); err != nil {
			t.Fatal(err)
		}
	}
	cur, small, seen := engine.Cursor{}, 0, map[string]bool{}
	for n := 1; ; {
		keys, values := make([]byte, 4*n), make([]byte, 4*n)
		done, err := m.LookupBatch(&cur, keys, values, n)
		for i := range done {
			if key := string(keys[4*i : 4*i+4]); seen[key] {
				t.Errorf("key %x came twice", key)
			} else {
				seen[key] = true
			}
		}
		switch err {
		case nil:
			n = 1
			continue
		case unix.ENOSPC:
			if small++; done != 0 {
				t.Errorf("%d entries came with ENOSPC", done)
			}
			n *= 2
			continue
		case unix.ENOENT:
		default:
			t.Error(err)
		}
		if len(seen) != 64 || small == 0 {
			t.Errorf("%d keys after %d batches that were too small, want 64 after some", len(seen), small)
		}
		return
	}
}

func TestOneCPU(t *testing.T) {
	e := kerneltest.Engine(t)
	m := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, "percpu_array"), KeySize: 4, ValueSize: 4, MaxEntries: 2})
	cpus, _ := e.CPUs()
	want := make([]byte, m.Info().Stride())
	for cpu := range cpus {
		copy(want[8*cpu:], fmt.Sprintf("cpu%d", cpu)[:4])
	}
	if err := m.Update(number(1), want, 0); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, m.Info().Stride())
	if err := m.Lookup(number(1), got, 0); err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}
