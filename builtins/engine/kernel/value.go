package kernel

import (
	"math"
	"slices"
	"sort"

	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
)

// value is what a program must know of a map's values: the kernel keeps some fields to itself, and a program that
// reads them is not loaded.
type value struct {
	size   int
	spans  []span // what may be read; nil for all of it
	lockAt int    // where the spin lock is; -1 for none
}

// span is a run of bytes.
type span struct{ from, to int }

// keptFields are the types of fields that belong to the kernel.
var keptFields = []string{
	"bpf_spin_lock", "bpf_res_spin_lock", "bpf_timer", "bpf_wq", "bpf_task_work", "bpf_refcount",
	"bpf_list_head", "bpf_list_node", "bpf_rb_root", "bpf_rb_node",
}

// keptPointers are the tags of pointers that the kernel owns.
var keptPointers = []string{"kptr", "kptr_ref", "kptr_untrusted", "percpu_kptr", "uptr"}

// valueOf describes values of size bytes. t is the type that the kernel keeps with the map; nil: it has none.
func valueOf(t btf.Type, size int) value {
	v := value{size: size, lockAt: -1}
	var kept []span
	if t != nil {
		v.keep(&kept, t, 0)
	}
	if len(kept) == 0 {
		return v
	}
	sort.Slice(kept, func(i, j int) bool { return kept[i].from < kept[j].from })
	at := 0
	for _, k := range append(kept, span{size, size}) {
		if k.from > at {
			v.spans = append(v.spans, span{at, k.from})
		}
		at = max(at, k.to)
	}
	if v.spans == nil {
		v.spans = []span{}
	}
	return v
}

// keep lists the kernel's fields of t, which is at a place in the value.
func (v *value) keep(kept *[]span, t btf.Type, at int) {
	switch u := btf.UnderlyingType(t).(type) {
	case *btf.Datasec: // global variables
		for _, s := range u.Vars {
			if variable, ok := s.Type.(*btf.Var); ok {
				v.keep(kept, variable.Type, at+int(s.Offset))
			}
		}
	case *btf.Struct:
		if slices.Contains(keptFields, u.Name) {
			if u.Name == "bpf_spin_lock" {
				v.lockAt = at
			}
			*kept = append(*kept, span{at, at + int(u.Size)})
			return
		}
		for _, m := range u.Members {
			v.keep(kept, m.Type, at+int(m.Offset.Bytes()))
		}
	case *btf.Array:
		size, err := btf.Sizeof(u.Type)
		if err != nil || size == 0 {
			return
		}
		before := len(*kept)
		v.keep(kept, u.Type, at)
		if first := slices.Clone((*kept)[before:]); len(first) > 0 {
			for i := 1; i < int(u.Nelems); i++ {
				for _, k := range first {
					*kept = append(*kept, span{k.from + i*size, k.to + i*size})
				}
			}
		}
	case *btf.Pointer:
		for tag, ok := u.Target.(*btf.TypeTag); ok; tag, ok = tag.Type.(*btf.TypeTag) {
			if slices.Contains(keptPointers, tag.Value) {
				*kept = append(*kept, span{at, at + 8})
				return
			}
		}
	}
}

// copy copies the value at R7, under its lock if it has one, to an element of to, whose index is at a place behind R8.
// Where there is no such element, fail ends the program.
func (v *value) copy(to *exchange, index int16, fail asm.Instructions) asm.Instructions {
	is := asm.Instructions{
		asm.LoadMapPtr(asm.R1, to.m.FD()),
		asm.Mov.Reg(asm.R2, asm.R8), asm.Add.Imm(asm.R2, int32(index)),
	}
	if v.spans == nil { // one helper copies any size
		is = append(is,
			asm.Mov.Reg(asm.R3, asm.R7),
			asm.Mov.Imm(asm.R4, 0),
			asm.FnMapUpdateElem.Call(),
			asm.JEq.Imm(asm.R0, 0, "copied"))
		return append(slices.Concat(is, fail), asm.Mov.Imm(asm.R0, 0).WithSymbol("copied"))
	}
	is = append(is, asm.FnMapLookupElem.Call(), asm.JNE.Imm(asm.R0, 0, "copy"))
	is = append(slices.Concat(is, fail), asm.Mov.Reg(asm.R9, asm.R0).WithSymbol("copy"))
	is = append(is, v.hold(asm.FnSpinLock)...)
	is = append(is, asm.Mov.Reg(asm.R1, asm.R7), asm.Mov.Reg(asm.R2, asm.R9))
	base := 0 // where R1 and R2 are in the value: an offset has 16 bits, and both must stay within it
	for _, s := range v.spans {
		for at, n := s.from, 0; at < s.to; at += n {
			if at-base > math.MaxInt16-8 {
				is = append(is, asm.Add.Imm(asm.R1, int32(at-base)), asm.Add.Imm(asm.R2, int32(at-base)))
				base = at
			}
			var size asm.Size
			n, size = widest(at, s.to)
			is = append(is,
				asm.LoadMem(asm.R3, asm.R1, int16(at-base), size),
				asm.StoreMem(asm.R2, int16(at-base), asm.R3, size))
		}
	}
	return append(is, v.hold(asm.FnSpinUnlock)...)
}

// widest is the size of the widest access that starts at a place, is aligned, and ends before another.
func widest(at, end int) (int, asm.Size) {
	switch left := end - at; {
	case at%8 == 0 && left >= 8:
		return 8, asm.DWord
	case at%4 == 0 && left >= 4:
		return 4, asm.Word
	case at%2 == 0 && left >= 2:
		return 2, asm.Half
	default:
		return 1, asm.Byte
	}
}

// hold takes or gives the lock of the value at R7, if it has one.
func (v *value) hold(helper asm.BuiltinFunc) asm.Instructions {
	if v.lockAt < 0 {
		return nil
	}
	is := asm.Instructions{asm.Mov.Reg(asm.R1, asm.R7)}
	if v.lockAt > 0 { // adding even 0 to come to a lock wants a capability, see wants
		is = append(is, asm.Add.Imm(asm.R1, int32(v.lockAt)))
	}
	return append(is, helper.Call())
}
