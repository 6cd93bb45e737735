package engine_test

import (
	"errors"
	"strings"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"golang.org/x/sys/unix"
)

// byProgram are the operations that a program in the kernel does.
var byProgram = map[string]func(m engine.Map) error{
	"lookup":        func(m engine.Map) error { return m.ProgramLookup(anyKey(m), oneValue(m), engine.AnyCPU) },
	"lookup_percpu": func(m engine.Map) error { return m.ProgramLookupPerCPU(anyKey(m), oneValue(m), 0) },
	"update":        func(m engine.Map) error { return m.ProgramUpdate(anyKey(m), oneValue(m), 0, engine.AnyCPU) },
	"delete":        func(m engine.Map) error { return m.ProgramDelete(anyKey(m)) },
	"push":          func(m engine.Map) error { return m.ProgramPush(oneValue(m), 0) },
	"pop":           func(m engine.Map) error { return m.ProgramPop(oneValue(m)) },
	"peek":          func(m engine.Map) error { return m.ProgramPeek(oneValue(m)) },
	"count":         func(m engine.Map) error { _, err := m.ProgramCount(); return err },
	"items":         func(m engine.Map) error { _, err := m.ProgramEntries(engine.AnyCPU); return err },
	"add": func(m engine.Map) error {
		_, _, err := m.ProgramAdd(anyKey(m), 0, 4, 1, engine.AnyCPU)
		return err
	},
}

func oneValue(m engine.Map) []byte { return make([]byte, m.Info().ValueSize) }

// What the verifier refuses to programs has a hint, and what they can do has none.
func TestProgramInstead(t *testing.T) {
	for i, kind := range engine.Kinds {
		if i == 0 || kind.Name == "struct_ops" { // which wants the types of a subsystem
			continue
		}
		t.Run(kind.Name, func(t *testing.T) {
			m := kerneltest.Map(t, kerneltest.Engine(t), plain(uint32(i), &kind))
			for op, try := range byProgram {
				err := try(m)
				refused, loads := errors.AsType[*engine.LoadError](err)
				switch {
				case loads && refused.Since != "" && kerneltest.Older(refused.Since):
				case !kind.ProgramHas(op) && !errors.Is(err, notSupported) && !answersAlike(&kind, op, err):
					t.Errorf("%s: %v, but the hint is %q", op, err, kind.Program.Of(op)+kind.Program.Of(""))
				case kind.ProgramHas(op) && (loads || errors.Is(err, notSupported)):
					t.Errorf("%s is refused (%+v), and nothing says what to use instead", op, err)
				}
			}
		})
	}
}

// answersAlike says whether a program can do it, but gets the answer that user space gets where its type lacks it; or
// whether it is there under another name.
func answersAlike(kind *engine.Kind, op string, err error) bool {
	switch {
	case strings.HasSuffix(kind.Name, "array") && op == "delete":
		return errors.Is(err, unix.EINVAL)
	case strings.HasPrefix(kind.Name, "sock") && op == "delete": // an older kernel
		return errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT)
	case kind.Name == "bloom_filter" && op == "peek": // value in m.kernel
		return err == nil || errors.Is(err, unix.ENOENT)
	}
	return false
}
