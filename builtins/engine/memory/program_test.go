package memory_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/memory"

	"golang.org/x/sys/unix"
)

// programs are the operations of a program, by their names.
func programs(m engine.Map, key, value []byte) map[string]error {
	_, counted := m.ProgramCount()
	_, items := m.ProgramEntries(0)
	_, _, added := m.ProgramAdd(key, 0, 4, 1, 0)
	return map[string]error{
		"lookup": m.ProgramLookup(key, value, 0), "lookup_percpu": m.ProgramLookupPerCPU(key, value, 0), "peek": m.ProgramPeek(value),
		"update": m.ProgramUpdate(key, value, 0, 0), "add": added, "count": counted, "items": items,
		"push": m.ProgramPush(value, 0), "pop": m.ProgramPop(value), "delete": m.ProgramDelete(key),
	}
}

// What programs cannot do with a type answers ENOTSUPP; what they may not do with a map is why they are not loaded.
func TestPrograms(t *testing.T) {
	const forbidden = "LoadError EACCES"
	type answers map[string]string
	all := func(names string, answer string) answers {
		a := answers{}
		for _, name := range bytes.Fields([]byte(names)) {
			a[string(name)] = answer
		}
		return a
	}
	for _, c := range []struct {
		typ   string
		flags uint32
		want  answers // of those that do not answer 524
	}{
		{"hash", 0, all("lookup update add count items delete", "")},
		{"hash", unix.BPF_F_RDONLY_PROG, answers{"lookup": "ENOENT", "update": forbidden, "add": forbidden, "count": "", "items": "", "delete": forbidden}},
		{"hash", unix.BPF_F_WRONLY_PROG, answers{"lookup": forbidden, "update": "", "add": forbidden, "count": "", "items": forbidden, "delete": ""}},
		{"percpu_hash", 0, all("lookup lookup_percpu update add count items delete", "")},
		{"array", 0, answers{"lookup": "", "update": "", "add": "", "count": "", "items": "", "delete": "EINVAL"}},
		{"percpu_array", 0, answers{"lookup": "", "lookup_percpu": "", "update": "", "add": "", "count": "", "items": "", "delete": "EINVAL"}},
		{"lpm_trie", 0, all("lookup update add delete", "")},
		{"queue", 0, all("push peek pop", "")},
		{"queue", unix.BPF_F_RDONLY_PROG, answers{"push": forbidden, "peek": "ENOENT", "pop": forbidden}},
		{"stack", unix.BPF_F_WRONLY_PROG, all("push peek pop", "")},
		{"bloom_filter", 0, all("push peek", "")},
		{"hash_of_maps", 0, answers{"lookup": "ENOENT"}},
		{"array_of_maps", 0, answers{"lookup": "ENOENT"}},
	} {
		t.Run(fmt.Sprintf("%s %#x", c.typ, c.flags), func(t *testing.T) {
			spec := good(t, c.typ)
			spec.Flags |= c.flags
			m := opened(t)(new(memory.Engine).Create(spec))
			key, value := make([]byte, spec.KeySize), make([]byte, m.Info().Stride())
			if spec.Inner == nil && (c.flags == 0 || c.typ == "stack") {
				for range 3 {
					if err := m.Update(key, value, 0); err != nil {
						t.Fatal(err)
					}
				}
			}
			for op, err := range programs(m, key, value) {
				want, can := c.want[op]
				if !can {
					want = "524"
				}
				if got := errorName(err); got != want && (got != "ENOENT" || c.flags == 0) {
					t.Errorf("%s: %v, want %s", op, got, want)
				}
			}
		})
	}
}

// A program writes to a frozen map, and not through a handle that was opened read-only.
func TestProgramRights(t *testing.T) {
	engines(t, func(t *testing.T, e engine.Engine) {
		m := create(t, e, good(t, "hash"))
		if err := m.Freeze(); err != nil {
			t.Fatal(err)
		}
		if err := m.ProgramUpdate(key32(1), key32(2), 0, engine.AnyCPU); err != nil {
			t.Errorf("update of a frozen map: %v", err)
		}
		reader := opened(t)(e.OpenID(m.Info().ID, true))
		defer reader.Close()
		for op, err := range programs(reader, key32(1), key32(2)) {
			reads := slices.Contains([]string{"lookup", "count", "items"}, op)
			lacks := slices.Contains([]string{"lookup_percpu", "peek"}, op)
			if (op == "count" || op == "items") && older(e, "5.13") {
				continue // bpf_for_each_map_elem is not there, which TestTooOld of the kernel engine sees
			}
			if want := map[bool]error{true: nil, false: unix.EPERM}[reads]; err != want && !(lacks && err == engine.NotSupported) {
				t.Errorf("%s through a read-only handle: %v, want %v", op, err, want)
			}
		}
		handle := create(t, e, engine.Spec{Type: m.Info().Type, KeySize: 4, ValueSize: 4, MaxEntries: 4, Flags: unix.BPF_F_RDONLY})
		if err := handle.ProgramUpdate(key32(1), key32(2), 0, engine.AnyCPU); err != nil {
			t.Errorf("update through a handle of BPF_F_RDONLY: %v", err)
		}
	})
}

