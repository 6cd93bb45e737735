package memory_test

import (
	"fmt"
	"testing"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// What flags are taken, by operation.
func TestFlags(t *testing.T) {
	engines(t, func(t *testing.T, e engine.Engine) {
		m := counted(t, e, good(t, "hash"), 2)
		spec := good(t, "hash")
		spec.ValueSize, spec.Key, spec.Value = 16, u32, locked
		withLock := counted(t, e, spec, 2)
		v := make([]byte, 16)
		for _, c := range []struct {
			op    string
			do    func(m engine.Map, flags uint64) error
			flags uint64
			plain error
			lock  error
		}{
			{"lookup", func(m engine.Map, f uint64) error { return m.Lookup(key32(1), v, f) }, unix.BPF_F_LOCK, unix.EINVAL, nil},
			{"lookup", func(m engine.Map, f uint64) error { return m.Lookup(key32(1), v, f) }, 1, unix.EINVAL, unix.EINVAL},
			{"update", func(m engine.Map, f uint64) error { return m.Update(key32(1), v, f) }, unix.BPF_F_LOCK | unix.BPF_EXIST, unix.EINVAL, nil},
			{"update", func(m engine.Map, f uint64) error { return m.Update(key32(1), v, f) }, 3, unix.EINVAL, unix.EINVAL},
			{"update", func(m engine.Map, f uint64) error { return m.Update(key32(1), v, f) }, 8, unix.EINVAL, unix.EINVAL},
			{"update", func(m engine.Map, f uint64) error { return m.Update(key32(1), v, f) }, 1 << 63, unix.EINVAL, unix.EINVAL},
			{"update_batch", updateOne, unix.BPF_F_LOCK, unix.EINVAL, nil},
			{"update_batch", updateOne, unix.BPF_NOEXIST, unix.EINVAL, unix.EINVAL},
			{"update_batch", updateOne, unix.BPF_EXIST, unix.EINVAL, unix.EINVAL},
			{"pop", func(m engine.Map, f uint64) error { return m.LookupAndDelete(key32(0), v, f) }, 1, unix.EINVAL, unix.EINVAL},
			{"pop", func(m engine.Map, f uint64) error { return m.LookupAndDelete(key32(0), v, f) }, unix.BPF_F_LOCK, unix.EINVAL, nil},
		} {
			if err := c.do(m, c.flags); err != c.plain {
				t.Errorf("%s with flags %#x: %v, want %v", c.op, c.flags, err, c.plain)
			}
			if c.op == "pop" && older(e, "5.14") {
				c.lock = unix.EINVAL
			}
			if err := c.do(withLock, c.flags); err != c.lock {
				t.Errorf("%s with flags %#x and a lock: %v, want %v", c.op, c.flags, err, c.lock)
			}
		}
	})
}

func updateOne(m engine.Map, flags uint64) error {
	_, err := m.UpdateBatch(key32(1), make([]byte, m.Info().Stride()), 1, flags)
	return err
}

// The values of a map of maps are like its template.
func TestInner(t *testing.T) {
	engines(t, func(t *testing.T, e engine.Engine) {
		for _, typ := range []string{"hash_of_maps", "array_of_maps"} {
			for _, c := range []struct {
				inner  string
				flags  uint32
				what   string
				change func(*engine.Spec)
				want   error
			}{
				{"array", 0, "alike", func(s *engine.Spec) {}, nil},
				{"array", 0, "of another size", func(s *engine.Spec) { s.MaxEntries++ }, unix.EINVAL},
				{"array", unix.BPF_F_INNER_MAP, "of another size, as it may be", func(s *engine.Spec) { s.MaxEntries++ }, nil},
				{"array", 0, "with other flags", func(s *engine.Spec) { s.Flags |= unix.BPF_F_INNER_MAP }, unix.EINVAL},
				{"array", 0, "for reading", func(s *engine.Spec) { s.Flags |= unix.BPF_F_RDONLY }, nil},
				{"array", 0, "with a lock", func(s *engine.Spec) { s.ValueSize, s.Key, s.Value = 16, u32, locked }, unix.EINVAL},
				{"hash", 0, "of another size", func(s *engine.Spec) { s.MaxEntries++ }, nil},
				{"hash", 0, "with other keys", func(s *engine.Spec) { s.KeySize++ }, unix.EINVAL},
				{"hash", 0, "with other values", func(s *engine.Spec) { s.ValueSize++ }, unix.EINVAL},
				{"hash", 0, "of another type", func(s *engine.Spec) { *s = good(t, "lru_hash") }, unix.EINVAL},
			} {
				t.Run(fmt.Sprintf("%s, %s %s", typ, c.inner, c.what), func(t *testing.T) {
					spec, in := good(t, typ), good(t, c.inner)
					in.Flags |= c.flags
					spec.Inner = &in
					outer := create(t, e, spec)
					other := in
					c.change(&other)
					if err := outer.Update(key32(1), key32(create(t, e, other).Value()), 0); err != c.want {
						t.Errorf("got %v, want %v", err, c.want)
					}
					if err := outer.Update(key32(1), key32(1<<31-1), 0); err != unix.EBADF {
						t.Errorf("no map: %v, want EBADF", err)
					}
				})
			}
		}
	})
}

// A walk by batches through a map without buckets goes on behind the last key.
func TestBatchesByKey(t *testing.T) {
	engines(t, func(t *testing.T, e engine.Engine) {
		for _, typ := range []string{"array", "percpu_array", "array_of_maps"} {
			t.Run(typ, func(t *testing.T) {
				arrived(t, e, typ, "lookup_batch")
				testBatchesByKey(t, e, typ)
			})
		}
	})
}

func testBatchesByKey(t *testing.T, e engine.Engine, typ string) {
	spec := good(t, typ)
	spec.MaxEntries = 10
	m := create(t, e, spec)
	if typ == "array_of_maps" { // empty slots are passed over
		in := create(t, e, *spec.Inner)
		for _, i := range []uint32{0, 1, 4, 9} {
			if err := m.Update(key32(i), key32(in.Value()), 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	var cur engine.Cursor
	keys, values := make([]byte, 3*4), make([]byte, 3*m.Info().Stride())
	var got []string
	for range 6 {
		n, err := m.LookupBatch(&cur, keys, values, 3)
		got = append(got, fmt.Sprintf("%d %x %s", n, keys[:4*n], errorName(err)))
		if err != nil {
			break
		}
	}
	want := "[3 000000000100000002000000  3 030000000400000005000000  3 060000000700000008000000  1 09000000 ENOENT]"
	if typ == "array_of_maps" {
		want = "[3 000000000100000004000000  1 09000000 ENOENT]"
	}
	if fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}
