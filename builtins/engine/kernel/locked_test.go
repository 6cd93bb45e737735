package kernel_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// Values of every size go in and out, and all entries come out, also with fields that are the kernel's.
func TestSizes(t *testing.T) {
	e := kerneltest.Engine(t)
	lockIn := func(size, at uint32) btf.Type {
		bytesAt := func(from, to uint32) btf.Member {
			return btf.Member{Name: fmt.Sprint("b", from), Type: &btf.Array{Type: &btf.Int{Name: "u8", Size: 1}, Index: u32, Nelems: to - from}, Offset: btf.Bits(8 * from)}
		}
		s := &btf.Struct{Name: "long_value", Size: size}
		if at > 0 {
			s.Members = append(s.Members, bytesAt(0, at))
		}
		return &btf.Struct{Name: s.Name, Size: size, Members: append(s.Members,
			btf.Member{Name: "lock", Type: lockType, Offset: btf.Bits(8 * at)}, bytesAt(at+4, size))}
	}
	for _, c := range []struct {
		key, value uint32
		lockAt     int
	}{
		{4, 1, -1}, {4, 3, -1}, {4, 8, -1}, {4, 13, -1}, {1, 4, -1}, {512, 4, -1}, {4, 32 << 10, -1}, {4, 1 << 20, -1},
		{4, 8, 0}, {4, 9, 4}, {4, 15, 4}, {4, 23, 8}, {4, 100, 48}, {4, 32<<10 + 3, 0}, {4, 40001, 33000}, {4, 300 << 10, 4},
	} {
		t.Run(fmt.Sprintf("key %d value %d lock %d", c.key, c.value, c.lockAt), func(t *testing.T) {
			spec := engine.Spec{Type: kerneltest.Type(t, "hash"), KeySize: c.key, ValueSize: c.value, MaxEntries: 2, Flags: unix.BPF_F_NO_PREALLOC}
			if c.lockAt >= 0 {
				spec.Key, spec.Value = u32, lockIn(c.value, uint32(c.lockAt))
			}
			m := kerneltest.Map(t, e, spec)
			if c.lockAt >= 0 && !m.Info().BTF {
				t.Fatal("the kernel does not take the lock")
			}
			key, value := make([]byte, c.key), make([]byte, c.value)
			for i := range value {
				value[i] = byte(i*7 + i>>8 + 1)
			}
			for i := range key {
				key[i] = byte(255 - i)
			}
			if err := m.ProgramUpdate(key, value, 0, engine.AnyCPU); err != nil {
				t.Fatal(err)
			}
			if c.lockAt >= 0 {
				clear(value[c.lockAt : c.lockAt+4])
			}
			byUser, byProgram := make([]byte, c.value), make([]byte, c.value)
			if err := m.Lookup(key, byUser, 0); err != nil || !bytes.Equal(byUser, value) {
				t.Errorf("user space reads another value, %v", err)
			}
			if err := m.ProgramLookup(key, byProgram, engine.AnyCPU); err != nil || !bytes.Equal(byProgram, value) {
				t.Errorf("a program reads another value, %v", err)
			}
			b, err := m.ProgramEntries(engine.AnyCPU)
			if tooOld(err) {
				return
			}
			if err != nil || b.N != 1 || !bytes.Equal(b.Keys, key) || !bytes.Equal(b.Values, value) {
				t.Errorf("%d entries of %d and %d bytes, %v; want the one", b.N, len(b.Keys), len(b.Values), err)
			}
		})
	}
}

// tooOld says whether the kernel does not have a helper yet.
func tooOld(err error) bool {
	refused, ok := errors.AsType[*engine.LoadError](err)
	return ok && refused.Since != "" && kerneltest.Older(refused.Since)
}

