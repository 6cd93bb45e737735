package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"bpfsh/builtins/engine/kernel/kerneltest"

	"golang.org/x/sys/unix"
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
		{`create("queue", value="u32", max_entries=1)`, "create: queue: bpf() is not permitted: this process lacks CAP_BPF; --engine memory runs the same script without the kernel (EPERM)"},
		{`create("devmap", max_entries=1)`, "create: devmap: bpf() is not permitted: this process lacks CAP_BPF, CAP_NET_ADMIN; --engine memory runs the same script without the kernel (EPERM)"},
		{`open(1)`, "open: map id=1: not permitted: this process lacks CAP_SYS_ADMIN (EPERM)"},
		{`maps()`, "maps: not permitted: this process lacks CAP_SYS_ADMIN (EPERM)"},
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

// TestEngineWithoutPermission runs the tour as a user who may not use bpf(): on the memory engine, as --engine auto
// says in one line.
func TestEngineWithoutPermission(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	for _, row := range []struct{ engine, stderr string }{
		{"memory", ""},
		{"auto", "bpfsh: bpf() is not permitted (this process lacks CAP_BPF): the maps are in this process (--engine memory), and none of the kernel's changes\n"},
	} {
		t.Run(row.engine, func(t *testing.T) {
			cmd := command(t, "--engine", row.engine)
			script := filepath.Join(filepath.Dir(cmd.Path), "tour.star")
			copyFile(t, "../../scripts/tour.star", script)
			cmd.Args = append(cmd.Args, script)
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			stdout, stderr, status := outcome(t, cmd)
			if status != 0 || stderr != row.stderr || !strings.Contains(stdout, "# freeze:") {
				t.Errorf("exit status %d, %q, %q; want 0 and %q", status, stdout, stderr, row.stderr)
			}
		})
	}
}

// TestCapabilities runs as a user who has some of root's capabilities: what wants another one names it.
func TestCapabilities(t *testing.T) {
	needKernel(t)
	if os.Getuid() != 0 {
		t.Skip("only root can give capabilities away")
	}
	const (
		hash   = `m = create("hash", key="u32", value="u32", max_entries=1 << 16); m[1] = 1; `
		locked = `m = create("hash", key="u32", value="struct { u32 n; struct bpf_spin_lock lock; }", max_entries=8); `
		device = `m = create("devmap", max_entries=8); `
		nested = `m = create("array_of_maps", max_entries=8, inner=create("array", value="u32", max_entries=1)); `
		lacks  = "a program that does it is not permitted: this process lacks "
	)
	bpf, net, perf := uintptr(unix.CAP_BPF), uintptr(unix.CAP_NET_ADMIN), uintptr(unix.CAP_PERFMON)
	for _, row := range []struct {
		name   string
		caps   []uintptr
		code   string
		want   string // of standard output, or error
		status int
		since  string
	}{
		{"BPF/hash", []uintptr{bpf}, hash + `m.kernel.update(1, 2); m.kernel.add(1, 5); print(m.kernel.lookup(1), m.kernel.count(), list(m.kernel.items()))`, "7 1 [(1, 7)]", 0, "5.13"},
		{"BPF/count", []uintptr{bpf}, hash + `print(m.count())`, "1\n", 0, ""},
		{"BPF+PERFMON/count", []uintptr{bpf, perf}, hash + `print(m.count())`, "1\n", 0, ""},
		{"BPF/info", []uintptr{bpf}, hash + `i = m.info(holders=True); print(i.programs, len(i.processes))`, "None 1", 0, ""}, // programs are for CAP_SYS_ADMIN to list
		{"BPF/lock", []uintptr{bpf}, locked + `m.kernel.lookup(1)`, lacks + "CAP_NET_ADMIN, CAP_PERFMON (EPERM)", 3, ""},
		{"BPF+NET_ADMIN+PERFMON/lock", []uintptr{bpf, net, perf}, locked + `print(m.kernel.lookup(1))`, "None\n", 0, ""},
		{"BPF+NET_ADMIN/devmap", []uintptr{bpf, net}, device + `print(m.kernel.lookup(1))`, "None\n", 0, ""},
		{"BPF/nested", []uintptr{bpf}, nested + `m.kernel.lookup(1)`, lacks + "CAP_PERFMON (EPERM)", 3, ""},
		{"BPF+PERFMON/nested", []uintptr{bpf, perf}, nested + `print(m.kernel.lookup(1))`, "None\n", 0, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.since != "" {
				kerneltest.Since(t, row.since, "bpf_for_each_map_elem")
			}
			cmd := command(t, "-c", row.code)
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}, AmbientCaps: row.caps}
			stdout, stderr, status := outcome(t, cmd)
			if !strings.Contains(stdout+stderr, row.want) || status != row.status {
				t.Errorf("exit status %d, %q, %q; want %d and %q", status, stdout, stderr, row.status, row.want)
			}
		})
	}
}

