package kernel

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"runtime"

	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// ProgramOutput sends a record.
func (m *kernelMap) ProgramOutput(record []byte, cpu int) error {
	if err := m.streams(); err != nil {
		return err
	}
	p, err := m.program(true)
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(p)
	if err := p.makeRecords(len(record)); err != nil {
		return err
	}
	prog, err := p.load(opOutput(p.records, m.isRing()))
	if err != nil {
		return err
	}
	binary.NativeEndian.PutUint64(p.control.at(0)[controlNumber:], uint64(len(record)))
	copy(p.records.at(0), record)
	_, err = p.run(prog, cpu)
	return err
}

// makeRecords makes room for a record of n bytes.
func (p *programs) makeRecords(n int) error {
	if p.records != nil && n <= p.records.stride {
		return nil
	}
	const least, most = 4096, 1 << 30
	if n > most {
		return unix.E2BIG
	}
	made, err := newExchange("bpfsh_record", uint32(max(least, 1<<bits.Len(uint(max(n, 1)-1)))), 1)
	if err != nil {
		return err
	}
	if p.records != nil {
		p.records.close()
	}
	p.records = made
	return nil
}

// opOutput sends as many bytes of records as the control's number says. R9 holds the context.
func opOutput(records *exchange, ring bool) operation {
	op := operation{name: "output", variant: fmt.Sprint(records.stride), helper: asm.FnRingbufOutput, writes: true}
	if !ring {
		op.helper = asm.FnPerfEventOutput
	}
	op.body = func(p *programs) asm.Instructions {
		size := asm.R3
		if !ring {
			size = asm.R5
		}
		is := asm.Instructions{
			asm.LoadMem(size, asm.R6, controlNumber, asm.DWord),
			asm.JLE.Imm(size, int32(records.stride), "fits"),
		}
		is = append(is, answer(unix.E2BIG)...) // for the verifier alone
		if ring {
			return append(is, records.address(asm.R2).WithSymbol("fits"), asm.Mov.Imm(asm.R4, 0), op.helper.Call())
		}
		return append(is,
			asm.Mov.Reg(asm.R2, asm.R1).WithSymbol("fits"),
			asm.Mov.Reg(asm.R1, asm.R9),
			asm.LoadImm(asm.R3, unix.BPF_F_CURRENT_CPU, asm.DWord),
			records.address(asm.R4),
			op.helper.Call())
	}
	return op
}
