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
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"github.com/creack/pty"
)

// onTerminal runs bpfsh with a terminal for input and output, types text, and returns what the terminal got.
func onTerminal(t *testing.T, text string, args ...string) string {
	t.Helper()
	return onTerminalWith(t, nil, text, args...)
}

// onTerminalWith is onTerminal with more in the environment.
func onTerminalWith(t *testing.T, env []string, text string, args ...string) string {
	t.Helper()
	screen := openScreen(t, env, args...)
	screen.typed(text)
	return screen.rest()
}

// screen is a terminal with bpfsh on it.
type screen struct {
	t    *testing.T
	cmd  *exec.Cmd
	f    *os.File
	out  bytes.Buffer // what wait has not taken yet
	all  bytes.Buffer
	data [4096]byte
}

func openScreen(t *testing.T, env []string, args ...string) *screen {
	t.Helper()
	cmd := exec.Command("bpfsh", args...)
	cmd.Env = append(append(os.Environ(), "BPFSH_HISTORY="+filepath.Join(t.TempDir(), "history"), "TERM=xterm"), env...)
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 100})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		f.Close()
		cmd.Wait()
	})
	return &screen{t: t, cmd: cmd, f: f}
}

func (s *screen) typed(text string) {
	s.t.Helper()
	if _, err := io.WriteString(s.f, text); err != nil {
		s.t.Fatal(err)
	}
}

// wait reads until a text is on the screen, and takes away what is up to its end.
func (s *screen) wait(text string) {
	s.t.Helper()
	for {
		if i := bytes.Index(s.out.Bytes(), []byte(text)); i >= 0 {
			s.out.Next(i + len(text))
			return
		}
		n, err := s.f.Read(s.data[:])
		s.out.Write(s.data[:n])
		s.all.Write(s.data[:n])
		if err != nil {
			s.t.Fatalf("no %q on the screen:\n%q", text, s.out.String())
		}
	}
}

// rest is what is still on the screen when bpfsh has ended.
func (s *screen) rest() string {
	s.t.Helper()
	if _, err := io.Copy(io.MultiWriter(&s.out, &s.all), s.f); err != nil && !errors.Is(err, syscall.EIO) { // the other side has closed
		s.t.Fatal(err)
	}
	return s.out.String()
}

// status is the exit status, when bpfsh has ended.
func (s *screen) status() int {
	s.cmd.Wait()
	return s.cmd.ProcessState.ExitCode()
}

// TestPromptAsks has somebody at the prompt confirm what removes many entries, and says what was done. A script is not
// asked, and hears nothing.
func TestPromptAsks(t *testing.T) {
	const made = "m = create('hash', key='u32', value='u32', max_entries=9, name='flows')\rm.update_batch({1: 1, 2: 2, 3: 3})\r"
	out := onTerminal(t, made+"m.clear()\rn\r'still', m.count()\rm.clear()\ry\r'then', m.count()\rexit()\r", "--engine", "memory", "-q", "-X", "--color", "never")
	rest := out
	for _, want := range []string{
		`remove 3 entries of map "flows" (id 1)?`, "[y/N]", "it was not confirmed, and nothing was done", `("still", 3)`,
		`remove 3 entries of map "flows" (id 1)?`, "[y/N]", `clear: removed 3 entries of map "flows" (id 1)`, `("then", 0)`,
	} {
		_, after, ok := strings.Cut(rest, want)
		if !ok {
			t.Fatalf("no %q in its place on the screen:\n%q", want, out)
		}
		rest = after
	}
	script := filepath.Join(t.TempDir(), "script.star")
	if err := os.WriteFile(script, []byte(strings.ReplaceAll(made+"m.clear()\rprint(m.count())\r", "\r", "\n")), 0o666); err != nil {
		t.Fatal(err)
	}
	if out := onTerminal(t, "", "--engine", "memory", script); out != "0\r\n" {
		t.Errorf("the script's screen has %q, want 0", out)
	}
}

// shown has a table that is cut, one that is a view of records, help, warnings and an error.
const shown = `
m = create("hash", key="struct { char name[16]; u64 a_rather_long_name_of_a_field; u64 another_name_that_is_long; }", value="u32", max_entries=9)
m["x", 1, 2] = 3
show(m)
show(create("array", value="struct { u8 a_rather_long_name[60]; u8 another_rather_long_name[60]; }", max_entries=2))
help()
help("element")
help(m)
warn("careful")
[1][2]
`