// A program sees one CPU's value, and writes that of the CPU it runs on.
func TestProgramCPUs(t *testing.T) {
	engines(t, func(t *testing.T, e engine.Engine) {
		since(t, e, "5.19", "bpf_map_lookup_percpu_elem")
		for _, typ := range []string{"percpu_hash", "percpu_array", "lru_percpu_hash"} {
			m := create(t, e, good(t, typ))
			last := cpus - 1
			if err := m.ProgramUpdate(key32(1), key32(77), 0, last); err != nil {
				t.Fatal(err)
			}
			sum, told, err := m.ProgramAdd(key32(1), 0, 4, 1<<32-7, last)
			if sum != 70 || !told || err != nil {
				t.Errorf("%s: 77 - 7 = %d, %v, %v", typ, sum, told, err)
			}
			values := make([]byte, m.Info().Stride())
			if err := m.Lookup(key32(1), values, 0); err != nil {
				t.Fatal(err)
			}
			b, err := m.ProgramEntries(last)
			if err != nil {
				t.Fatal(err)
			}
			carried := map[string]string{}
			for i := range b.N {
				carried[string(b.Keys[4*i:4*i+4])] = string(b.Values[4*i : 4*i+4])
			}
			if carried[string(key32(1))] != string(key32(70)) {
				t.Errorf("%s: entries are %x = %x", typ, b.Keys, b.Values)
			}
			for cpu := range cpus {
				want := uint32(0)
				if cpu == last {
					want = 70
				}
				v := make([]byte, 4)
				for how, err := range map[string]error{"lookup": m.ProgramLookup(key32(1), v, cpu), "lookup_percpu": m.ProgramLookupPerCPU(key32(1), v, cpu)} {
					if got := binary.NativeEndian.Uint32(v); err != nil || got != want {
						t.Errorf("%s: %s on CPU %d: %d, %v; want %d", typ, how, cpu, got, err, want)
					}
				}
				if got := binary.NativeEndian.Uint32(values[8*cpu:]); got != want {
					t.Errorf("%s: user space sees %d of CPU %d, want %d", typ, got, cpu, want)
				}
			}
			for _, cpu := range []int{-2, cpus, 1 << 30} {
				if err := m.ProgramUpdate(key32(1), key32(1), 0, cpu); err != unix.ERANGE {
					t.Errorf("%s: update on CPU %d: %v, want ERANGE", typ, cpu, err)
				}
			}
		}
	})
}

// The helper knows no such CPU; the engine says so.
func TestLookupPerCPURange(t *testing.T) {
	m := opened(t)(new(memory.Engine).Create(good(t, "percpu_array")))
	for _, cpu := range []int{engine.AnyCPU, cpus} {
		if err := m.ProgramLookupPerCPU(key32(1), make([]byte, 4), cpu); err != unix.ERANGE {
			t.Errorf("CPU %d: %v, want ERANGE", cpu, err)
		}
	}
}

func TestProgramAdd(t *testing.T) {
	engines(t, func(t *testing.T, e engine.Engine) {
		since(t, e, "5.12", "the sum of an atomic add")
		spec := good(t, "array")
		spec.ValueSize, spec.Key, spec.Value = 16, u32, locked
		m := create(t, e, spec)
		for _, c := range []struct {
			offset, size int
			n            uint64
			sum          uint64
			want         string
		}{
			{0, 4, 5, 5, ""},
			{0, 4, 1<<64 - 6, 1<<32 - 1, ""},
			{8, 8, 1 << 40, 1 << 40, ""},
			{8, 4, 3, 3, ""}, // the lower half, on this machine
			{8, 8, 0, 1<<40 + 3, ""},
			{4, 4, 1, 0, "LoadError EACCES"}, // the lock
			{0, 8, 1, 0, "LoadError EACCES"},
			{2, 4, 1, 0, "LoadError EACCES"},
			{12, 8, 1, 0, "LoadError EACCES"},
			{16, 4, 1, 0, "LoadError EACCES"},
			{-4, 4, 1, 0, "LoadError EACCES"},
		} {
			sum, _, err := m.ProgramAdd(key32(2), c.offset, c.size, c.n, engine.AnyCPU)
			if sum != c.sum || errorName(err) != c.want {
				t.Errorf("add %d to %d bytes at %d: %d, %v; want %d, %s", c.n, c.size, c.offset, sum, err, c.sum, c.want)
			}
		}
		if _, _, err := m.ProgramAdd(key32(9), 0, 4, 1, engine.AnyCPU); err != unix.ENOENT {
			t.Errorf("a missing key: %v, want ENOENT", err)
		}
	})
}

// More than one run can carry is refused, as on the kernel.
func TestProgramEntriesTooMany(t *testing.T) {
	spec := good(t, "array")
	spec.ValueSize, spec.MaxEntries = 1<<20, 2000
	m, err := new(memory.Engine).Create(spec)
	if err == unix.ENOMEM {
		t.Skip("a machine with less memory than that")
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.ProgramEntries(0); !errors.Is(err, unix.EFBIG) {
		t.Errorf("got %v, want EFBIG", err)
	}
	if n, err := m.ProgramCount(); n != 2000 || err != nil {
		t.Errorf("there are %d, %v", n, err)
	}
}
