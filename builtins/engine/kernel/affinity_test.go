package kernel_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"golang.org/x/sys/unix"
)

// offline are the CPUs on which programs cannot run.
func offline(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("/sys/devices/system/cpu/offline")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

func here(t testing.TB) unix.CPUSet {
	t.Helper()
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		t.Fatal(err)
	}
	return set
}

// A program on one CPU writes and reads that CPU's value, and leaves the others.
func TestProgramOnCPU(t *testing.T) {
	e := kerneltest.Engine(t)
	cpus, err := e.CPUs()
	if err != nil {
		t.Fatal(err)
	}
	if cpus < 2 || offline(t) != "" {
		t.Skipf("wants two CPUs, all online; there are %d, offline: %q", cpus, offline(t))
	}
	for _, c := range []struct {
		typ string
		max uint32
	}{{"percpu_array", 2}, {"percpu_hash", 2}, {"lru_percpu_hash", 1000}, {"lru_percpu_hash", 2}} {
		t.Run(fmt.Sprint(c.typ, c.max), func(t *testing.T) {
			m := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, c.typ), KeySize: 4, ValueSize: 12, MaxEntries: c.max})
			want := make([]byte, m.Info().Stride()) // of key 1: each CPU's part has 16 bytes
			for cpu := range cpus {
				copy(want[16*cpu:], fmt.Sprintf("value of %03d", cpu))
			}
			if err := m.Update(number(1), want, 0); err != nil {
				t.Fatal(err)
			}
			same := func(what string) {
				t.Helper()
				got := make([]byte, m.Info().Stride())
				if err := m.Lookup(number(1), got, 0); err != nil || !bytes.Equal(got, want) {
					t.Errorf("after %s: %q, %v; want %q", what, got, err, want)
				}
			}
			for cpu := range cpus {
				copy(want[16*cpu:], fmt.Sprintf("written 0%03d", cpu))
				if err := m.ProgramUpdate(number(1), want[16*cpu:16*cpu+12], 0, cpu); err != nil {
					t.Fatal(err)
				}
				same("update")
				binary.NativeEndian.PutUint32(want[16*cpu+8:], binary.NativeEndian.Uint32(want[16*cpu+8:])+7)
				if _, _, err := m.ProgramAdd(number(1), 8, 4, 7, cpu); err != nil {
					t.Fatal(err)
				}
				same("add")
			}
			for cpu := range cpus {
				part, got := want[16*cpu:16*cpu+12], make([]byte, 12)
				if err := m.ProgramLookup(number(1), got, cpu); err != nil || !bytes.Equal(got, part) {
					t.Errorf("lookup on %d: %q, %v; want %q", cpu, got, err, part)
				}
				clear(got)
				if err := m.ProgramLookupPerCPU(number(1), got, cpu); !tooOld(err) && (err != nil || !bytes.Equal(got, part)) {
					t.Errorf("lookup_percpu of %d: %q, %v; want %q", cpu, got, err, part)
				}
				b, err := m.ProgramEntries(cpu)
				if i := bytes.Index(b.Keys, number(1)); !tooOld(err) && (err != nil || i < 0 || !bytes.Equal(b.Values[3*i:3*i+12], part)) {
					t.Errorf("items on %d: %q, %v; want %q", cpu, b.Values, err, part)
				}
			}
		})
	}
}

// A thread is on the CPUs that it was on, also after an error. A CPU that is not there is said to be so.
func TestAffinity(t *testing.T) {
	e := kerneltest.Engine(t)
	cpus, err := e.CPUs()
	if err != nil {
		t.Fatal(err)
	}
	m := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, "percpu_hash"), KeySize: 4, ValueSize: 4, MaxEntries: 2})
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	all := here(t)
	defer unix.SchedSetaffinity(0, &all)
	var one unix.CPUSet
	one.Set(0)
	for _, before := range []unix.CPUSet{all, one} {
		if err := unix.SchedSetaffinity(0, &before); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			cpu  int
			want error
		}{{0, nil}, {engine.AnyCPU, nil}, {cpus, unix.ERANGE}, {1 << 20, unix.ERANGE}, {-2, unix.ERANGE}} {
			if err := m.ProgramUpdate(number(1), number(2), 0, c.cpu); err != c.want {
				t.Errorf("update on %d: %v, want %v", c.cpu, err, c.want)
			}
			if err := m.ProgramLookup(number(7), number(0), c.cpu); c.want == nil && err != unix.ENOENT || c.want != nil && err != c.want {
				t.Errorf("lookup on %d: %v", c.cpu, err)
			}
			if got := here(t); got != before {
				t.Errorf("after CPU %d the thread is on %v, want %v", c.cpu, got, before)
			}
		}
	}
	for _, cpu := range []int{cpus, -1, -2} {
		if err := m.ProgramLookupPerCPU(number(1), number(0), cpu); err != unix.ERANGE {
			t.Errorf("lookup_percpu of %d: %v, want ERANGE", cpu, err)
		}
	}
}

// On a CPU that is offline nothing runs, but another reads its value.
func TestOfflineCPU(t *testing.T) {
	if offline(t) == "" {
		t.Skip("no CPU is offline")
	}
	e := kerneltest.Engine(t)
	cpus, err := e.CPUs()
	if err != nil {
		t.Fatal(err)
	}
	m := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, "percpu_array"), KeySize: 4, ValueSize: 8, MaxEntries: 1})
	values := make([]byte, m.Info().Stride())
	for cpu := range cpus {
		values[8*cpu] = byte(cpu + 1)
	}
	if err := m.Update(number(0), values, 0); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 8)
	if err := m.ProgramUpdate(number(0), got, 0, cpus-1); err != unix.ENODEV {
		t.Errorf("update on %d: %v, want ENODEV", cpus-1, err)
	}
	if err := m.ProgramLookup(number(0), got, 0); err != nil || got[0] != 1 {
		t.Errorf("lookup on 0: %x, %v", got, err)
	}
	if err := m.ProgramLookupPerCPU(number(0), got, cpus-1); !tooOld(err) && (err != nil || got[0] != byte(cpus)) {
		t.Errorf("lookup_percpu of %d: %x, %v", cpus-1, got, err)
	}
}
