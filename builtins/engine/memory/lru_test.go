package memory_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"
	"bpfsh/builtins/engine/memory"

	"golang.org/x/sys/unix"
)

// engines are the two that must give the same guarantees, the kernel only where there is one.
func engines(t *testing.T, test func(t *testing.T, e engine.Engine)) {
	t.Run("memory", func(t *testing.T) { test(t, &memory.Engine{}) })
	t.Run("kernel", func(t *testing.T) {
		e := kerneltest.Engine(t)
		defer e.Close()
		test(t, e)
	})
}

// What an LRU map holds was written and not deleted, what was written last is in it, and it is never too full. Which
// entries go is the engine's.
func TestLRU(t *testing.T) {
	seed := number(t, "BPFSH_DIFF_SEED", uint64(time.Now().UnixNano()))
	t.Logf("BPFSH_DIFF_SEED=%d", seed)
	engines(t, func(t *testing.T, e engine.Engine) {
		r := rand.New(rand.NewPCG(seed, 2))
		for range 40 {
			testLRU(t, e, r)
		}
	})
}

func testLRU(t *testing.T, e engine.Engine, r *rand.Rand) {
	spec := engine.Spec{Type: kerneltest.Type(t, pick(r, []string{"lru_hash", "lru_percpu_hash"})), KeySize: 4, ValueSize: 8,
		MaxEntries: pick(r, []uint32{1, 2, 3, 4, 7, 16, 100}), Flags: pick(r, []uint32{0, unix.BPF_F_NO_COMMON_LRU, unix.BPF_F_ZERO_SEED})}
	m := kerneltest.Map(t, e, spec)
	defer m.Close()
	entries := int(m.Info().MaxEntries)
	if per := uint32(cpus); spec.Flags&unix.BPF_F_NO_COMMON_LRU != 0 && m.Info().MaxEntries%per != 0 {
		t.Fatalf("max_entries is %d, want a multiple of %d", entries, per)
	}
	written, size := map[string]string{}, m.Info().Stride()
	for step := range 300 {
		key, value := key32(uint32(r.IntN(3*entries+2))), make([]byte, size)
		value[0], value[size-1] = byte(step), byte(step)
		switch r.IntN(8) {
		case 0:
			if err := m.Delete(key); err != nil && err != unix.ENOENT {
				t.Fatal(err)
			}
			delete(written, string(key))
		case 1:
			if err := m.Update(key, value, unix.BPF_EXIST); err == nil {
				written[string(key)] = string(value)
			} else if err != unix.ENOENT {
				t.Fatal(err)
			}
		default:
			if err := m.Update(key, value, 0); err != nil {
				t.Fatalf("step %d of %+v: %v", step, spec, err)
			}
			written[string(key)] = string(value)
			got := make([]byte, size)
			if err := m.Lookup(key, got, 0); err != nil || !bytes.Equal(got, value) {
				t.Fatalf("step %d of %+v: what was just written is %x, %v, want %x", step, spec, got, err, value)
			}
		}
	}
	n := 0
	for w := engine.NewWalk(m, 0); ; {
		b, err := w.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.N {
			if want := written[string(b.Keys[4*i:4*i+4])]; string(b.Values[size*i:size*(i+1)]) != want {
				t.Errorf("%+v: under %x there is %x, want %x", spec, b.Keys[4*i:4*i+4], b.Values[size*i:size*(i+1)], want)
			}
		}
		n += b.N
	}
	if n > entries {
		t.Errorf("%+v: %d entries", spec, n)
	}
	counts, err := e.Counts()
	if err != nil && !errors.Is(err, engine.NotSupported) || err == nil && counts[m.Info().ID] != n {
		t.Errorf("%+v: counts say %d, %v; there are %d", spec, counts[m.Info().ID], err, n)
	}
}

// In memory exactly one entry goes, that whose last use is the longest ago. Reading from user space is no use.
func TestEviction(t *testing.T) {
	m := create(t, &memory.Engine{}, engine.Spec{Type: kerneltest.Type(t, "lru_hash"), KeySize: 4, ValueSize: 4, MaxEntries: 4})
	value := make([]byte, 4)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range uint32(4) {
		must(m.Update(key32(i), value, 0))
	}
	must(m.Lookup(key32(0), value, 0))
	must(m.ProgramLookup(key32(1), value, 0))
	must(m.Update(key32(2), value, 0))
	must(m.Update(key32(9), value, 0)) // 0 goes
	must(m.Update(key32(8), value, 0)) // 3 goes
	must(m.ProgramUpdate(key32(7), value, 0, 0))
	got := ""
	for i := range uint32(10) {
		if m.Lookup(key32(i), value, 0) == nil {
			got += fmt.Sprint(i)
		}
	}
	if got != "2789" {
		t.Errorf("left are %s, want 2789", got)
	}
}
