package memory_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"
	"bpfsh/builtins/engine/memory"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// The memory engine is like one kernel. What others answer is here, so that the rest can be compared on them too.

// there says whether the running kernel does a step as it is done in memory.
func (s *scenario) there(o operation) bool {
	op := o.name
	if op == "clear" { // which is a walk by that
		op = "pop_batch"
	}
	if since := s.kind().Arrived(op); since != "" && kerneltest.Older(since) {
		return false
	}
	switch o.name {
	case "counts":
		return !kerneltest.Older("6.6")
	case "kernel.count", "kernel.items":
		return !kerneltest.Older("5.13")
	case "kernel.lookup_percpu":
		return !kerneltest.Older("5.19")
	case "kernel.add": // the sum is told since then
		return !kerneltest.Older("5.12")
	case "freeze": // of values with a lock it is refused since 6.2, and through a descriptor of BPF_F_RDONLY since 6.5
		return !(kerneltest.Older("6.2") && s.spec.Value == btf.Type(locked) || kerneltest.Older("6.5") && s.spec.Flags&unix.BPF_F_RDONLY != 0)
	}
	return true
}

// fit leaves of a scenario what the running kernel does as it is done in memory.
func (s *scenario) fit() {
	s.ops = slices.DeleteFunc(s.ops, func(o operation) bool { return !s.there(o) })
	for i := range s.ops {
		o := &s.ops[i]
		if !kerneltest.Older("7.0") { // which knows BPF_F_CPU and BPF_F_ALL_CPUS, and looks at flags later, if at all
			if o.flags &^= 8 | 16; s.kind().PerCPU && o.flags&3 == 3 {
				o.flags &^= 3
			}
			if s.kind().Nests { // whose values it looks at between
				o.flags &= 1<<32 - 1
			}
			if o.name == "lookup" {
				o.flags &= unix.BPF_F_LOCK
			}
		}
		if o.name == "pop" && kerneltest.Older("5.14") { // which looks at them before all else
			o.flags = 0
		}
	}
	if s.kind().Trie && kerneltest.Older("6.1") { // which lets no entry of a full trie be overwritten
		s.spec.MaxEntries = max(s.spec.MaxEntries, 64)
	}
	if kerneltest.Older("5.16") {
		s.spec.MapExtra = 0
	}
	if kerneltest.Older("6.2") && s.spec.Value == btf.Type(locked) { // which does not mind all that
		s.spec.Flags &^= unix.BPF_F_RDONLY_PROG | unix.BPF_F_WRONLY_PROG
	}
	if kerneltest.Older("6.1") && s.buckets() { // which takes keys that fit on the stack of a program
		s.spec.KeySize = min(s.spec.KeySize, 512)
	}
}

// present are those of types that the running kernel has.
func present(types []string) []string {
	return slices.DeleteFunc(slices.Clone(types), func(name string) bool {
		typ, _ := engine.TypeByName(name)
		return kerneltest.Older(engine.KindOf(typ).Since)
	})
}

// frozenTwice is what a map that is frozen already answers.
func frozenTwice() error {
	if kerneltest.Older("6.5") {
		return unix.EBUSY
	}
	return unix.EPERM
}

// cells finds one cell of a row of the matrix.
var cells = map[string]*regexp.Regexp{
	"pop":          regexp.MustCompile(` pop \S+`),
	"lookup_batch": regexp.MustCompile(` lookup_batch \S+ \d+`),
	"pop_batch":    regexp.MustCompile(` pop_batch \S+ \d+`),
	"update_batch": regexp.MustCompile(` update_batch \S+ \d+`),
	"delete_batch": regexp.MustCompile(` delete_batch \S+ \d+`),
	"freeze":       regexp.MustCompile(` freeze \S+`),
}

// onOlder is a row of the matrix as the engine has it, if that is a kernel which has less.
func onOlder(e engine.Engine, kind *engine.Kind, withLock bool, row string) string {
	for op, cell := range cells {
		if since := kind.Arrived(op); since != "" && older(e, since) {
			refused := " " + op + " 524 0"
			if op == "pop" {
				refused = " pop 524/524"
			}
			row = cell.ReplaceAllString(row, refused)
		}
	}
	switch {
	case withLock && older(e, "6.2"):
		return cells["freeze"].ReplaceAllString(row, " freeze ok/EBUSY")
	case older(e, "6.5"):
		return strings.Replace(row, " freeze ok/EPERM", " freeze ok/EBUSY", 1)
	}
	return row
}

// older says whether an engine is a kernel before a release.
func older(e engine.Engine, release string) bool {
	_, inMemory := e.(*memory.Engine)
	return !inMemory && kerneltest.Older(release)
}

// since ends a test of what the engine does not have yet.
func since(t *testing.T, e engine.Engine, release, what string) {
	t.Helper()
	if older(e, release) {
		kerneltest.Since(t, release, what)
	}
}

// arrived ends a test of an operation that the engine does not have yet on a type.
func arrived(t *testing.T, e engine.Engine, typ, op string) {
	t.Helper()
	if release := engine.KindOf(kerneltest.Type(t, typ)).Arrived(op); release != "" {
		since(t, e, release, op+" on "+typ)
	}
}
