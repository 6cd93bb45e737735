package kernel_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

var (
	lockType = &btf.Struct{Name: "bpf_spin_lock", Size: 4, Members: []btf.Member{{Name: "val", Type: u32}}}
	locked   = &btf.Struct{Name: "locked", Size: 16, Members: []btf.Member{
		{Name: "n", Type: u64},
		{Name: "lock", Type: lockType, Offset: 64},
		{Name: "k", Type: u32, Offset: 96},
	}}
)

const pushed = "push"

// step is one operation, which either side does in its own way.
type step struct {
	op    string
	key   []byte
	value []byte
	flags uint64
}

// asUser does a step by system calls. A per-CPU value is the same on all CPUs, and what is read is that of CPU 0.
func asUser(m engine.Map, s step) ([]byte, error) {
	i := m.Info()
	got := make([]byte, i.Stride())
	all := slices.Clone(s.value)
	if i.CPUs > 0 {
		all = bytes.Repeat(append(all, make([]byte, i.Stride()/i.CPUs-len(all))...), i.CPUs)
	}
	var err error
	switch s.op {
	case "lookup":
		err = m.Lookup(s.key, got, 0)
	case "update", pushed:
		err = m.Update(s.key, all, s.flags)
	case "delete":
		err = m.Delete(s.key)
	case "pop":
		err = m.LookupAndDelete(nil, got, 0)
	case "peek":
		err = m.Lookup(nil, got, 0)
	case "in":
		err = m.Lookup(nil, all, 0)
	}
	return got[:i.ValueSize], err
}

// asProgram does a step by a helper.
func asProgram(m engine.Map, s step) ([]byte, error) {
	got, cpu := make([]byte, m.Info().ValueSize), engine.AnyCPU
	if m.Info().CPUs > 0 {
		cpu = 0
	}
	var err error
	switch s.op {
	case "lookup":
		err = m.ProgramLookup(s.key, got, cpu)
	case "update":
		err = m.ProgramUpdate(s.key, s.value, s.flags, cpu)
	case "delete":
		err = m.ProgramDelete(s.key)
	case pushed:
		err = m.ProgramPush(s.value, s.flags)
	case "pop":
		err = m.ProgramPop(got)
	case "peek":
		err = m.ProgramPeek(got)
	case "in":
		err = m.ProgramPeek(slices.Clone(s.value))
	}
	return got, err
}

// contents are all entries that a walk finds, of CPU 0; what a walk cannot find is taken out.
func contents(t testing.TB, m engine.Map) map[string]string {
	t.Helper()
	all, k, v := map[string]string{}, int(m.Info().KeySize), m.Info().Stride()
	if k == 0 {
		for n := 0; ; n++ {
			got, err := asUser(m, step{op: "pop"})
			if err != nil {
				return all
			}
			all[fmt.Sprint(n)] = string(got)
		}
	}
	w := engine.NewWalk(m, 0)
	for {
		b, err := w.Next()
		if err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		for i := range b.N {
			all[string(b.Keys[i*k:(i+1)*k])] = string(b.Values[i*v : i*v+int(m.Info().ValueSize)])
		}
	}
}

