package kernel_test

import (
	"errors"
	"strings"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"golang.org/x/sys/unix"
)

// What a map refuses to programs, the verifier refuses, and says why in one line.
func TestProgramFlags(t *testing.T) {
	e := kerneltest.Engine(t)
	k, v := number(1), number(2)
	ops := map[string]func(m engine.Map) error{
		"lookup": func(m engine.Map) error { return m.ProgramLookup(k, number(0), engine.AnyCPU) },
		"update": func(m engine.Map) error { return m.ProgramUpdate(k, v, 0, engine.AnyCPU) },
		"delete": func(m engine.Map) error { return m.ProgramDelete(k) },
		"add":    func(m engine.Map) error { _, _, err := m.ProgramAdd(k, 0, 4, 1, engine.AnyCPU); return err },
		"items":  func(m engine.Map) error { _, err := m.ProgramEntries(engine.AnyCPU); return err },
		"count":  func(m engine.Map) error { _, err := m.ProgramCount(); return err },
		"push":   func(m engine.Map) error { return m.ProgramPush(v, unix.BPF_EXIST) },
		"peek":   func(m engine.Map) error { return m.ProgramPeek(number(0)) },
		"pop":    func(m engine.Map) error { return m.ProgramPop(number(0)) },
	}
	for _, c := range []struct {
		typ     string
		flag    uint32
		works   string
		refused string
		reason  string
	}{
		{"hash", unix.BPF_F_RDONLY_PROG, "lookup items count", "update delete add", "write into map forbidden"},
		{"array", unix.BPF_F_RDONLY_PROG, "lookup items count", "update add", "write into map forbidden"},
		{"queue", unix.BPF_F_RDONLY_PROG, "peek", "push pop", "write into map forbidden"},
		{"hash", unix.BPF_F_WRONLY_PROG, "update count delete", "lookup items", "read from map forbidden"},
		{"array", unix.BPF_F_WRONLY_PROG, "update count", "lookup items", "read from map forbidden"},
		{"stack", unix.BPF_F_WRONLY_PROG, "push pop", "", ""},
	} {
		t.Run(c.typ+" "+c.reason, func(t *testing.T) {
			spec := engine.Spec{Type: kerneltest.Type(t, c.typ), KeySize: 4, ValueSize: 4, MaxEntries: 2, Flags: c.flag}
			if c.typ == "queue" || c.typ == "stack" {
				spec.KeySize = 0
			}
			m := kerneltest.Map(t, e, spec)
			if err := m.Update(k[:spec.KeySize], v, 0); err != nil {
				t.Fatal(err)
			}
			for op := range strings.FieldsSeq(c.works) {
				if err := ops[op](m); err != nil && !tooOld(err) {
					t.Errorf("%s: %v", op, err)
				}
			}
			for op := range strings.FieldsSeq(c.refused) {
				err := ops[op](m)
				if tooOld(err) {
					continue
				}
				refused, ok := errors.AsType[*engine.LoadError](err)
				if !ok || refused.Errno != unix.EACCES || !strings.HasPrefix(refused.Reason, c.reason) || strings.Contains(refused.Reason, "\n") ||
					refused.Missing+refused.Helper+refused.Since != "" || !errors.Is(err, unix.EACCES) {
					t.Errorf("%s: %+v, want EACCES and %q", op, err, c.reason)
				}
			}
		})
	}
}

// What a kernel does not have yet is named, with the kernel that has it.
func TestTooOld(t *testing.T) {
	e := kerneltest.Engine(t)
	m := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, "percpu_array"), KeySize: 4, ValueSize: 4, MaxEntries: 2})
	for _, c := range []struct {
		helper, since string
		try           func() error
	}{
		{"bpf_for_each_map_elem", "5.13", func() error { _, err := m.ProgramCount(); return err }},
		{"bpf_for_each_map_elem", "5.13", func() error { _, err := m.ProgramEntries(0); return err }},
		{"bpf_map_lookup_percpu_elem", "5.19", func() error { return m.ProgramLookupPerCPU(number(0), number(0), 0) }},
	} {
		err := c.try()
		if !kerneltest.Older(c.since) {
			if err != nil {
				t.Errorf("%s: %v", c.helper, err)
			}
			continue
		}
		if refused, ok := errors.AsType[*engine.LoadError](err); !ok || refused.Helper != c.helper || refused.Since != c.since || refused.Missing != "" {
			t.Errorf("%s: %+v, want it to be there since %s", c.helper, err, c.since)
		}
	}
}
