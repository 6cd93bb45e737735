package kernel_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// unprivileged is the variable that makes a child of the test binary of it.
const unprivileged = "BPFSH_TEST_UNPRIVILEGED"

// lockedFirst has its lock at the start.
var lockedFirst = &btf.Struct{Name: "locked_first", Size: 16, Members: []btf.Member{
	{Name: "lock", Type: lockType}, {Name: "k", Type: u32, Offset: 32}, {Name: "n", Type: u64, Offset: 64},
}}

// rights tries what wants rights, and says of each what is missing.
func rights() string {
	e := &kernel.Engine{}
	var out strings.Builder
	say := func(what string, err error) {
		var refused *engine.LoadError
		switch {
		case err == nil || err == unix.ENOENT:
			fmt.Fprintf(&out, "%s: yes\n", what)
		case errors.As(err, &refused) && refused.Missing != "":
			fmt.Fprintf(&out, "%s: %s\n", what, refused.Missing)
		default:
			fmt.Fprintf(&out, "%s: %v\n", what, err)
		}
	}
	try := func(what string, spec engine.Spec, ops ...func(m engine.Map) error) {
		m, err := e.Create(spec)
		if err == unix.EPERM {
			fmt.Fprintf(&out, "%s: no map\n", what)
			return
		}
		if err == nil {
			defer m.Close()
			for _, op := range ops {
				err = errors.Join(err, op(m))
			}
			if joined, ok := err.(interface{ Unwrap() []error }); ok {
				err = joined.Unwrap()[0]
			}
		}
		say(what, err)
	}
	lookup := func(m engine.Map) error { return m.ProgramLookup(number(0), make([]byte, m.Info().ValueSize), 0) }
	update := func(m engine.Map) error {
		return m.ProgramUpdate(number(0), make([]byte, m.Info().ValueSize), 0, engine.AnyCPU)
	}
	add := func(m engine.Map) error { _, _, err := m.ProgramAdd(number(0), 4, 4, 1, 0); return err }
	items := func(m engine.Map) error {
		if _, err := m.ProgramEntries(0); !tooOld(err) {
			return err
		}
		return nil
	}
	try("hash", engine.Spec{Type: 1, KeySize: 4, ValueSize: 16, MaxEntries: 4}, update, lookup, add, items)
	try("array", engine.Spec{Type: 2, KeySize: 4, ValueSize: 16, MaxEntries: 4}, update, lookup, add, items)
	try("percpu_array", engine.Spec{Type: 6, KeySize: 4, ValueSize: 16, MaxEntries: 4}, update, lookup, add, items)
	try("queue", engine.Spec{Type: 22, ValueSize: 4, MaxEntries: 4},
		func(m engine.Map) error { return m.ProgramPush(number(1), 0) },
		func(m engine.Map) error { return m.ProgramPeek(number(1)) },
		func(m engine.Map) error { return m.ProgramPop(number(1)) })
	first := engine.Spec{Type: 2, KeySize: 4, ValueSize: 16, MaxEntries: 4, Key: u32, Value: lockedFirst}
	later := engine.Spec{Type: 2, KeySize: 4, ValueSize: 16, MaxEntries: 4, Key: u32, Value: locked}
	try("lock at the start", first, update, lookup, add, items)
	try("lock later, update", later, update)
	try("lock later, lookup", later, lookup)
	try("lock later, add", later, add)
	try("lock later, items", later, items)
	try("nested", engine.Spec{Type: 12, KeySize: 4, ValueSize: 4, MaxEntries: 4, Inner: &engine.Spec{Type: 2, KeySize: 4, ValueSize: 4, MaxEntries: 1}}, lookup)
	try("devmap", engine.Spec{Type: 14, KeySize: 4, ValueSize: 4, MaxEntries: 4}, lookup)
	_, err := e.Counts()
	if err == unix.Errno(524) && kerneltest.Older("6.6") {
		err = nil
	}
	say("counts", errors.Join(err, e.Close()))
	return out.String()
}

// Each operation wants what it wants and no more, and what is missing is named.
func TestRights(t *testing.T) {
	e := kerneltest.Engine(t)
	if e.Missing(engine.Finding) != "" {
		kerneltest.Skip(t, "capabilities are missing already", unix.EPERM)
	}
	for _, c := range []struct {
		name string
		caps []uintptr
		want map[string]string // where it is not "yes"
	}{
		{"CAP_BPF", []uintptr{unix.CAP_BPF}, map[string]string{
			"lock at the start":  "CAP_NET_ADMIN",
			"lock later, update": "CAP_NET_ADMIN, CAP_PERFMON",
			"lock later, lookup": "CAP_NET_ADMIN, CAP_PERFMON",
			"lock later, add":    "CAP_NET_ADMIN, CAP_PERFMON",
			"lock later, items":  "CAP_NET_ADMIN, CAP_PERFMON",
			"nested":             "CAP_PERFMON",
			"devmap":             "no map",
			"counts":             "CAP_PERFMON",
		}},
		{"CAP_BPF and CAP_NET_ADMIN", []uintptr{unix.CAP_BPF, unix.CAP_NET_ADMIN}, map[string]string{
			"lock later, lookup": "CAP_PERFMON",
			"lock later, add":    "CAP_PERFMON",
			"lock later, items":  "CAP_PERFMON",
			"nested":             "CAP_PERFMON",
			"counts":             "CAP_PERFMON",
		}},
		{"CAP_BPF and CAP_PERFMON", []uintptr{unix.CAP_BPF, unix.CAP_PERFMON}, map[string]string{
			"lock at the start":  "CAP_NET_ADMIN",
			"lock later, update": "CAP_NET_ADMIN",
			"lock later, lookup": "CAP_NET_ADMIN",
			"lock later, add":    "CAP_NET_ADMIN",
			"lock later, items":  "CAP_NET_ADMIN",
			"devmap":             "no map",
		}},
		{"all", []uintptr{unix.CAP_BPF, unix.CAP_PERFMON, unix.CAP_NET_ADMIN}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := exec.Command("/proc/self/exe")
			cmd.Env = append(os.Environ(), unprivileged+"=1", "GORACE=atexit_sleep_ms=0")
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}, AmbientCaps: c.caps}
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatal(err, string(out))
			}
			n := 0
			for line := range strings.Lines(string(out)) {
				what, got, _ := strings.Cut(strings.TrimSpace(line), ": ")
				want := c.want[what]
				if want == "" || what == "counts" && kerneltest.Older("6.6") || want == "CAP_PERFMON" && what == "lock later, items" && kerneltest.Older("5.13") {
					want = "yes"
				}
				if n++; got != want {
					t.Errorf("%s: %s, want %s", what, got, want)
				}
			}
			if n != 12 {
				t.Errorf("%d lines: %s", n, out)
			}
		})
	}
}
