package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// command is bpfsh as another process, in a place where any user may run it.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	dir := t.TempDir()
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	self, err := exec.LookPath("bpfsh")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "bpfsh")
	copyFile(t, self, path)
	return exec.Command(path, args...)
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

// outcome runs cmd and returns its output and exit status.
func outcome(t *testing.T, cmd *exec.Cmd) (stdout, stderr string, status int) {
	t.Helper()
	var out, report strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &report
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), report.String(), cmd.ProcessState.ExitCode()
}

// TestNotPermitted runs as a user who may not use bpf(): the error says what is missing, and the exit status is 3.
func TestNotPermitted(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	for _, row := range []struct{ code, want string }{
		{`create("array", value="u32", max_entries=1)`, "create: array: bpf() is not permitted: this process lacks CAP_BPF, CAP_SYS_ADMIN, CAP_NET_ADMIN (EPERM)"},
		{`open(1)`, "open: map id=1: bpf() is not permitted: this process lacks CAP_BPF, CAP_SYS_ADMIN, CAP_NET_ADMIN (EPERM)"},
		{`maps()`, "maps: bpf() is not permitted: this process lacks CAP_BPF, CAP_SYS_ADMIN, CAP_NET_ADMIN (EPERM)"},
	} {
		t.Run(row.code, func(t *testing.T) {
			cmd := command(t, "-c", row.code)
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			_, stderr, status := outcome(t, cmd)
			if !strings.Contains(stderr, row.want) || status != 3 {
				t.Errorf("exit status %d, %q; want 3 and %q", status, stderr, row.want)
			}
		})
	}
	cmd := command(t, "-c", `print(catch(maps)[1].errno); 1 + 1`)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if stdout, stderr, status := outcome(t, cmd); stdout != "EPERM\n2\n" || status != 0 {
		t.Errorf("what needs no bpf(): exit status %d, %q, %q", status, stdout, stderr)
	}
}

// TestMount pins in /sys/fs/bpf where nothing is mounted there: in a mount namespace of its own, which takes the
// bpffs and the pin with it.
func TestMount(t *testing.T) {
	needKernel(t)
	const code = `
m = create("array", value="u32", max_entries=1, name="mounted")
m.pin("/sys/fs/bpf/bpfsh_test_mount")
print(open("/sys/fs/bpf/bpfsh_test_mount") == m)
m.unpin()
`
	for _, row := range []struct {
		args   []string
		stdout string
		stderr string
		status int
	}{
		{nil, "True\n", "bpfsh: mounted a bpffs at /sys/fs/bpf\n", 0},
		{[]string{"--no-mount"}, "", "/sys/fs/bpf is not on a bpffs\n", 1},
	} {
		t.Run(strings.Join(row.args, " "), func(t *testing.T) {
			cmd := command(t, append(row.args, "-c", code)...)
			// What the machine has mounted there goes, for this process alone.
			cmd = exec.Command("sh", append([]string{"-c", `umount /sys/fs/bpf 2>/dev/null; exec "$0" "$@"`}, cmd.Args...)...)
			cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
			stdout, stderr, status := outcome(t, cmd)
			if stdout != row.stdout || !strings.Contains(stderr, row.stderr) || status != row.status {
				t.Errorf("exit status %d, %q, %q; want %d, %q, %q", status, stdout, stderr, row.status, row.stdout, row.stderr)
			}
		})
	}
}
