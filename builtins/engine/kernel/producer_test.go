package kernel_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// The records of the test's programs hold a number, a product of it that a mixture of two records does not have, and the
// number again and again, up to a length that depends on it.
const (
	recordFactor = 0x5bd1e995
	recordMost   = recordLeast + 128
	recordLeast  = 16
)

func recordLength(n uint64) int { return recordLeast + int(n*7%128) }

// number of the record, if it is whole.
func recordNumber(b []byte) (uint64, error) {
	if len(b) < recordLeast {
		return 0, fmt.Errorf("a record of %d bytes", len(b))
	}
	n := binary.NativeEndian.Uint64(b)
	if want := recordLength(n); len(b) != want && len(b) != recordMost {
		return n, fmt.Errorf("record %d has %d bytes, want %d", n, len(b), want)
	}
	if len(b) == recordMost && n%5 == 4 {
		return n, fmt.Errorf("record %d was discarded", n)
	}
	if sum := binary.NativeEndian.Uint64(b[8:]); sum != n*recordFactor {
		return n, fmt.Errorf("record %d has the sum %#x, want %#x", n, sum, n*recordFactor)
	}
	for i := recordLeast; i < len(b); i++ {
		if b[i] != b[i%8] {
			return n, fmt.Errorf("record %d is torn at byte %d: % x", n, i, b)
		}
	}
	return n, nil
}

// producer is a program that sends one record each time it runs.
type producer struct {
	prog  *ebpf.Program
	state *ebpf.Map // its numbers: the next record, how many it has sent, how many there was no room for, and how many it gave up
}

const (
	producerNext = iota
	producerSent
	producerFull
	producerDropped
	producerState
)

// newProducer makes a program that writes its records into the ring where they are, and gives every fifth one up, or, if
// copies, one that lets the helper copy them.
func newProducer(t testing.TB, ring *ebpf.Map, copies bool) *producer {
	t.Helper()
	if kerneltest.Older("5.12") {
		t.Skip("atomic operations tell what was there before since Linux 5.12")
	}
	state, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: 8 * producerState, MaxEntries: 1, Flags: unix.BPF_F_MMAPABLE})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { state.Close() })
	count := func(what int) asm.Instructions {
		add := asm.FetchAdd.Mem(asm.R6, asm.R1, asm.DWord, int16(8*what))
		add.Constant = int64(asm.FetchAdd >> 8)
		return asm.Instructions{asm.Mov.Imm(asm.R1, 1), add}
	}
	is := append(asm.Instructions{asm.LoadMapValue(asm.R6, state.FD(), 0)}, count(producerNext)...)
	is = append(is,
		asm.Mov.Reg(asm.R7, asm.R1), // the number
		asm.LoadImm(asm.R9, recordFactor, asm.DWord), asm.Mul.Reg(asm.R9, asm.R7),
		asm.Mov.Reg(asm.R8, asm.R7), asm.Mul.Imm(asm.R8, 7), asm.And.Imm(asm.R8, 127), asm.Add.Imm(asm.R8, recordLeast),
	)
	fill := func(to asm.Register, at int16) (is asm.Instructions) {
		is = append(is, asm.StoreMem(to, at, asm.R7, asm.DWord), asm.StoreMem(to, at+8, asm.R9, asm.DWord))
		for i := int16(16); i < recordMost; i += 8 {
			is = append(is, asm.StoreMem(to, at+i, asm.R7, asm.DWord))
		}
		return is
	}
	leave := asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()}
	done := func(label string, what int) asm.Instructions {
		is := append(count(what), leave...)
		is[0] = is[0].WithSymbol(label)
		return is
	}
	if copies {
		is = append(is, fill(asm.RFP, -recordMost)...)
		is = append(is,
			asm.LoadMapPtr(asm.R1, ring.FD()), asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, -recordMost), asm.Mov.Reg(asm.R3, asm.R8), asm.Mov.Imm(asm.R4, 0),
			asm.FnRingbufOutput.Call(),
			asm.JNE.Imm(asm.R0, 0, "full"))
	} else {
		// The size of what is reserved is fixed: records are of the greatest length, and say how many of their bytes count.
		is = append(is,
			asm.LoadMapPtr(asm.R1, ring.FD()), asm.Mov.Imm(asm.R2, recordMost), asm.Mov.Imm(asm.R3, 0),
			asm.FnRingbufReserve.Call(),
			asm.JEq.Imm(asm.R0, 0, "full"))
		is = append(is, fill(asm.R0, 0)...)
		is = append(is,
			asm.Mov.Reg(asm.R1, asm.R0), asm.Mov.Imm(asm.R2, 0),
			asm.Mod.Imm(asm.R7, 5), asm.JEq.Imm(asm.R7, 4, "drop"),
			asm.FnRingbufSubmit.Call())
	}
	is = append(is, done("", producerSent)...)
	is = append(is, done("full", producerFull)...)
	if !copies {
		is = append(is, asm.FnRingbufDiscard.Call().WithSymbol("drop"))
		is = append(is, append(count(producerDropped), leave...)...)
	}
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.SocketFilter, License: "GPL", Instructions: is})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { prog.Close() })
	return &producer{prog, state}
}

