package kernel_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// Sums are cut to their size, and leave the bytes beside them.
func TestProgramAdd(t *testing.T) {
	e := kerneltest.Engine(t)
	for _, c := range []struct {
		offset, size int
		before, n    uint64
		want         uint64
	}{
		{0, 8, 0, 1, 1},
		{8, 8, 40, 2, 42},
		{8, 8, 1, ^uint64(0) - 4, ^uint64(0) - 3}, // minus 5
		{8, 8, ^uint64(0), 2, 1},
		{8, 8, 1 << 40, 1 << 41, 3 << 40},
		{4, 4, 40, 2, 42},
		{4, 4, 7, ^uint64(0), 6},
		{12, 4, 1<<32 - 1, 2, 1},
		{12, 4, 5, 1<<32 + 1, 6},
	} {
		for _, typ := range []string{"hash", "array", "lru_hash", "percpu_hash", "percpu_array"} {
			t.Run(fmt.Sprintf("%s %d %d %#x+%#x", typ, c.offset, c.size, c.before, c.n), func(t *testing.T) {
				m := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, typ), KeySize: 4, ValueSize: 24, MaxEntries: 2})
				want := make([]byte, 24)
				for i := range want {
					want[i] = 0xa0 + byte(i)
				}
				put := func(n uint64) {
					if c.size == 4 {
						binary.NativeEndian.PutUint32(want[c.offset:], uint32(n))
					} else {
						binary.NativeEndian.PutUint64(want[c.offset:], n)
					}
				}
				put(c.before)
				if err := m.ProgramUpdate(number(1), want, 0, 0); err != nil {
					t.Fatal(err)
				}
				sum, told, err := m.ProgramAdd(number(1), c.offset, c.size, c.n, 0)
				if err != nil || told && sum != c.want || told == kerneltest.Older("5.12") {
					t.Errorf("got %#x, told %v, %v; want %#x", sum, told, err, c.want)
				}
				put(c.want)
				got := make([]byte, 24)
				if err := m.ProgramLookup(number(1), got, 0); err != nil || string(got) != string(want) {
					t.Errorf("the value is %x, %v; want %x", got, err, want)
				}
			})
		}
	}
}

