package kernel

import (
	"errors"
	"slices"
	"strings"
	"sync"

	"bpfsh/builtins/engine"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/features"
	"golang.org/x/sys/unix"
)

// load returns the program of an operation, which is loaded once.
func (p *programs) load(op operation) (*ebpf.Program, error) {
	key := op.name + " " + op.variant
	if prog := p.loaded[key]; prog != nil {
		return prog, nil
	}
	prog, err := p.assembleAndLoad(op)
	if err == nil {
		p.loaded[key] = prog
	}
	return prog, err
}

func (p *programs) assembleAndLoad(op operation) (*ebpf.Program, error) {
	spec := &ebpf.ProgramSpec{Name: "bpfsh_" + op.name, Type: p.typ(), License: "GPL", Instructions: p.assemble(op)}
	prog, err := ebpf.NewProgram(spec)
	switch {
	case err == nil:
		return prog, nil
	case !engine.KindOf(p.m.info.Type).ProgramHas(op.name): // whatever the verifier minds first
		return nil, engine.NotSupported
	default:
		return nil, refused(err, spec.Type, p.right(op), p.hidden, op)
	}
}

// helperNames are the kernel's, of those that not every kernel has.
var helperNames = map[asm.BuiltinFunc]string{
	asm.FnForEachMapElem: "bpf_for_each_map_elem", asm.FnMapLookupPercpuElem: "bpf_map_lookup_percpu_elem",
}

// right is what the program of an operation wants.
func (p *programs) right(op operation) *engine.Right {
	return engine.KindOf(p.m.info.Type).Running(p.value.lockAt, op.callback != nil)
}

// refused says why the kernel did not load a program. hidden: where the lock of values is, if there is one, is not known.
func refused(err error, typ ebpf.ProgramType, right *engine.Right, hidden bool, op operation) error {
	errno, ok := errors.AsType[unix.Errno](err)
	if lacks := missing(right); !ok && errors.Is(err, ebpf.ErrNotSupported) && lacks != "" { // as cilium/ebpf takes it
		return &engine.LoadError{Errno: unix.EPERM, Missing: lacks}
	}
	if !ok {
		return err
	}
	e := &engine.LoadError{Errno: errno, Reason: reason(err)}
	switch {
	case errno == unix.EMFILE, errno == unix.ENFILE, errno == unix.ENOMEM, errno == unix.EAGAIN, errno == unix.EINTR:
		return errno // it was no matter of the program
	case strings.Contains(e.Reason, "cannot pass map_type"):
		return engine.NotSupported
	case strings.Contains(e.Reason, "bpf_spin_lock") && hidden:
		e.Missing = missing(&engine.Right{Wants: slices.Concat(right.Wants, engine.ReadingTypes.Wants)})
	case errno == unix.EPERM, strings.Contains(e.Reason, "bpf_spin_lock"), strings.Contains(e.Reason, "prohibited for !root"):
		e.Missing = missing(right)
	case op.since != "" && errors.Is(features.HaveProgramHelper(typ, op.helper), ebpf.ErrNotSupported):
		e.Helper, e.Since = helperNames[op.helper], op.since
	}
	return e
}

// reason is the verifier's, the last line that says one; "" if it was not the verifier.
func reason(err error) string {
	refusal, ok := errors.AsType[*ebpf.VerifierError](err)
	if !ok {
		return ""
	}
	for i := len(refusal.Log) - 1; i >= 0; i-- {
		line := strings.TrimSpace(refusal.Log[i])
		if line != "" && !strings.HasPrefix(line, "processed ") && !strings.HasPrefix(line, "verification time") && !strings.HasPrefix(line, "stack depth") {
			said, _, _ := strings.Cut(line, ", value_size=") // and where in the value, which is the program's affair
			return said
		}
	}
	return ""
}

// haveFetch says whether atomic operations tell what was there before, as they do since Linux 5.12.
var haveFetch = sync.OnceValue(func() bool {
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.SocketFilter, License: "GPL", Instructions: asm.Instructions{
		asm.StoreImm(asm.RFP, -4, 0, asm.Word),
		asm.Mov.Imm(asm.R1, 1),
		atomicAdd(asm.RFP, asm.R1, asm.Word, -4, true),
		asm.Mov.Imm(asm.R0, 0),
		asm.Return(),
	}})
	if err != nil {
		return false
	}
	prog.Close()
	return true
})