// run sends at least n records.
func (p *producer) run(n int) error {
	_, err := p.prog.Run(&ebpf.RunOptions{Data: make([]byte, 64), Repeat: uint32(n)})
	return err
}

// send sends exactly n records, for a test that cannot go on without: a signal amid several runs would have all of them
// begin anew.
func (p *producer) send(t testing.TB, n int) {
	t.Helper()
	for range n {
		if err := p.run(1); err != nil {
			t.Fatal(err)
		}
	}
}

// counted is one of its numbers.
func (p *producer) counted(t testing.TB, what int) int {
	t.Helper()
	var numbers [producerState]uint64
	if err := p.state.Lookup(uint32(0), &numbers); err != nil {
		t.Fatal(err)
	}
	return int(numbers[what])
}

// runOnAll sends records from several threads at once, about each runs of a few of them.
func (p *producer) runOnAll(threads, runs, each int) error {
	var all sync.WaitGroup
	failed := make([]error, threads)
	for i := range threads {
		all.Go(func() {
			for range runs {
				if err := p.run(each); err != nil {
					failed[i] = errors.Join(failed[i], err)
				}
			}
		})
	}
	all.Wait()
	return errors.Join(failed...)
}

// ringOf makes a ring buffer of size bytes.
func ringOf(t testing.TB, e *kernel.Engine, size int) engine.Map {
	t.Helper()
	if size < os.Getpagesize() {
		size = os.Getpagesize()
	}
	return kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, "ringbuf"), MaxEntries: uint32(size)})
}

// tapOf is a tap that is closed with the test.
func tapOf(t testing.TB, m engine.Map, from uint64) engine.Stream {
	t.Helper()
	s, err := m.Tap(from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, s) })
	return s
}

// consumerOf is a consumer that is closed with the test.
func consumerOf(t testing.TB, m engine.Map) engine.Stream {
	t.Helper()
	s, err := m.Consume(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, s) })
	return s
}

func closed(t testing.TB, s engine.Stream) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("closing: %v", err)
	}
}

// take takes the next record; ok is false where there is none yet.
func take(t testing.TB, s engine.Stream) (b []byte, ok bool) {
	t.Helper()
	b, err := s.Next(nil)
	if err == unix.EAGAIN {
		return nil, false
	}
	if err == nil {
		err = s.Take()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b, true
}

// all are the numbers of the records that are there, each of which is whole.
func all(t testing.TB, s engine.Stream) (numbers []uint64) {
	t.Helper()
	for {
		b, ok := take(t, s)
		if !ok {
			return numbers
		}
		n, err := recordNumber(b)
		if err != nil {
			t.Error(err)
		}
		numbers = append(numbers, n)
	}
}

// producerOf reads the producer's position of a ring.
func producerOf(t testing.TB, ring *ebpf.Map) func() uint64 {
	t.Helper()
	page := os.Getpagesize()
	memory, err := unix.Mmap(ring.FD(), int64(page), page, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(memory) })
	return func() uint64 { return atomic.LoadUint64((*uint64)(unsafe.Pointer(&memory[0]))) }
}