// A value is copied under its lock: who writes it under the lock is never seen half way.
func TestLockIsHeld(t *testing.T) {
	const size = 4096
	e := kerneltest.Engine(t)
	typ := &btf.Struct{Name: "wide", Size: size, Members: []btf.Member{
		{Name: "lock", Type: lockType},
		{Name: "b", Type: &btf.Array{Type: u32, Index: u32, Nelems: size/4 - 1}, Offset: 32},
	}}
	for _, name := range []string{"array", "hash"} {
		t.Run(name, func(t *testing.T) {
			m := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, name), KeySize: 4, ValueSize: size, MaxEntries: 1, Key: u32, Value: typ})
			other := twin(t, m)
			if err := m.Update(number(0), make([]byte, size), 0); err != nil {
				t.Fatal(err)
			}
			var done atomic.Bool
			var writer sync.WaitGroup
			writer.Go(func() {
				for i := byte(0); !done.Load(); i++ {
					if err := other.Update(uint32(0), bytes.Repeat([]byte{i}, size), ebpf.UpdateLock); err != nil {
						t.Error(err)
						return
					}
				}
			})
			whole := func(op string, value []byte, err error) {
				t.Helper()
				if err != nil {
					t.Error(err)
				}
				if n := bytes.Count(value[4:], value[4:5]); n != size-4 {
					t.Errorf("%s: %d bytes of %d are of one time", op, n, size-4)
				}
			}
			value := make([]byte, size)
			for range 150 {
				whole("lookup", value, m.ProgramLookup(number(0), value, engine.AnyCPU))
				b, err := m.ProgramEntries(engine.AnyCPU)
				if tooOld(err) {
					continue
				}
				if b.N != 1 {
					t.Fatalf("%d entries, %v", b.N, err)
				}
				whole("items", b.Values, err)
				if t.Failed() {
					break
				}
			}
			done.Store(true)
			writer.Wait()
		})
	}
}

// Fields that are the kernel's are left out, and the rest is copied.
func TestKeptFields(t *testing.T) {
	e := kerneltest.Engine(t)
	u64s := func(name string, n uint32) *btf.Struct {
		return &btf.Struct{Name: name, Size: 8 * n, Members: []btf.Member{{Name: "opaque", Type: &btf.Array{Type: u64, Index: u32, Nelems: n}}}}
	}
	for _, c := range []struct {
		field *btf.Struct
		since string
	}{
		{u64s("bpf_timer", 2), "5.15"},
		{u64s("bpf_wq", 2), "6.10"},
		{&btf.Struct{Name: "bpf_res_spin_lock", Size: 8, Members: []btf.Member{{Name: "val", Type: u32}, {Name: "pad", Type: u32, Offset: 32}}}, "6.15"},
	} {
		t.Run(c.field.Name, func(t *testing.T) {
			if kerneltest.Older(c.since) {
				t.Skipf("%s is there since Linux %s", c.field.Name, c.since)
			}
			size := c.field.Size + 16
			m := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, "hash"), KeySize: 4, ValueSize: size, MaxEntries: 2, Key: u32,
				Value: &btf.Struct{Name: "with_field", Size: size, Members: []btf.Member{
					{Name: "n", Type: u64}, {Name: "f", Type: c.field, Offset: 64}, {Name: "k", Type: u64, Offset: btf.Bits(8 * (size - 8))},
				}}})
			if !m.Info().BTF {
				t.Fatal("the kernel does not take the field")
			}
			value := bytes.Repeat([]byte{7}, int(size))
			if err := m.ProgramUpdate(number(1), value, 0, engine.AnyCPU); err != nil {
				t.Fatalf("%+v", err)
			}
			clear(value[8 : size-8])
			got := make([]byte, size)
			if err := m.ProgramLookup(number(1), got, engine.AnyCPU); err != nil || !bytes.Equal(got, value) {
				t.Errorf("lookup: %x, %+v; want %x", got, err, value)
			}
			if b, err := m.ProgramEntries(engine.AnyCPU); err != nil || !bytes.Equal(b.Values, value) {
				t.Errorf("items: %x, %+v; want %x", b.Values, err, value)
			}
			if sum, _, err := m.ProgramAdd(number(1), 0, 4, 1, engine.AnyCPU); err != nil || sum != 0x07070708 {
				t.Errorf("add: %#x, %+v", sum, err)
			}
		})
	}
}
