package kernel_test

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"golang.org/x/sys/unix"
)

// dropped is the variable that makes a child of the test binary of it: capabilities to do without.
const dropped = "BPFSH_TEST_DROPPED_CAPABILITIES"

// missingWithout drops capabilities and says what is missing then of each of some rights.
func missingWithout(list string) string {
	runtime.LockOSThread() // the capabilities are a thread's
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return err.Error()
	}
	for _, field := range strings.Fields(list) {
		if c, err := strconv.Atoi(field); err == nil {
			data[c/32].Effective &^= 1 << (c % 32)
		}
	}
	if err := unix.Capset(&header, &data[0]); err != nil {
		return err.Error()
	}
	var told []string
	for _, r := range []*engine.Right{engine.RunningEach, engine.MakingNetwork, engine.Finding} {
		told = append(told, new(kernel.Engine).Missing(r))
	}
	return strings.Join(told, "; ")
}

func TestMissing(t *testing.T) {
	e := kerneltest.Engine(t)
	if e.Missing(engine.Finding) != "" {
		kerneltest.Skip(t, "capabilities are missing already", unix.EPERM)
	}
	const outside = " outside its user namespace"
	for _, c := range []struct {
		drop  string
		flags uintptr
		want  string
	}{
		{"", 0, "; ; "},
		{"0 1 39", 0, "; ; "}, // CAP_SYS_ADMIN is enough: before Linux 5.8 there was no CAP_BPF
		{"39 12", 0, "; CAP_NET_ADMIN; "},
		{"21", 0, "; ; CAP_SYS_ADMIN"},
		{"21 39", 0, "CAP_BPF; CAP_BPF; CAP_SYS_ADMIN"},
		{"21 12 39", 0, "CAP_BPF; CAP_BPF, CAP_NET_ADMIN; CAP_SYS_ADMIN"},
		{"", unix.CLONE_NEWUSER, "CAP_BPF" + outside + "; CAP_BPF, CAP_NET_ADMIN" + outside + "; CAP_SYS_ADMIN" + outside},
	} {
		t.Run(c.drop+" "+c.want, func(t *testing.T) {
			cmd := exec.Command("/proc/self/exe")
			cmd.Env = append(os.Environ(), dropped+"="+c.drop, "GORACE=atexit_sleep_ms=0")
			if c.flags != 0 {
				cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: c.flags, UidMappings: []syscall.SysProcIDMap{{Size: 1}}}
			}
			out, err := cmd.Output()
			if err != nil && c.flags != 0 {
				t.Skipf("a user namespace is not permitted: %v", err)
			}
			if err != nil || string(out) != c.want {
				t.Errorf("got %q, %v; want %q", out, err, c.want)
			}
		})
	}
}
