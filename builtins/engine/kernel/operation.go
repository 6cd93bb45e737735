package kernel

import (
	"fmt"
	"slices"

	"bpfsh/builtins/engine"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// operation is one thing that a program does with a map.
type operation struct {
	name    string
	variant string // tells programs for one name apart
	helper  asm.BuiltinFunc
	since   string // the first kernel that has the helper; "" if all do that bpfsh runs on
	writes  bool
	// body calls the helper and leaves what it returned in R0. R1 holds the map, R6 the control exchange, R9 the context.
	body func(*programs) asm.Instructions
	// callback is what the helper calls for each entry; nil for none.
	callback func(*programs) asm.Instructions
}

var (
	opLookup = operation{name: "lookup", helper: asm.FnMapLookupElem, body: func(p *programs) asm.Instructions {
		return append(asm.Instructions{p.keys.address(asm.R2), asm.FnMapLookupElem.Call()}, p.copyFound()...)
	}}
	opLookupPerCPU = operation{name: "lookup_percpu", helper: asm.FnMapLookupPercpuElem, since: "5.19", body: func(p *programs) asm.Instructions {
		return append(asm.Instructions{p.keys.address(asm.R2), loadFlags(asm.R3), asm.FnMapLookupPercpuElem.Call()}, p.copyFound()...)
	}}
	opUpdate = operation{name: "update", helper: asm.FnMapUpdateElem, writes: true, body: func(p *programs) asm.Instructions {
		return asm.Instructions{p.keys.address(asm.R2), p.values.address(asm.R3), loadFlags(asm.R4), asm.FnMapUpdateElem.Call()}
	}}
	opDelete = operation{name: "delete", helper: asm.FnMapDeleteElem, writes: true, body: func(p *programs) asm.Instructions {
		return asm.Instructions{p.keys.address(asm.R2), asm.FnMapDeleteElem.Call()}
	}}
	opPush = operation{name: "push", helper: asm.FnMapPushElem, writes: true, body: func(p *programs) asm.Instructions {
		return asm.Instructions{p.values.address(asm.R2), loadFlags(asm.R3), asm.FnMapPushElem.Call()}
	}}
	opPop = operation{name: "pop", helper: asm.FnMapPopElem, writes: true, body: func(p *programs) asm.Instructions {
		return asm.Instructions{p.values.address(asm.R2), asm.FnMapPopElem.Call()}
	}}
	opPeek = operation{name: "peek", helper: asm.FnMapPeekElem, body: func(p *programs) asm.Instructions {
		return asm.Instructions{p.values.address(asm.R2), asm.FnMapPeekElem.Call()}
	}}
	opCount = operation{name: "count", helper: asm.FnForEachMapElem, since: "5.13", body: forEach, callback: func(*programs) asm.Instructions {
		return asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()}
	}}
)

// opAdd adds the control's number to size bytes at offset of a value. fetch leaves there what was in the value.
func opAdd(offset, size int, fetch bool) operation {
	op := operation{name: "add", variant: fmt.Sprint(offset, size, fetch), helper: asm.FnMapLookupElem, writes: true}
	op.body = func(p *programs) asm.Instructions {
		width := asm.DWord
		if size == 4 {
			width = asm.Word
		}
		is := asm.Instructions{p.keys.address(asm.R2), asm.FnMapLookupElem.Call()}
		is = append(is, orMissing(asm.Mov.Reg(asm.R7, asm.R0))...)
		is = append(is, p.value.hold(asm.FnSpinLock)...)
		is = append(is,
			asm.LoadMem(asm.R1, asm.R6, controlNumber, asm.DWord),
			asm.Mov.Reg(asm.R2, asm.R7), asm.Add.Imm(asm.R2, int32(offset)),
			atomicAdd(asm.R2, asm.R1, width, 0, fetch))
		if fetch {
			is = append(is, asm.StoreMem(asm.R6, controlNumber, asm.R1, asm.DWord))
		}
		is = append(is, p.value.hold(asm.FnSpinUnlock)...)
		return append(is, asm.Mov.Imm(asm.R0, 0))
	}
	return op
}

