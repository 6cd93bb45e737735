// Command init is the first process of a virtual machine. It makes what a Linux system has, runs the tests that
// /plan names, writes what they print to the second serial port, and ends the machine.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

func main() {
	if os.Getpid() != 1 {
		if err := runPlan(os.Stdout); err != nil {
			fmt.Fprintf(os.Stderr, "init: %v\n", err)
			os.Exit(1)
		}
		return
	}
	if err := first(); err != nil {
		fmt.Fprintf(os.Stderr, "init: %v\n", err) // to the console
	}
	unix.Sync()
	unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART) // qemu ends instead
}

// mounts are what every system has, in this order.
var mounts = []struct{ dir, kind, data string }{
	{"/proc", "proc", ""},
	{"/sys", "sysfs", ""},
	{"/dev", "devtmpfs", ""},
	{"/dev/pts", "devpts", "ptmxmode=0666"},
	{"/tmp", "tmpfs", "mode=1777"},
	{"/sys/fs/bpf", "bpf", "mode=0700"},
	{"/sys/fs/cgroup", "cgroup2", ""},
}

// files are what programs ask for users and hosts.
var files = map[string]string{
	"/etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
	"/etc/group":  "root:x:0:\nnogroup:x:65534:\n",
	"/etc/hosts":  "127.0.0.1 localhost\n",
}

// links are other names of what there is.
var links = map[string]string{
	"/usr/bin": "/bin",
	"/dev/fd":  "/proc/self/fd",
}

// first is the work of the first process: it sets the system up, starts another that runs the plan, and takes up
// processes that nobody else waits for.
func first() error {
	for _, m := range mounts {
		if err := errors.Join(os.MkdirAll(m.dir, 0o755), unix.Mount(m.kind, m.dir, m.kind, 0, m.data)); err != nil {
			return fmt.Errorf("mount %s: %w", m.dir, err)
		}
	}
	for name, text := range files {
		if err := errors.Join(os.MkdirAll("/etc", 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
			return err
		}
	}
	for name, target := range links {
		if err := errors.Join(os.MkdirAll(path.Dir(name), 0o755), os.Symlink(target, name)); err != nil {
			return err
		}
	}
	if err := errors.Join(os.MkdirAll("/root", 0o700), unix.Sethostname([]byte("virtual")), loopbackUp()); err != nil {
		return err
	}
	out, err := serialPort("/dev/ttyS1")
	if err != nil {
		return err
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = []string{"PATH=/bin", "HOME=/root", "TMPDIR=/tmp", "LANG=C.UTF-8", "BPFSH_REQUIRE_KERNEL=1", "BPFSH_TEST_OWN_MACHINE=1"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	for {
		var status unix.WaitStatus
		switch pid, err := unix.Wait4(-1, &status, 0, nil); {
		case err == unix.EINTR:
		case err != nil:
			return err
		case pid == cmd.Process.Pid:
			return out.Close()
		}
	}
}

// serialPort opens a port so that what is written arrives as it is.
func serialPort(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	t, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return nil, err
	}
	t.Oflag &^= unix.OPOST
	return f, unix.IoctlSetTermios(int(f.Fd()), unix.TCSETSW, t)
}

// loopbackUp lets processes reach each other by TCP.
func loopbackUp() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, lo)
}

// runPlan runs the tests, one package after the other.
func runPlan(out io.Writer) error {
	plan, err := os.ReadFile("/plan")
	if err != nil {
		return err
	}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return err
	}
	fmt.Fprintf(out, "@kernel %s\n", unix.ByteSliceToString(u.Release[:]))
	for line := range strings.Lines(string(plan)) {
		f := strings.Split(strings.TrimSpace(line), "\t") // package, directory, binary, arguments
		fmt.Fprintf(out, "@begin %s\n", f[0])
		cmd := exec.Command("/"+f[2], strings.Fields(f[3])...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = "/"+f[1], out, out
		err := cmd.Run()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			return err
		}
		fmt.Fprintf(out, "\n@exit %d\n", cmd.ProcessState.ExitCode())
	}
	_, err = fmt.Fprintln(out, "@end")
	return err
}
