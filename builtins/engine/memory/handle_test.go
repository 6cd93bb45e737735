package memory_test

import (
	"bytes"
	"math"
	"strings"
	"sync"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/memory"

	"golang.org/x/sys/unix"
)

// writes are the operations that change entries, by their names.
func writes(m engine.Map, key, value []byte) map[string]error {
	_, updated := m.UpdateBatch(key, value, 1, 0)
	_, popped := m.LookupAndDeleteBatch(&engine.Cursor{}, make([]byte, 64), make([]byte, 64), 4)
	_, deleted := m.DeleteBatch(key, 1)
	return map[string]error{
		"update": m.Update(key, value, 0), "update_batch": updated, "pop_batch": popped, "delete_batch": deleted,
		"pop": m.LookupAndDelete(key, bytes.Clone(value), 0), "delete": m.Delete(key),
	}
}

func reads(m engine.Map, key []byte) map[string]error {
	v, next := make([]byte, 4), make([]byte, 4)
	_, batch := m.LookupBatch(&engine.Cursor{}, make([]byte, 64), make([]byte, 64), 4)
	if batch == unix.ENOENT {
		batch = nil
	}
	return map[string]error{"lookup": m.Lookup(key, v, 0), "next_key": m.NextKey(nil, next), "lookup_batch": batch}
}

func TestRights(t *testing.T) {
	one := key32(1)
	for _, c := range []struct {
		what          string
		flags         uint32
		change        func(t *testing.T, e engine.Engine, m engine.Map) engine.Map
		reads, writes error
		freeze        error
	}{
		{"as made", 0, nil, nil, nil, nil},
		{"BPF_F_RDONLY", unix.BPF_F_RDONLY, nil, nil, unix.EPERM, unix.EPERM},
		{"BPF_F_WRONLY", unix.BPF_F_WRONLY, nil, unix.EPERM, nil, nil},
		{"BPF_F_RDONLY, opened by id", unix.BPF_F_RDONLY, func(t *testing.T, e engine.Engine, m engine.Map) engine.Map {
			return opened(t)(e.OpenID(m.Info().ID, false))
		}, nil, nil, nil},
		{"opened read-only by id", 0, func(t *testing.T, e engine.Engine, m engine.Map) engine.Map {
			return opened(t)(e.OpenID(m.Info().ID, true))
		}, nil, unix.EPERM, unix.EPERM},
		{"opened read-only by pin", 0, func(t *testing.T, e engine.Engine, m engine.Map) engine.Map {
			if err := m.Pin("/sys/fs/bpf/m", false); err != nil {
				t.Fatal(err)
			}
			return opened(t)(e.OpenPin("/sys/fs/bpf/m", true))
		}, nil, unix.EPERM, unix.EPERM},
		{"frozen through another handle", 0, func(t *testing.T, e engine.Engine, m engine.Map) engine.Map {
			if err := opened(t)(e.OpenID(m.Info().ID, false)).Freeze(); err != nil {
				t.Fatal(err)
			}
			return m
		}, nil, unix.EPERM, unix.EPERM},
		{"closed", 0, func(t *testing.T, e engine.Engine, m engine.Map) engine.Map {
			opened(t)(e.OpenID(m.Info().ID, false))
			m.Close()
			return m
		}, unix.EBADF, unix.EBADF, unix.EBADF},
	} {
		t.Run(c.what, func(t *testing.T) {
			e := &memory.Engine{}
			spec := good(t, "hash")
			spec.Flags |= c.flags
			m := opened(t)(e.Create(spec))
			writer := opened(t)(e.OpenID(m.Info().ID, false))
			if err := writer.Update(one, one, 0); err != nil {
				t.Fatal(err)
			}
			if c.change != nil {
				m = c.change(t, e, m)
			}
			for op, err := range reads(m, one) {
				if err != c.reads {
					t.Errorf("%s: %v, want %v", op, err, c.reads)
				}
			}
			for op, err := range writes(m, one, one) {
				want := c.writes
				if strings.HasPrefix(op, "pop") && want == nil { // reads, too
					want = c.reads
				}
				if refused := err == unix.EPERM || err == unix.EBADF; refused != (want != nil) || refused && err != want {
					t.Errorf("%s: %v, want %v", op, err, want)
				}
			}
			if err := m.Freeze(); err != c.freeze {
				t.Errorf("freeze: %v, want %v", err, c.freeze)
			}
		})
	}
}