// atomicAdd adds src to memory at dst, and with fetch leaves in src what was there.
func atomicAdd(dst, src asm.Register, size asm.Size, offset int16, fetch bool) asm.Instruction {
	if !fetch {
		return asm.AddAtomic.Mem(dst, src, size, offset)
	}
	add := asm.FetchAdd.Mem(dst, src, size, offset)
	add.Constant = int64(asm.FetchAdd >> 8) // cilium/ebpf v0.22.0 writes the constant before it has set it
	return add
}

// opEntries copies each entry to the next place of keys and values; a place that is not there ends it.
func opEntries(keys, values *exchange) operation {
	op := opCount
	op.name = "items"
	op.callback = func(p *programs) asm.Instructions {
		is := append(p.entry(),
			p.control.address(asm.R8),
			asm.LoadMapPtr(asm.R1, keys.m.FD()),
			asm.Mov.Reg(asm.R2, asm.R8), asm.Add.Imm(asm.R2, controlIndex),
			asm.Mov.Reg(asm.R3, asm.R6),
			asm.Mov.Imm(asm.R4, 0),
			asm.FnMapUpdateElem.Call(),
			asm.JEq.Imm(asm.R0, 0, "room"))
		stop := asm.Instructions{asm.Mov.Imm(asm.R0, 1), asm.Return()}
		next := p.value.copy(values, controlIndex, stop)
		next[0] = next[0].WithSymbol("room")
		return append(slices.Concat(is, stop, next),
			asm.LoadMem(asm.R1, asm.R8, controlIndex, asm.Word), asm.Add.Imm(asm.R1, 1), asm.StoreMem(asm.R8, controlIndex, asm.R1, asm.Word),
			asm.Mov.Imm(asm.R0, 0), asm.Return())
	}
	return op
}

// entry leaves the key of a callback in R6, and the value in R7. An entry with a lock is looked up once more, and left
// out if it has gone: until Linux 6.1 the verifier loses sight of a lock that is taken in what a callback is given.
func (p *programs) entry() asm.Instructions {
	if p.value.lockAt < 0 {
		return asm.Instructions{asm.Mov.Reg(asm.R6, asm.R2), asm.Mov.Reg(asm.R7, asm.R3)}
	}
	return asm.Instructions{
		asm.Mov.Reg(asm.R6, asm.R2),
		asm.FnMapLookupElem.Call(),
		asm.JNE.Imm(asm.R0, 0, "there"),
		asm.Return(), // 0, which goes on to the next
		asm.Mov.Reg(asm.R7, asm.R0).WithSymbol("there"),
	}
}

// bindsPrograms says whether the first program that uses the map decides which type of program may use it from then
// on, as a devmap does since Linux 5.17. To look into a map must not decide that, nor be shut out by it. A map that a
// program finds in another map is not bound.
func bindsPrograms(i *engine.Info) bool { return ebpf.MapType(i.Type) == ebpf.DevMap }

// inside makes a map that holds m alone.
func (m *kernelMap) inside() (*ebpf.Map, error) {
	outer, err := ebpf.NewMap(&ebpf.MapSpec{
		Name: "bpfsh_outer", Type: ebpf.ArrayOfMaps, KeySize: 4, ValueSize: 4, MaxEntries: 1,
		InnerMap: &ebpf.MapSpec{
			Type: ebpf.MapType(m.info.Type), KeySize: m.info.KeySize, ValueSize: m.info.ValueSize, MaxEntries: m.info.MaxEntries,
			Flags: m.info.Flags &^ unix.BPF_F_RDONLY_PROG, // which the kernel sets, and does not take
		},
	})
	if err = makingFailed(err); err != nil {
		return nil, err
	}
	if err := outer.Put(uint32(0), m.m); err != nil {
		outer.Close()
		return nil, errnoOf(err)
	}
	return outer, nil
}

// loadMap leaves the map in R1.
func (p *programs) loadMap() asm.Instructions {
	if p.outer == nil {
		return asm.Instructions{asm.LoadMapPtr(asm.R1, p.m.fd)}
	}
	is := asm.Instructions{
		asm.LoadMapPtr(asm.R1, p.outer.FD()),
		asm.Mov.Reg(asm.R2, asm.R6), asm.Add.Imm(asm.R2, controlZero),
		asm.FnMapLookupElem.Call(),
		asm.JNE.Imm(asm.R0, 0, "map"),
	}
	return slices.Concat(is, answer(unix.ENOENT), asm.Instructions{asm.Mov.Reg(asm.R1, asm.R0).WithSymbol("map")})
}

