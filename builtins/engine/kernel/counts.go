package kernel

import (
	"encoding/binary"
	"errors"
	"io"
	"sync"

	"bpfsh/builtins/engine"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// counter is a program that the kernel runs on each map, and that tells the id and the number of entries.
type counter struct {
	err  error // why there is none
	iter *link.Iter
}

// Counts runs the program that asks the kernel's function bpf_map_sum_elem_count, which is there since Linux 6.6. It
// is loaded once for the process.
func (e *Engine) Counts() (map[uint32]int, error) {
	e.counterOnce.Do(func() { e.counter.iter, e.counter.err = newCounter() })
	if e.counter.err != nil {
		return nil, e.counter.err
	}
	r, err := e.counter.iter.Open()
	if err != nil {
		return nil, errnoOf(err)
	}
	told, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return nil, errnoOf(err)
	}
	counts := make(map[uint32]int, len(told)/16)
	for ; len(told) >= 16; told = told[16:] {
		counts[uint32(binary.NativeEndian.Uint64(told))] = int(binary.NativeEndian.Uint64(told[8:]))
	}
	return counts, nil
}

// Close gives up what the engine has for itself. Maps stay open.
func (e *Engine) Close() error {
	e.counterOnce.Do(func() {})
	iter := e.counter.iter
	e.counter = counter{err: unix.EBADF}
	if iter == nil {
		return nil
	}
	return iter.Close()
}

func newCounter() (*link.Iter, error) {
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		return nil, err
	}
	var count *btf.Func
	if err := spec.TypeByName("bpf_map_sum_elem_count", &count); err != nil {
		return nil, engine.NotSupported
	}
	id, err := spec.TypeID(count)
	if err != nil {
		return nil, err
	}
	// R1 is struct bpf_iter__bpf_map: meta, and the map, which is NULL at the end.
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "bpfsh_counts", Type: ebpf.Tracing, AttachType: ebpf.AttachTraceIter, AttachTo: "bpf_map", License: "GPL",
		Instructions: asm.Instructions{
			asm.Mov.Reg(asm.R6, asm.R1),
			asm.LoadMem(asm.R7, asm.R6, 8, asm.DWord),
			asm.JEq.Imm(asm.R7, 0, "end"),
			asm.Mov.Reg(asm.R1, asm.R7),
			{OpCode: asm.OpCode(asm.JumpClass).SetJumpOp(asm.Call), Src: asm.PseudoKfuncCall, Constant: int64(id)},
			asm.StoreMem(asm.RFP, -8, asm.R0, asm.DWord),
			asm.LoadMem(asm.R1, asm.R7, mapIDOffset(), asm.Word),
			asm.StoreMem(asm.RFP, -16, asm.R1, asm.DWord),
			asm.LoadMem(asm.R1, asm.R6, 0, asm.DWord),
			asm.LoadMem(asm.R1, asm.R1, 0, asm.DWord), // meta->seq
			asm.Mov.Reg(asm.R2, asm.RFP),
			asm.Add.Imm(asm.R2, -16),
			asm.Mov.Imm(asm.R3, 16),
			asm.FnSeqWrite.Call(),
			asm.Mov.Imm(asm.R0, 0).WithSymbol("end"),
			asm.Return(),
		},
	})
	if err != nil {
		return nil, refused(err, ebpf.Tracing, engine.Counting, false, operation{})
	}
	defer prog.Close() // the iterator holds it
	return link.AttachIter(link.IterOptions{Program: prog})
}

// mapIDOffset is where the kernel's struct bpf_map has the id. A kernel without types for itself has none to find, and
// does not load programs that read it either: 0 then.
var mapIDOffset = sync.OnceValue(func() int16 {
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		return 0
	}
	var m *btf.Struct
	if err := spec.TypeByName("bpf_map", &m); err != nil {
		return 0
	}
	for _, member := range m.Members {
		if member.Name == "id" {
			return int16(member.Offset.Bytes())
		}
	}
	return 0
})