func opened(t *testing.T) func(engine.Map, error) engine.Map {
	return func(m engine.Map, err error) engine.Map {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
}

// Every operation on a handle that is closed answers EBADF.
func TestClosed(t *testing.T) {
	m := opened(t)(new(memory.Engine).Create(good(t, "hash")))
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4)
	_, frozen := m.Frozen()
	_, size := m.Memory()
	_, owner := m.Owner()
	_, count := m.ProgramCount()
	_, items := m.ProgramEntries(0)
	_, _, add := m.ProgramAdd(b, 0, 4, 1, 0)
	_, batch := m.LookupBatch(&engine.Cursor{}, b, b, 1)
	for op, err := range map[string]error{
		"Close": m.Close(), "Owner": owner, "Pin": m.Pin("/sys/fs/bpf/m", false), "Frozen": frozen, "Memory": size, "LookupBatch": batch, "NextKey": m.NextKey(nil, b),
		"ProgramCount": count, "ProgramEntries": items, "ProgramAdd": add, "ProgramLookup": m.ProgramLookup(b, b, 0),
		"ProgramLookupPerCPU": m.ProgramLookupPerCPU(b, b, 0), "ProgramPeek": m.ProgramPeek(b), "ProgramPush": m.ProgramPush(b, 0),
		"ProgramPop": m.ProgramPop(b), "ProgramUpdate": m.ProgramUpdate(b, b, 0, 0), "ProgramDelete": m.ProgramDelete(b),
	} {
		if err != unix.EBADF {
			t.Errorf("%s: %v, want EBADF", op, err)
		}
	}
	if key, value := m.Types(); key != nil || value != nil {
		t.Errorf("types are %v and %v", key, value)
	}
}

// Several goroutines may use handles of one map.
func TestConcurrent(t *testing.T) {
	for _, typ := range types {
		t.Run(typ, func(t *testing.T) {
			e := &memory.Engine{}
			spec := good(t, typ)
			first := opened(t)(e.Create(spec))
			var wait sync.WaitGroup
			for range 4 {
				wait.Go(func() {
					m, err := e.OpenID(first.Info().ID, false)
					if err != nil {
						t.Error(err)
						return
					}
					defer m.Close()
					key, value := make([]byte, spec.KeySize), make([]byte, m.Info().Stride())
					for range 200 {
						_ = m.Update(key, value, 0)
						_ = m.Lookup(key, value, 0)
						_, _ = m.UpdateBatch(key, value, 1, 0)
						_, _ = m.ProgramEntries(0)
						_ = m.ProgramUpdate(key, value, 0, 0)
						_ = m.Pin("/sys/fs/bpf/m", true)
						_, _ = e.Counts()
					}
				})
			}
			wait.Wait()
		})
	}
}

// Bytes of a wrong size are an error, never more.
func TestSizes(t *testing.T) {
	for _, typ := range types {
		m := opened(t)(new(memory.Engine).Create(good(t, typ)))
		k, v := int(m.Info().KeySize), m.Info().Stride()
		short := func(n int) []byte { return make([]byte, max(0, n-1)) }
		calls := map[string]error{
			"lookup": m.Lookup(make([]byte, k), short(v), 0), "update": m.Update(make([]byte, k), short(v), 0),
			"push": m.Update(make([]byte, k+1), make([]byte, v), 1<<40),
		}
		if k > 0 {
			calls["lookup, key"] = m.Lookup(short(k), make([]byte, v), 0)
			calls["delete, key"] = m.Delete(short(k))
			calls["next_key"] = m.NextKey(short(k), make([]byte, k))
			calls["next_key, next"] = m.NextKey(nil, short(k))
			_, _, calls["kernel.add"] = m.ProgramAdd(make([]byte, k), math.MaxInt&^7, 8, 1, 0)
			calls["kernel.update"] = m.ProgramUpdate(make([]byte, k), nil, 0, 0)
			_, calls["update_batch"] = m.UpdateBatch(short(3*k), make([]byte, 3*v), 3, 0)
			_, calls["lookup_batch"] = m.LookupBatch(&engine.Cursor{Opaque: []byte{1}}, make([]byte, k), make([]byte, v), 1)
		} else {
			calls["a key"] = m.Lookup([]byte{1}, make([]byte, v), 0)
		}
		for op, err := range calls {
			if err == nil {
				t.Errorf("%s: %s: no error", typ, op)
			}
		}
	}
}