// The same operations on one map from user space and on its twin by programs give the same answers, and leave the same.
func TestBothSides(t *testing.T) {
	keyed, ends := []string{"lookup", "update", "update", "delete"}, []string{pushed, pushed, "pop", "peek"}
	flags := []uint64{0, 0, 0, unix.BPF_NOEXIST, unix.BPF_EXIST, unix.BPF_NOEXIST | unix.BPF_EXIST, unix.BPF_F_LOCK, unix.BPF_F_LOCK | unix.BPF_EXIST, 64, 1 << 40}
	for _, c := range []struct {
		typ    string
		value  btf.Type
		size   uint32 // of a value, where there is no type
		max    uint32
		flags  uint32
		ops    []string
		met    string // what must have come
		differ func(s step, user, program error) bool
	}{
		{typ: "hash", size: 8, max: 4, ops: keyed, met: "E2BIG EEXIST EINVAL ENOENT ok"},
		{typ: "hash", size: 7, max: 4, flags: unix.BPF_F_NO_PREALLOC, ops: keyed, met: "E2BIG EEXIST EINVAL ENOENT ok"},
		{typ: "hash", value: locked, max: 4, ops: keyed, met: "E2BIG EEXIST EINVAL ENOENT ok"},
		{typ: "lru_hash", size: 8, max: 1000, ops: keyed, met: "EEXIST EINVAL ENOENT ok"},
		{typ: "percpu_hash", size: 8, max: 4, ops: keyed, met: "E2BIG EEXIST EINVAL ENOENT ok"},
		{typ: "percpu_hash", size: 12, max: 4, flags: unix.BPF_F_NO_PREALLOC, ops: keyed, met: "E2BIG EEXIST EINVAL ENOENT ok"},
		{typ: "lru_percpu_hash", size: 8, max: 1000, ops: keyed, met: "EEXIST EINVAL ENOENT ok"},
		{typ: "array", size: 8, max: 4, ops: keyed, met: "E2BIG EEXIST EINVAL ENOENT ok", differ: lockFirst},
		{typ: "array", value: locked, max: 4, ops: keyed, met: "E2BIG EEXIST EINVAL ENOENT ok"},
		{typ: "percpu_array", size: 8, max: 4, ops: keyed, met: "E2BIG EEXIST EINVAL ENOENT ok", differ: lockFirst},
		{typ: "lpm_trie", size: 8, max: 4, ops: keyed, met: "EEXIST EINVAL ENOENT ENOSPC ok"},
		{typ: "rhash", size: 8, max: 4, ops: keyed, met: "E2BIG EEXIST EINVAL ENOENT ok"},
		{typ: "queue", size: 8, max: 4, ops: ends, met: "E2BIG EINVAL ENOENT ok"},
		{typ: "stack", size: 8, max: 4, ops: ends, met: "E2BIG EINVAL ENOENT ok"},
		{typ: "bloom_filter", size: 8, max: 1000, flags: unix.BPF_F_ZERO_SEED, ops: []string{pushed, "in"}, met: "EINVAL ENOENT ok"},
	} {
		t.Run(fmt.Sprintf("%s %d %#x %v", c.typ, c.size, c.flags, c.value), func(t *testing.T) {
			e := kerneltest.Engine(t)
			spec := engine.Spec{Type: kerneltest.Type(t, c.typ), KeySize: 4, ValueSize: c.size, MaxEntries: c.max, Flags: c.flags}
			switch {
			case c.value != nil:
				spec.ValueSize, spec.Key, spec.Value = 16, u32, c.value
			case c.typ == "lpm_trie":
				spec.KeySize = 8
			case c.ops[0] == pushed:
				spec.KeySize = 0
			}
			byUser, byProgram := kerneltest.Map(t, e, spec), kerneltest.Map(t, e, spec)
			rng, met := rand.New(rand.NewPCG(1, 2)), map[string]bool{}
			for n := range 400 {
				s := step{op: c.ops[rng.IntN(len(c.ops))], value: make([]byte, spec.ValueSize), flags: flags[rng.IntN(len(flags))]}
				binary.NativeEndian.PutUint32(s.value, uint32(rng.IntN(9)+1))
				s.value[spec.ValueSize-1] = byte(n)
				if spec.KeySize > 0 {
					s.key = number(rng.IntN(6))
				}
				if c.typ == "lpm_trie" {
					s.key = append(number(24+rng.IntN(10)), 10, byte(rng.IntN(2)), 0, 0) // 33 bits are too many
				}
				if c.typ == "bloom_filter" {
					s.value = number(rng.IntN(40))
					s.value = append(s.value, 0, 0, 0, 0)
				}
				if both := uint64(unix.BPF_NOEXIST | unix.BPF_EXIST); s.flags == both && byUser.Info().CPUs > 0 && !kerneltest.Older("7.0") {
					s.flags = 64 // which neither side takes; both flags at once the system call does, for per-CPU maps alone
				}
				got, err := asUser(byUser, s)
				gotTwin, errTwin := asProgram(byProgram, s)
				if c.differ != nil && c.differ(s, err, errTwin) {
					continue
				}
				if err != errTwin {
					t.Fatalf("step %d: %s %x flags %#x: %v from user space, %v by a program", n, s.op, s.key, s.flags, err, errTwin)
				}
				if !bytes.Equal(got, gotTwin) {
					t.Fatalf("step %d: %s %x: %x from user space, %x by a program", n, s.op, s.key, got, gotTwin)
				}
				met[outcome(err)] = true
			}
			if got := strings.Join(slices.Sorted(maps.Keys(met)), " "); got != c.met {
				t.Errorf("met %s, want %s", got, c.met)
			}
			if want, got := contents(t, byUser), contents(t, byProgram); !maps.Equal(want, got) {
				t.Errorf("programs leave %x, user space %x", got, want)
			}
		})
	}
}

// lockFirst is where the sides differ: the system call looks at BPF_F_LOCK before the map looks at the index and at
// the other flags.
func lockFirst(s step, user, program error) bool {
	return s.op == "update" && s.flags&unix.BPF_F_LOCK != 0 && user == unix.EINVAL && program == unix.E2BIG
}

func outcome(err error) string {
	errno, ok := errors.AsType[unix.Errno](err)
	if !ok {
		return "ok"
	}
	return unix.ErrnoName(errno)
}

// What user space puts into maps that programs only read, programs find.
func TestBothSidesRead(t *testing.T) {
	for _, typ := range []string{"array_of_maps", "hash_of_maps", "devmap", "devmap_hash"} {
		t.Run(typ, func(t *testing.T) {
			e := kerneltest.Engine(t)
			spec := engine.Spec{Type: kerneltest.Type(t, typ), KeySize: 4, ValueSize: 4, MaxEntries: 3}
			there := number(1) // the number of the device lo
			if strings.HasSuffix(typ, "_of_maps") {
				spec.Inner = &engine.Spec{Type: kerneltest.Type(t, "hash"), KeySize: 4, ValueSize: 4, MaxEntries: 100}
				there = number(twin(t, hash(t, e)).FD())
			}
			m := kerneltest.Map(t, e, spec)
			if err := m.Update(number(2), there, 0); err != nil {
				t.Fatal(err)
			}
			for key, want := range []error{unix.ENOENT, unix.ENOENT, nil, unix.ENOENT} {
				s := step{op: "lookup", key: number(key)}
				got, err := asUser(m, s)
				gotProgram, errProgram := asProgram(m, s)
				if err != want || errProgram != want || !bytes.Equal(got, gotProgram) {
					t.Errorf("%d: %x, %v from user space; %x, %v by a program; want %v", key, got, err, gotProgram, errProgram, want)
				}
			}
		})
	}
}