// address loads the address of the first element.
func (x *exchange) address(to asm.Register) asm.Instruction { return asm.LoadMapValue(to, x.m.FD(), 0) }

func loadFlags(to asm.Register) asm.Instruction {
	return asm.LoadMem(to, asm.R6, controlFlags, asm.DWord)
}

// forEach calls the callback for each entry, and leaves their number.
func forEach(*programs) asm.Instructions {
	callback := asm.LoadImm(asm.R2, -1, asm.DWord).WithReference("callback")
	callback.Src = asm.PseudoFunc
	return asm.Instructions{callback, asm.Mov.Imm(asm.R3, 0), asm.Mov.Imm(asm.R4, 0), asm.FnForEachMapElem.Call()}
}

// end ends the program, with R0 for its result.
var end = asm.Instructions{asm.StoreMem(asm.R6, controlResult, asm.R0, asm.DWord), asm.Mov.Imm(asm.R0, 0), asm.Return()}

// answer ends the program, with an errno for its result. It stands where it is wanted, and not once at the end: a jump
// over the copy of a long value would be too far.
func answer(errno unix.Errno) asm.Instructions {
	return slices.Concat(asm.Instructions{asm.Mov.Imm(asm.R0, -int32(errno))}, end)
}

// orMissing ends the program with ENOENT where a lookup has found nothing, and else goes on with next.
func orMissing(next asm.Instruction) asm.Instructions {
	missing := asm.Instructions{asm.JNE.Imm(asm.R0, 0, "found")}
	return append(slices.Concat(missing, answer(unix.ENOENT)), next.WithSymbol("found"))
}

// copyFound copies the value that a lookup has found to the exchange.
func (p *programs) copyFound() asm.Instructions {
	is := orMissing(asm.Mov.Reg(asm.R7, asm.R0))
	if engine.KindOf(p.m.info.Type).Nests { // what is found is a map, and what user space reads of it is its id
		return append(is,
			p.values.address(asm.R1),
			asm.LoadMem(asm.R2, asm.R7, mapIDOffset(), asm.Word),
			asm.StoreMem(asm.R1, 0, asm.R2, asm.Word),
			asm.Mov.Imm(asm.R0, 0))
	}
	is = append(is, asm.Mov.Reg(asm.R8, asm.R6))
	is = append(is, p.value.copy(p.values, controlZero, answer(unix.ENOENT))...)
	return append(is, asm.Mov.Imm(asm.R0, 0))
}

// assemble is the whole program.
func (p *programs) assemble(op operation) asm.Instructions {
	is := slices.Concat(asm.Instructions{asm.Mov.Reg(asm.R9, asm.R1), p.control.address(asm.R6)}, p.loadMap(), op.body(p), end)
	if op.callback == nil {
		return is
	}
	callback := op.callback(p)
	callback[0] = describeFunc(callback[0].WithSymbol("callback"), "callback", btf.StaticFunc)
	is[0] = describeFunc(is[0], "program", btf.GlobalFunc)
	return append(is, callback...)
}

// describeFunc says what kind of function an instruction begins. The kernel wants to know where there are several.
func describeFunc(first asm.Instruction, name string, linkage btf.FuncLinkage) asm.Instruction {
	result := &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}
	return btf.WithFuncMetadata(first, &btf.Func{Name: name, Linkage: linkage, Type: &btf.FuncProto{Return: result}})
}

// typ is the type of program for the map. Those on packets are enough, and any process with CAP_BPF may load socket
// filters; but these cannot take spin locks. Those of traffic control can. So can XDP, but each run of one rewrites the
// kernel's code that calls XDP programs.
func (p *programs) typ() ebpf.ProgramType {
	if p.value.lockAt >= 0 {
		return ebpf.SchedCLS
	}
	return ebpf.SocketFilter
}