// One handle adds at several places, each time where it is told to.
func TestProgramAddPlaces(t *testing.T) {
	m := kerneltest.Map(t, kerneltest.Engine(t), engine.Spec{Type: kerneltest.Type(t, "array"), KeySize: 4, ValueSize: 24, MaxEntries: 1})
	for range 2 {
		for _, c := range []struct{ offset, size int }{{0, 8}, {8, 8}, {12, 4}, {20, 4}} {
			if _, _, err := m.ProgramAdd(number(0), c.offset, c.size, uint64(c.offset+c.size), engine.AnyCPU); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := binary.NativeEndian.AppendUint64(nil, 2*8)
	want = append(append(want, number(2*16)...), number(2*16)...)
	want = append(append(want, 0, 0, 0, 0), number(2*24)...)
	got := make([]byte, 24)
	if err := m.Lookup(number(0), got, 0); err != nil || string(got) != string(want) {
		t.Errorf("got %x, %v; want %x", got, err, want)
	}
}

// Where a number must not be, the verifier says why.
func TestProgramAddRefused(t *testing.T) {
	m := kerneltest.Map(t, kerneltest.Engine(t), engine.Spec{Type: kerneltest.Type(t, "array"), KeySize: 4, ValueSize: 8, MaxEntries: 2})
	for _, c := range []struct{ offset, size int }{{8, 8}, {4, 8}, {6, 4}} {
		_, _, err := m.ProgramAdd(number(0), c.offset, c.size, 1, engine.AnyCPU)
		if refused, ok := errors.AsType[*engine.LoadError](err); !ok || refused.Reason == "" {
			t.Errorf("%d bytes at %d: %v, want a reason", c.size, c.offset, err)
		}
	}
	if _, _, err := m.ProgramAdd(number(2), 0, 8, 1, engine.AnyCPU); err != unix.ENOENT {
		t.Errorf("past the end: %v, want ENOENT", err)
	}
}

// Nothing is lost when two handles add on both CPUs while a program counts in the same number.
func TestProgramAddLosesNothing(t *testing.T) {
	e := kerneltest.Engine(t)
	for _, c := range []struct {
		name string
		spec engine.Spec
	}{
		{"hash", engine.Spec{ValueSize: 16}},
		{"array", engine.Spec{ValueSize: 16}},
		{"array", engine.Spec{ValueSize: 16, Key: u32, Value: locked}},
	} {
		for _, size := range []int{8, 4} {
			t.Run(fmt.Sprintf("%s %v %d", c.name, c.spec.Value, size), func(t *testing.T) {
				spec, offset := c.spec, map[int]int{8: 0, 4: 12}[size]
				spec.Type, spec.KeySize, spec.MaxEntries = kerneltest.Type(t, c.name), 4, 1
				m := kerneltest.Map(t, e, spec)
				if err := m.Update(number(0), make([]byte, 16), 0); err != nil {
					t.Fatal(err)
				}
				tally := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, "array"), KeySize: 4, ValueSize: 8, MaxEntries: 1})
				counts := counting(t, m, tally, offset, size)
				const adds, repeat = 3000, 2000
				var workers, counter sync.WaitGroup
				var done atomic.Bool
				counter.Go(func() {
					for first := true; first || !done.Load(); first = false {
						if _, err := counts.Run(&ebpf.RunOptions{Data: make([]byte, 64), Repeat: repeat}); err != nil {
							t.Error(err)
							return
						}
					}
				})
				cpus, err := e.CPUs()
				if err != nil {
					t.Fatal(err)
				}
				for cpu := range 2 {
					handle, err := e.OpenID(m.Info().ID, false)
					if err != nil {
						t.Fatal(err)
					}
					defer handle.Close()
					workers.Go(func() {
						for range adds {
							if _, _, err := handle.ProgramAdd(number(0), offset, size, 3, cpu%cpus); err != nil {
								t.Error(err)
								return
							}
						}
					})
				}
				workers.Wait()
				done.Store(true)
				counter.Wait()
				got := make([]byte, 16)
				if err := m.Lookup(number(0), got, 0); err != nil {
					t.Fatal(err)
				}
				counted := make([]byte, 8)
				if err := tally.Lookup(number(0), counted, 0); err != nil {
					t.Fatal(err)
				}
				sum, want := binary.NativeEndian.Uint64(got[offset&^7:]), 2*adds*3+binary.NativeEndian.Uint64(counted)
				if size == 4 {
					sum = uint64(binary.NativeEndian.Uint32(got[offset:]))
				}
				if sum != want {
					t.Errorf("got %d, want %d", sum, want)
				}
			})
		}
	}
}

// counting is a program that adds 1 to a number in the value of key 0. How often it has done so is its tally's: a run
// that a signal interrupts is begun again.
func counting(t testing.TB, m, tally engine.Map, offset, size int) *ebpf.Program {
	t.Helper()
	width := asm.DWord
	if size == 4 {
		width = asm.Word
	}
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.SchedCLS, License: "GPL", Instructions: asm.Instructions{
		asm.LoadMapPtr(asm.R1, twin(t, m).FD()),
		asm.StoreImm(asm.RFP, -4, 0, asm.Word),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, -4),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "none"),
		asm.Mov.Imm(asm.R1, 1),
		asm.AddAtomic.Mem(asm.R0, asm.R1, width, int16(offset)),
		asm.LoadMapValue(asm.R2, twin(t, tally).FD(), 0),
		asm.AddAtomic.Mem(asm.R2, asm.R1, asm.DWord, 0),
		asm.Mov.Imm(asm.R0, 0).WithSymbol("none"), asm.Return(),
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { prog.Close() })
	return prog
}