// TestNoEscapes writes no escape code where there are to be no colours, nor where there is no terminal, nor on a dumb
// one.
func TestNoEscapes(t *testing.T) {
	script := filepath.Join(t.TempDir(), "shown.star")
	if err := os.WriteFile(script, []byte(shown), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, out := range map[string]string{
		"NO_COLOR":         onTerminalWith(t, []string{"NO_COLOR=1"}, "", "--engine", "memory", script),
		"--color never":    onTerminalWith(t, []string{"FORCE_COLOR=1"}, "", "--engine", "memory", "--color", "never", script),
		"TERM=dumb":        onTerminalWith(t, []string{"TERM=dumb"}, "", "--engine", "memory", script),
		"a prompt on dumb": onTerminalWith(t, []string{"TERM=dumb"}, "[x for x in range(3)]\nnobody\nexit()\n", "--engine", "memory", "-X"),
		"a pipe":           piped(t, "--engine", "memory", "--format", "table", script),
	} {
		if i := strings.IndexByte(out, '\x1b'); i >= 0 {
			t.Errorf("%s: an escape code behind %q", name, out[max(0, i-40):i+1])
		}
		if len(out) < 100 {
			t.Errorf("%s: only %q", name, out)
		}
	}
	if out := onTerminal(t, "", "--engine", "memory", script); !strings.Contains(out, "\x1b[1m") || !strings.Contains(out, "\x1b[31m") {
		t.Errorf("there are no colours on a terminal:\n%q", out)
	}
	if out := onTerminal(t, "create('array', value='u8', max_entries=1)\rexit()\r", "--engine", "memory", "-X"); !strings.Contains(out, "\x1b[1mkey") || strings.Contains(out, `\x1b`) {
		t.Errorf("the prompt's answer has no colours:\n%q", out)
	}
	if out := onTerminalWith(t, []string{"NO_COLOR=1"}, "if True: print(\"x\", 1)\r\rm = [1, 2]\rexit()\r", "--engine", "memory", "-X"); regexp.MustCompile(`\x1b\[[\d;]*m`).MatchString(out) {
		t.Errorf("a prompt has colours with NO_COLOR:\n%q", out)
	}
}

// piped is what bpfsh writes where there is no terminal: to both outputs.
func piped(t *testing.T, args ...string) string {
	t.Helper()
	out, _ := exec.Command("bpfsh", args...).CombinedOutput() // its status is of no interest
	return string(out)
}

// TestASCIITerminal writes nothing else where the locale is C.
func TestASCIITerminal(t *testing.T) {
	script := filepath.Join(t.TempDir(), "shown.star")
	if err := os.WriteFile(script, []byte(shown), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, out := range map[string]string{
		"a script": onTerminalWith(t, []string{"LC_ALL=C"}, "", "--engine", "memory", script),
		"a prompt": onTerminalWith(t, []string{"LC_ALL=C"}, "\x1b[200~def f():\n    return 1\n\nf()\x1b[201~\r.help\rexit()\r", "--engine", "memory", "-X"),
		"--help":   piped(t, "--help"), "--man": piped(t, "--man"), "--version": piped(t, "--version"),
	} {
		if i := strings.IndexFunc(out, func(r rune) bool { return r > unicode.MaxASCII }); i >= 0 {
			t.Errorf("%s: no ASCII behind %q", name, out[max(0, i-40):i+3])
		}
	}
}

// TestInterruptedLoop ends a shell's loop around bpfsh with one Ctrl-C.
func TestInterruptedLoop(t *testing.T) {
	script := filepath.Join(t.TempDir(), "loop.star")
	if err := os.WriteFile(script, []byte("print('ready')\nsleep(0)\nwhile True: pass\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", "-c", `for i in 1 2 3; do bpfsh "$0"; done; echo end`, script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	time.Sleep(50 * time.Millisecond) // into the loop
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(lines)
	if err != nil {
		t.Fatal(err)
	}
	if len(rest) > 0 {
		t.Errorf("the loop went on: %q", rest)
	}
	cmd.Wait()
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGINT {
		t.Errorf("bash ended with %v, want death by SIGINT", cmd.ProcessState)
	}
}

// TestInterruptedWalk comes back to the prompt out of a walk over a million entries.
func TestInterruptedWalk(t *testing.T) {
	needKernel(t)
	s := openScreen(t, nil, "-q", "-X", "--color", "never")
	s.typed("m = create('hash', key='u32', value='u64', max_entries=1000000, flags=BPF_F_NO_PREALLOC)\r")
	s.typed("m.update_batch({n: n for n in range(1000000)})\r")
	s.wait("1000000\r\n")
	s.typed("print('go' + 'ing') or [0 for _ in range(1 << 40) for item in m.items()]\r") // which never ends by itself
	s.wait("going\r\n")
	time.Sleep(20 * time.Millisecond)
	begin := time.Now()
	s.typed("\x03")
	s.wait("interrupted")
	s.wait("bpf> ")
	t.Logf("the prompt was back after %v", time.Since(begin))
	s.typed("exit()\r")
	s.rest()
}

// TestInterruptsInARow ends statement after statement: each Ctrl-C is the first for its own, and the prompt stays.
func TestInterruptsInARow(t *testing.T) {
	s := openScreen(t, nil, "--engine", "memory", "-q", "-X", "--color", "never")
	for i := range 6 {
		s.wait("bpf(memory)> ")
		s.typed(fmt.Sprintf("print('go%%d' %% %d)\r", i))
		s.wait(fmt.Sprintf("go%d\r\n", i))
		s.typed("print('ru' + 'ns') or [0 for _ in range(1 << 40)]\r")
		s.wait("runs\r\n")
		s.typed("\x03")
	}
	s.typed("exit(7)\r")
	if out := s.rest(); strings.Contains(out, "once more") || s.status() != 7 {
		t.Errorf("exit status %d, want 7; the screen has\n%q", s.status(), out)
	}
}

// TestPromptInput refuses a script's standard input at the prompt, where it would take what is typed next.
func TestPromptInput(t *testing.T) {
	out := onTerminal(t, "read('-')\rlist(lines('-'))\r'al' + 'ive'\rexit()\r", "--engine", "memory", "-q", "-X", "--color", "never")
	if n := strings.Count(out, "at the prompt standard input is the prompt's own"); n != 2 || !strings.Contains(out, `"alive"`) {
		t.Errorf("the screen has\n%q", out)
	}
}

// TestWatchOnDumbTerminal writes line behind line, and no escape code.
func TestWatchOnDumbTerminal(t *testing.T) {
	s := openScreen(t, []string{"TERM=dumb"}, "--engine", "memory", "-q", "-X")
	s.wait("bpf(memory)> ")
	s.typed(".watch 0.05 print('rou' + 'nd')\n")
	for range 3 {
		s.wait("every 50ms\r\nround\r\n")
	}
	s.typed("\x03")
	s.wait("bpf(memory)> ")
	s.typed("exit()\n")
	if out := s.rest(); strings.Contains(s.all.String(), "\x1b") {
		t.Errorf("there is an escape code on the screen: %q", out)
	}
}

// TestWatchWarnings draws what a statement says on standard error where it belongs: in the frame.
func TestWatchWarnings(t *testing.T) {
	s := openScreen(t, nil, "--engine", "memory", "-q", "-X", "--color", "never")
	s.wait("bpf(memory)> ")
	s.typed(".watch 0.05 print('out') or warn('be' + 'side')\r")
	for range 3 {
		s.wait("out\x1b[K\r\nbeside\x1b[K\r\n")
		s.wait("\x1b[H")
	}
	s.typed("\x03")
	s.wait("bpf(memory)> ")
	s.typed("exit()\r")
	s.rest()
}

// TestColourGoesByStream colours neither an error that goes to a file, nor what .o writes to one, whatever else is on the
// terminal.
func TestColourGoesByStream(t *testing.T) {
	master, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	defer master.Close()
	defer tty.Close()
	var stderr bytes.Buffer
	cmd := exec.Command("bpfsh", "--engine", "memory", "-c", "fail('enough')")
	cmd.Env = append(os.Environ(), "TERM=xterm")
	cmd.Stdout, cmd.Stderr = tty, &stderr
	cmd.Run() // it fails
	if got := stderr.String(); !strings.Contains(got, "enough") || strings.Contains(got, "\x1b") {
		t.Errorf("the error is %q, want it without colours", got)
	}
	file := filepath.Join(t.TempDir(), "out")
	out := onTerminal(t, ".o "+file+"\r[{'a': 1}]\rcreate('array', value='u8', max_entries=1)\r.o\rexit()\r", "--engine", "memory", "-q", "-X")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; the screen has\n%q", err, out)
	}
	if !strings.Contains(string(text), "key") || strings.Contains(string(text), "\x1b") {
		t.Errorf("the file has %q, want a table without colours", text)
	}
}
