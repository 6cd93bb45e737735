package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"bpfsh/builtins/engine/kernel"

	"golang.org/x/sys/unix"
)

// running is a script that was started, and what it prints.
type running struct {
	cmd    *exec.Cmd
	pipe   io.Closer // of stdout
	stdout *bufio.Reader
	stderr bytes.Buffer
}

// start runs a script that prints "ready" when it may be interrupted.
func start(t testing.TB, script string) *running {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script.star")
	if err := os.WriteFile(path, []byte(script), 0o666); err != nil {
		t.Fatal(err)
	}
	return startAs(t, exec.Command("bpfsh", path))
}

// startAs is start for a command that runs such a script.
func startAs(t testing.TB, cmd *exec.Cmd) *running {
	t.Helper()
	r := &running{cmd: cmd}
	r.cmd.Stderr = &r.stderr
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	r.pipe, r.stdout = out, bufio.NewReader(out)
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.cmd.Process.Kill() })
	if line, err := r.stdout.ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("the script printed %q, %v; want ready; stderr: %s", line, err, &r.stderr)
	}
	time.Sleep(50 * time.Millisecond) // into what comes behind it
	return r
}

// kill sends the signal and returns what the script still printed, how it ended, and how long that took.
func (r *running) kill(t testing.TB, sig unix.Signal) (string, unix.WaitStatus, time.Duration) {
	t.Helper()
	begin := time.Now()
	if err := r.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	var rest bytes.Buffer
	if _, err := rest.ReadFrom(r.stdout); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := r.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return rest.String(), unix.WaitStatus(r.cmd.ProcessState.Sys().(syscall.WaitStatus)), time.Since(begin)
}

// TestSignals interrupts scripts in what may take for ever. Each ends by the signal itself, after what it deferred; how
// soon, BenchmarkInterrupt measures.
func TestSignals(t *testing.T) {
	for _, row := range []struct {
		name, script string
		signal       unix.Signal
		kernel       bool
		stdout       string
		stderr       string // a pattern
	}{
		{"loop", "while True: len('')", unix.SIGINT, false, "deferred\n", `^\S+script.star:[0-9]+:[0-9]+: interrupted\n`},
		{"loop", "while True: len('')", unix.SIGTERM, false, "deferred\n", `script.star:[0-9]+:[0-9]+: terminated\n`},
		{"hangup", "while True: len('')", unix.SIGHUP, false, "deferred\n", `script.star:[0-9]+:[0-9]+: stopped by SIGHUP\n`},
		{"sleep", "sleep(3600)", unix.SIGINT, false, "deferred\n", `script.star:5:6: interrupted\n`},
		{"catch", "while True: catch(sleep, 3600)", unix.SIGINT, false, "deferred\n", `interrupted\n`},
		{"comprehension", "[1 for i in range(1 << 40)]", unix.SIGINT, false, "deferred\n", `script.star:[0-9]+:[0-9]+: interrupted\n`},
		{"show", "show(create('array', value='u64', max_entries=2000000), limit=None, format='table')", unix.SIGINT, true, "deferred\n", `interrupted\n`},
		{"show", "m = create('array', value='u64', max_entries=2000000)\nshow(snapshot(m), limit=None, format='markdown')", unix.SIGTERM, true, "deferred\n", `terminated\n`},
		{"walk", "m = create('array', value='u8', max_entries=1000000)\nwhile True: sum(m.values())", unix.SIGINT, true, "deferred\n", `interrupted\n`},
	} {
		t.Run(row.name+"/"+row.signal.String(), func(t *testing.T) {
			if row.kernel {
				needKernel(t)
			}
			r := start(t, "defer(print, 'deferred')\nprint('ready')\nsleep(0)\n\n"+row.script)
			stdout, status, took := r.kill(t, row.signal)
			t.Logf("ended after %v", took)
			if !status.Signaled() || status.Signal() != row.signal {
				t.Errorf("it ended with %v, want death by %v", status, row.signal)
			}
			if stdout != row.stdout {
				t.Errorf("it printed %q, want %q", stdout, row.stdout)
			}
			if !regexp.MustCompile(row.stderr).MatchString(r.stderr.String()) {
				t.Errorf("it reported %q, want %q", r.stderr.String(), row.stderr)
			}
		})
	}
}