// TestHiddenTypes opens a map of another's whose types it may not read: where the lock is, is not known.
func TestHiddenTypes(t *testing.T) {
	needKernel(t)
	if os.Getuid() != 0 {
		t.Skip("only root can give capabilities away")
	}
	const script = `set -e
mount -t bpf bpf "$1"
"$0" -c 'create("hash", key="u32", value="struct { u32 n; struct bpf_spin_lock lock; }", max_entries=8, name="locked").pin("'$1'/locked")'
chmod 777 "$1" && chmod 666 "$1/locked"
exec setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=+bpf,+net_admin --ambient-caps=+bpf,+net_admin "$0" -c 'open("'$1'/locked").kernel.lookup(1)'`
	self, dir := command(t).Path, t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", script, self, dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	stdout, stderr, status := outcome(t, cmd)
	if want := "this process lacks CAP_SYS_ADMIN"; !strings.Contains(stderr, want) || status != 3 {
		t.Errorf("exit status %d, %q, %q; want 3 and %q", status, stdout, stderr, want)
	}
}

// TestPinMode opens pins whose modes permit another user to read them, or not even that: what works there is in the hint.
func TestPinMode(t *testing.T) {
	needKernel(t)
	if os.Getuid() != 0 {
		t.Skip("only root can give capabilities away")
	}
	const script = `set -e
mount -t bpf bpf "$1"
"$0" -c 'm = create("array", value="u32", max_entries=1, name="modes"); m.pin("'$1'/read"); m.pin("'$1'/none")'
chmod 755 "$1" && chmod 644 "$1/read" && chmod 600 "$1/none"
exec setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=+bpf --ambient-caps=+bpf "$0" -c '
for name in ["read", "none"]:
    for readonly in [False, True]:
        m, err = catch(open, "'$1'/" + name, readonly=readonly)
        print(m or [err.message.split(": ", 2)[2], err.hint])'`
	self, dir := command(t).Path, t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", script, self, dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	stdout, stderr, status := outcome(t, cmd)
	const none = `["the file's mode does not permit it (EACCES)", None]` + "\n"
	want := regexp.MustCompile(`^\["the file's mode permits reading alone \(EACCES\)", "open it with readonly=True"\]\n<array "modes" .*>\n` + regexp.QuoteMeta(none+none) + "$")
	if !want.MatchString(stdout) || stderr != "" || status != 0 {
		t.Errorf("exit status %d, %q, %q; want 0 and %q", status, stdout, stderr, want)
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
		as     string // what starts it
		args   []string
		stdout string
		stderr string
		status int
	}{
		{"", nil, "True\n", "bpfsh: mounted a bpffs at /sys/fs/bpf\n", 0},
		{"", []string{"--no-mount"}, "", "/sys/fs/bpf is not on a bpffs\n", 1},
		{"", []string{"--dry-run"}, "True\nplan: create array \"mounted\" key=u32 value=u32 max_entries=1\n" +
			"plan: mount a bpffs at /sys/fs/bpf\nplan: pin map \"mounted\" at /sys/fs/bpf/bpfsh_test_mount\nplan: unpin map \"mounted\" from /sys/fs/bpf/bpfsh_test_mount\n", "", 0},
		{"", []string{"--dry-run", "--format", "jsonl"}, "True\n" + `{"op":"create","map":"mounted","id":2147483648,"type":"array","key_type":"u32","value_type":"u32","max_entries":1,"flags":0,"map_extra":0,"gone":false}` + "\n" + `{"op":"mount","path":"/sys/fs/bpf"}` + "\n" + `{"op":"pin","map":"mounted","id":2147483648,"type":"array","path":"/sys/fs/bpf/bpfsh_test_mount"}` + "\n" + `{"op":"unpin","map":"mounted","id":2147483648,"type":"array","path":"/sys/fs/bpf/bpfsh_test_mount"}` + "\n", "", 0},
		{"setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=+bpf --ambient-caps=+bpf", []string{"--dry-run"}, "plan: create array \"mounted\" key=u32 value=u32 max_entries=1\n",
			`pin: map "mounted": no bpffs is mounted at /sys/fs/bpf, and to mount one this process lacks CAP_SYS_ADMIN (EPERM)`, 1},
		{"setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=+bpf --ambient-caps=+bpf", nil, "",
			`pin: map "mounted": no bpffs is mounted at /sys/fs/bpf, and to mount one this process lacks CAP_SYS_ADMIN (EPERM)`, 1},
	} {
		t.Run(row.as+strings.Join(row.args, " "), func(t *testing.T) {
			cmd := command(t, append(row.args, "-c", code)...)
			// What the machine has mounted there goes, for this process alone.
			cmd = exec.Command("sh", append([]string{"-c", `umount /sys/fs/bpf 2>/dev/null; exec ` + row.as + ` "$0" "$@"`}, cmd.Args...)...)
			cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
			stdout, stderr, status := outcome(t, cmd)
			if stdout != row.stdout || !strings.Contains(stderr, row.stderr) || status != row.status {
				t.Errorf("exit status %d, %q, %q; want %d, %q, %q", status, stdout, stderr, row.status, row.stdout, row.stderr)
			}
		})
	}
}
