package kernel_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// holders is what the machine says of one map.
func holders(t testing.TB, e *kernel.Engine, m engine.Map) (pins []string, programs []engine.Program, processes []engine.Process) {
	t.Helper()
	h, err := e.Holders()
	if err != nil {
		t.Fatal(err)
	}
	id := m.Info().ID
	return h.Pins.By[id], h.Programs.By[id], h.Processes.By[id]
}

// uses is a program that uses maps.
func uses(t testing.TB, name string, maps ...engine.Map) *ebpf.Program {
	t.Helper()
	var code asm.Instructions
	for _, m := range maps {
		code = append(code, asm.LoadMapPtr(asm.R1, twin(t, m).FD()))
	}
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{Name: name, Type: ebpf.SocketFilter, License: "GPL",
		Instructions: append(code, asm.Mov.Imm(asm.R0, 0), asm.Return())})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func programID(t testing.TB, p *ebpf.Program) uint32 {
	t.Helper()
	info, err := p.Info()
	if err != nil {
		t.Fatal(err)
	}
	id, _ := info.ID()
	return uint32(id)
}

// Programs that use a map are its holders, also one that uses more maps than most.
func TestHoldersPrograms(t *testing.T) {
	e := kerneltest.Engine(t)
	m, other := hash(t, e), hash(t, e)
	a := uses(t, "holds_a", m)
	many := []engine.Map{m, other}
	for len(many) < 64 { // which is the most that a program can name
		many = append(many, kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, "array"), KeySize: 4, ValueSize: 4, MaxEntries: 1}))
	}
	b := uses(t, "holds_b", many...)
	bound := hash(t, e)
	if err := b.BindMap(twin(t, bound)); err != nil {
		t.Fatal(err)
	}
	many = append(many, bound)
	_, programs, _ := holders(t, e, m)
	want := []engine.Program{{ID: programID(t, a), Name: "holds_a", Type: 1}, {ID: programID(t, b), Name: "holds_b", Type: 1}}
	if !slices.Equal(programs, want) {
		t.Errorf("got %v, want %v", programs, want)
	}
	for _, used := range many[1:] {
		if _, programs, _ = holders(t, e, used); !slices.Equal(programs, want[1:]) {
			t.Fatalf("got %v, want %v", programs, want[1:])
		}
	}
	b.Close()
	if _, programs, _ = holders(t, e, other); len(programs) > 0 {
		t.Errorf("%v has no holder any more, and yet %v", other.Info().ID, programs)
	}
}

// A process with a map open is told once, under the name that it has given itself.
func TestHoldersProcesses(t *testing.T) {
	e := kerneltest.Engine(t)
	m, other := hash(t, e), hash(t, e)
	const comm = "ev\x1b]0;il\x07\xff \n"
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip(err)
	}
	named := filepath.Join(t.TempDir(), comm)
	if err := os.Symlink(sleep, named); err != nil {
		t.Fatal(err)
	}
	file := func() *os.File {
		fd, err := unix.FcntlInt(uintptr(twin(t, m).FD()), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		f := os.NewFile(uintptr(fd), "map")
		t.Cleanup(func() { f.Close() })
		return f
	}
	child := exec.Command(named, "60")
	child.ExtraFiles = []*os.File{file(), file()}
	child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Wait()
	defer child.Process.Kill()
	self := engine.ThisProcess()
	want := []engine.Process{self, {PID: uint32(child.Process.Pid), Comm: comm}}
	if want[0].PID > want[1].PID {
		slices.Reverse(want)
	}
	among := func(m engine.Map) []engine.Process { // of these: others look at every map at times
		_, _, processes := holders(t, e, m)
		return slices.DeleteFunc(slices.Clone(processes), func(p engine.Process) bool { return !slices.Contains(want, p) })
	}
	if processes := among(m); !slices.Equal(processes, want) {
		t.Errorf("got %+v, want %+v", processes, want)
	}
	if processes := among(other); !slices.Equal(processes, []engine.Process{self}) {
		t.Errorf("another map is open in %v, want %v", processes, self)
	}
}