// TestSignalsIgnored leaves alone the signals that were ignored when it was started: those of nohup, and of a job behind a
// script's &.
func TestSignalsIgnored(t *testing.T) {
	path := filepath.Join(t.TempDir(), "script.star")
	if err := os.WriteFile(path, []byte("defer(print, 'deferred')\nprint('ready')\nsleep(0)\nfor line in lines('-'):\n    print(line)\n    sleep(0)"), 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", `trap "" INT HUP; exec bpfsh "$0"`, path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	r := startAs(t, cmd)
	for _, sig := range []unix.Signal{unix.SIGINT, unix.SIGHUP} {
		if err := r.cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.WriteString(in, "it goes on\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := r.stdout.ReadString('\n'); err != nil || line != "it goes on\n" {
		t.Fatalf("it printed %q, %v; stderr: %s", line, err, &r.stderr)
	}
	if stdout, status, _ := r.kill(t, unix.SIGTERM); status.Signal() != unix.SIGTERM || stdout != "deferred\n" || !strings.Contains(r.stderr.String(), "terminated") {
		t.Errorf("it ended with %v, printed %q and %q", status, stdout, r.stderr.String())
	}
}

// TestInterruptBatch interrupts one batch of two million entries: it stops between two calls of the kernel, says how many
// entries were done, and that many are there.
func TestInterruptBatch(t *testing.T) {
	needKernel(t)
	r := start(t, `
m = create("hash", key="u32", value="u64", max_entries=2000000, flags=BPF_F_NO_PREALLOC)
entries = [(n, n) for n in range(2000000)]
defer(lambda: print("count", m.count()))
print("ready")
print(m.id)
sleep(0)
m.update_batch(entries)
print("done")
`)
	line, err := r.stdout.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	id, err := strconv.ParseUint(strings.TrimSpace(line), 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	m, err := (&kernel.Engine{}).OpenID(uint32(id), true)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for m.Lookup(make([]byte, 4), make([]byte, 8), 0) != nil { // until the first entry is there
		time.Sleep(time.Millisecond)
	}
	stdout, status, took := r.kill(t, unix.SIGINT)
	t.Logf("ended after %v: %s", took, r.stderr.String())
	if !status.Signaled() || status.Signal() != unix.SIGINT {
		t.Fatalf("it ended with %v, want death by SIGINT; it printed %q", status, stdout)
	}
	count := regexp.MustCompile(`stopped after (\d+) of 2000000: interrupted`).FindStringSubmatch(r.stderr.String())
	if count == nil {
		t.Fatalf("it reported %q, want how many of 2000000 were done", r.stderr.String())
	}
	if n, err := strconv.Atoi(count[1]); err != nil || n == 0 || n == 2000000 {
		t.Errorf("%s of 2000000 were done, want some and not all", count[1])
	}
	if want := "count " + count[1] + "\n"; stdout != want {
		t.Errorf("it printed %q, want %q", stdout, want)
	}
}

// TestThirdSignal ends the process, whatever it does: what was deferred does not run then.
func TestThirdSignal(t *testing.T) {
	r := start(t, "defer(print, 'deferred')\nprint('ready')\nsleep(0)\nmax(range(1 << 40))\n")
	for range 2 {
		if err := r.cmd.Process.Signal(unix.SIGINT); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	stdout, status, _ := r.kill(t, unix.SIGINT)
	if !status.Signaled() || status.Signal() != unix.SIGINT || stdout != "" {
		t.Errorf("it ended with %v and printed %q, want death by SIGINT and no deferred call", status, stdout)
	}
	if !strings.Contains(r.stderr.String(), "still stopping; once more ends it at once") {
		t.Errorf("it reported %q, want a word before the last signal", r.stderr.String())
	}
}

// TestBrokenPipe ends a script whose output nobody reads by SIGPIPE, without a word, after what it deferred.
func TestBrokenPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deferred")
	r := start(t, fmt.Sprintf("defer(write, %q, 'ran')\nprint('ready')\nsleep(0)\nwhile True: print('more')\n", path))
	r.pipe.Close()
	r.cmd.Wait()
	status := r.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !status.Signaled() || status.Signal() != unix.SIGPIPE || r.stderr.Len() > 0 {
		t.Errorf("it ended with %v and reported %q, want death by SIGPIPE and no word", status, &r.stderr)
	}
	if text, err := os.ReadFile(path); string(text) != "ran" {
		t.Errorf("the deferred call wrote %q, %v; want ran", text, err)
	}
}

// TestBlockedOutput ends a script that waits for a pipe that nobody reads.
func TestBlockedOutput(t *testing.T) {
	r := start(t, "print('ready')\nsleep(0)\nwhile True: print('x' * 100000)\n")
	if err := r.cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Wait(); err == nil {
		t.Error("it ended as if all were well")
	}
	if status := r.cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != unix.SIGTERM {
		t.Errorf("it ended with %v, want death by SIGTERM", status)
	}
}

// TestBlockedInput interrupts a script that waits for standard input, which nobody writes.
func TestBlockedInput(t *testing.T) {
	for _, code := range []string{"read('-')", "list(lines('-'))", "print([l for l in lines('-')])"} {
		t.Run(code, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "script.star")
			if err := os.WriteFile(path, []byte("defer(print, 'deferred')\n"+code), 0o666); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("bpfsh", "--timeout", "50ms", path)
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			stdout, stderr, status := outcome(t, cmd)
			if stdout != "deferred\n" || !strings.Contains(stderr, "the time limit was reached\n") || status != 1 {
				t.Errorf("exit status %d, %q, %q; want 1, and the deferred call", status, stdout, stderr)
			}
		})
	}
}

// TestSecondSignal ends deferred calls that do not end.
func TestSecondSignal(t *testing.T) {
	r := start(t, "defer(print, 'last')\ndefer(lambda: sleep(3600))\nprint('ready')\nsleep(3600)\n")
	for range 2 {
		if err := r.cmd.Process.Signal(unix.SIGINT); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	var rest strings.Builder
	if _, err := r.stdout.WriteTo(&rest); err != nil {
		t.Fatal(err)
	}
	r.cmd.Wait()
	if rest.String() != "last\n" {
		t.Errorf("it printed %q, want the last deferred call's line", rest.String())
	}
}

// TestSignalWhileReading interrupts the command when it has read a part of the script from a pipe, and waits for the rest.
func TestSignalWhileReading(t *testing.T) {
	cmd := exec.Command("bpfsh")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	if _, err := io.WriteString(in, "print(1)\n"); err != nil {
		t.Fatal(err)
	}
	for { // until it has taken what was written
		left, err := unix.IoctlGetInt(int(in.(*os.File).Fd()), unix.TIOCINQ)
		if err != nil {
			t.Fatal(err)
		}
		if left == 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err := cmd.Process.Signal(unix.SIGINT); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("it goes on reading")
	}
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != unix.SIGINT {
		t.Errorf("it ended with %v, want death by SIGINT", cmd.ProcessState)
	}
}
