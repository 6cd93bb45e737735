package builtins_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"bpfsh/builtins"
	"bpfsh/builtins/engine/kernel/kerneltest"
	"bpfsh/builtins/engine/memory"
	"bpfsh/builtins/engine/memory/faulttest"
	"bpfsh/runtime"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// TestPinChanges puts a program, and then another map, where a script has pinned its own between two looks: each operation
// that meets it says so, and removes nothing.
func TestPinChanges(t *testing.T) {
	library := builtins.New(kerneltest.Engine(t), nil)
	defer library.Close()
	pin := kerneltest.BPFFS(t) + "/flows"
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.SocketFilter, License: "MIT",
		Instructions: asm.Instructions{asm.LoadImm(asm.R0, 0, asm.DWord), asm.Return()},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer prog.Close()
	other, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Hash, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var out bytes.Buffer
	s := runtime.New(runtime.Config{Predeclared: library.Predeclared(), Stdout: &out})
	said := func(code string) string {
		t.Helper()
		out.Reset()
		if err := chunk(s, code); err != nil {
			t.Fatal(err)
		}
		if err := s.Flush(); err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(out.String())
	}
	said(`m = create("hash", key="u32", value="u64", max_entries=4)
m.pin("` + pin + `")`)
	for _, there := range []struct {
		name string
		pin  func(string) error
		want [3]string // of open, unpin, and pin with replace
	}{
		{"program", prog.Pin, [3]string{
			`open: "PIN": another kind of object is pinned there, not a map`,
			`unpin: map id=ID: PIN: another kind of object is pinned there, not a map`,
			`pin: map id=ID: what is at PIN cannot be replaced: another kind of object is pinned there, not a map`,
		}},
		{"map", func(path string) error {
			other, err := other.Clone() // cilium/ebpf would move a pin that it has made before
			if err != nil {
				return err
			}
			defer other.Close()
			return other.Pin(path)
		}, [3]string{"None", "unpin: map id=ID: at PIN another map is pinned, id=OTHER", "None"}},
	} {
		if err := os.Remove(pin); err != nil {
			t.Fatal(err)
		}
		if err := there.pin(pin); err != nil {
			t.Fatal(err)
		}
		for i, op := range []string{`open, "PIN"`, `m.unpin, "PIN"`, `m.pin, "PIN", replace=True`} {
			got := said("print(catch(" + strings.ReplaceAll(op, "PIN", pin) + ")[1])")
			info, err := other.Info()
			if err != nil {
				t.Fatal(err)
			}
			id, _ := info.ID()
			want := strings.NewReplacer("PIN", pin, "ID", said("print(m.id)"), "OTHER", fmt.Sprint(uint32(id))).Replace(there.want[i])
			if got != want {
				t.Errorf("%s is there: %s: %s, want %s", there.name, op, got, want)
			}
			if _, err := os.Stat(pin); err != nil {
				t.Errorf("%s is there: %s: it is gone: %v", there.name, op, err)
			}
		}
	}
}

// TestPinModes names what has the mode that does not permit it.
func TestPinModes(t *testing.T) {
	for op, want := range map[string]string{
		"Pin":     "pin: map id=N: the mode of /sys/fs/bpf, or of a directory on the way to it, does not permit it (EACCES)",
		"OpenPin": "unpin: map id=N: the mode of /sys/fs/bpf/flows, or of a directory on the way to it, does not permit it (EACCES)",
		"Unpin":   "unpin: map id=N: the mode of /sys/fs/bpf/flows, or of a directory on the way to it, does not permit it (EACCES)",
	} {
		e := faulttest.New(&memory.Engine{}, faulttest.Fault{Op: op, Nth: 1, Err: unix.EACCES})
		out, err := runOn(e, `m = create("hash", key="u32", value="u64", max_entries=4)
print(catch(lambda: [m.pin("/sys/fs/bpf/flows"), m.unpin()])[1])`)
		if err != nil || strings.TrimSpace(out) != want {
			t.Errorf("%s: got %s, %v, want %s", op, out, err, want)
		}
	}
}

// TestNoNUL refuses names and paths of objects of which the kernel would read a part.
func TestNoNUL(t *testing.T) {
	e := kerneltest.Engine(t)
	for code, want := range map[string]string{
		`maps(program="/x\x00")`:                                    `maps: program: got "/x\x00"`,
		`maps(program="x\x00")`:                                     `maps: program: got "x\x00"`,
		`create("prog_array", max_entries=1).update(0, "/x\x00")`:   `value: got "/x\x00"`,
		`create("cgroup_array", max_entries=1).update(0, "/x\x00")`: `value: got "/x\x00"`,
	} {
		_, err := runOn(e, code)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasSuffix(err.Error(), ": neither a name nor a path has a NUL") {
			t.Errorf("%s: got %v", code, err)
		}
	}
}