// Pins are found in a bpffs that is mounted nowhere, once something was pinned or opened there; programs and links that are
// pinned beside are none of maps.
func TestHoldersPins(t *testing.T) {
	e := kerneltest.Engine(t)
	dir := kerneltest.BPFFS(t)
	m, other := hash(t, e), hash(t, e)
	deep := filepath.Join(dir, "deep", "er")
	if err := os.MkdirAll(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	for path, m := range map[string]engine.Map{dir + "/two": m, deep + "/one": m, dir + "/other": other} {
		if err := m.Pin(path, false); err != nil {
			t.Fatal(err)
		}
	}
	p := uses(t, "pinned", m)
	if err := p.Pin(dir + "/program"); err != nil {
		t.Fatal(err)
	}
	pinLink(t, dir+"/link")
	want := []string{deep + "/one", dir + "/two"}
	if pins, _, _ := holders(t, e, m); !slices.Equal(pins, want) {
		t.Errorf("got %q, want %q", pins, want)
	}
	later := kerneltest.Engine(t)
	if pins, _, _ := holders(t, later, m); len(pins) > 0 {
		t.Errorf("an engine that knows nothing of it finds %q", pins)
	}
	opened, err := later.OpenPin(dir+"/other", true)
	if err != nil {
		t.Fatal(err)
	}
	opened.Close()
	if pins, _, _ := holders(t, later, m); !slices.Equal(pins, want) {
		t.Errorf("after one was opened there: got %q, want %q", pins, want)
	}
	if err := e.Unpin(dir + "/two"); err != nil {
		t.Fatal(err)
	}
	if pins, _, _ := holders(t, e, m); !slices.Equal(pins, want[:1]) {
		t.Errorf("got %q, want %q", pins, want[:1])
	}
}

// pinLink pins a link, which no descriptor that only reads can be had of.
func pinLink(t *testing.T, path string) {
	t.Helper()
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{Name: "pinned", Type: ebpf.Tracing, AttachType: ebpf.AttachTraceIter, AttachTo: "bpf_map",
		License: "GPL", Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	l, err := link.AttachIter(link.IterOptions{Program: p})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Pin(path); err != nil {
		t.Fatal(err)
	}
}

// holding is the variable that makes a child of the test binary of it, in a mount namespace of its own: the directory
// where it mounts a bpffs.
const holding = "BPFSH_TEST_HOLDERS_IN"

// mounted pins a map in a bpffs that is mounted twice, the second time a part of it, and below another mount; and says where
// it is pinned.
func mounted(dir string) string {
	e := &kernel.Engine{}
	var failed error
	do := func(err error) {
		if failed == nil {
			failed = err
		}
	}
	fs, part, over := dir+"/a b\tc", dir+"/part", dir+"/over"
	for _, dir := range []string{fs, part, over} {
		do(os.Mkdir(dir, 0o700))
	}
	do(unix.Mount("bpf", over, "bpf", 0, ""))
	do(unix.Mount("tmpfs", over, "tmpfs", 0, "")) // hides it
	do(unix.Mount("bpf", fs, "bpf", 0, ""))
	do(os.Mkdir(fs+"/sub", 0o700))
	do(unix.Mount(fs+"/sub", part, "", unix.MS_BIND, ""))
	do(os.Mkdir(fs+"/tmp", 0o700))
	do(unix.Mount("tmpfs", fs+"/tmp", "tmpfs", 0, ""))
	do(os.WriteFile(fs+"/tmp/x", nil, 0o600))
	m, err := e.Create(engine.Spec{Type: 1, Name: "mounted", KeySize: 4, ValueSize: 4, MaxEntries: 1})
	if err != nil {
		return err.Error()
	}
	defer m.Close()
	do(m.Pin(fs+"/pin", false))
	do(m.Pin(part+"/pin", false))
	h, err := e.Holders()
	do(err)
	do(os.Remove(fs + "/pin"))
	do(os.Remove(fs + "/sub/pin"))
	return fmt.Sprintf("%q %v %v", h.Pins.By[m.Info().ID], h.Pins.Partial, failed)
}

func TestHoldersMounted(t *testing.T) {
	kerneltest.Engine(t)
	dir := t.TempDir()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), holding+"="+dir, "GORACE=atexit_sleep_ms=0")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
	out, err := cmd.Output()
	if err != nil {
		kerneltest.Skip(t, "a mount namespace is not permitted", err)
	}
	want := fmt.Sprintf("%q false <nil>", []string{dir + "/a b\tc/pin", dir + "/a b\tc/sub/pin"})
	if string(out) != want {
		t.Errorf("got %s, want %s", out, want)
	}
}

// heldWithout is the variable of a child that becomes a user without rights: "hidepid" lets /proc hide the processes of
// others from it.
const heldWithout = "BPFSH_TEST_HOLDERS_WITHOUT"

// seen says what may be seen of the holders of maps.
func seen(how string) string {
	if how == "hidepid" {
		if err := unix.Mount("proc", "/proc", "proc", 0, "hidepid=2"); err != nil {
			return err.Error()
		}
	}
	const nobody = 65534
	if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(nobody), syscall.Setuid(nobody)); err != nil {
		return err.Error()
	}
	h, err := new(kernel.Engine).Holders()
	return fmt.Sprint(len(h.Programs.By), h.Programs.Partial, len(h.Hidden) > 0, h.Processes.Partial, err)
}

// Who may not look into others is told so, and not that there is nothing.
func TestHoldersHidden(t *testing.T) {
	e := kerneltest.Engine(t)
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	uses(t, "hidden", hash(t, e))
	for how, want := range map[string]string{"plain": "0 true true true <nil>", "hidepid": "0 true false true <nil>"} {
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(os.Environ(), heldWithout+"="+how, "GORACE=atexit_sleep_ms=0")
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
		if out, err := cmd.Output(); err != nil || string(out) != want {
			t.Errorf("%s: got %q, %v; want %q", how, out, err, want)
		}
	}
}

// A mountinfo that is not as the kernel writes it is passed over.
func TestMountinfo(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"", ""},
		{"31 30 0:26 / /nowhere/bpf rw,nosuid shared:9 - bpf bpf rw,mode=700\n", "/nowhere/bpf"},
		{"31 30 0:26 / /nowhere/a\\040b\\134c\\011d rw - bpf none rw\n", "/nowhere/a b\\c\td"},
		{"31 30 0:26 / /nowhere/x\\04 rw - bpf none rw\n", "/nowhere/x\\04"},
		{"31 30 0:26 / /nowhere/bpf rw - tmpfs bpf rw\n", ""},
		{"31 30 0:26 / /nowhere/one rw - bpf bpf rw\n32 30 0:26 /sub /nowhere/two rw - bpf bpf rw\n33 30 0:27 / /nowhere/three rw - bpf bpf rw\n", "/nowhere/one|/nowhere/three"},
		{"31 30 0:26 /sub /nowhere/one rw - bpf bpf rw\n32 30 0:26 /subject /nowhere/two rw - bpf bpf rw\n", "/nowhere/one|/nowhere/two"},
		{"31 30 0:99999 / / rw - bpf bpf rw\n", ""}, // something else is there
		{"31 30 x:y / /nowhere rw - bpf bpf rw\n31 30\n - bpf \n", ""},
	} {
		if got := strings.Join(kernel.BPFFSMounts(row.text), "|"); got != row.want {
			t.Errorf("%q\n got %q\nwant %q", row.text, got, row.want)
		}
	}
}
