package repl

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chzyer/readline"
	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

const (
	keyCtrlC  = "\x03"
	keyCtrlD  = "\x04"
	keyUp     = "\x1b[A"
	keyDelete = "\x1b[3~"
)

func bracketed(text string) string { return "\x1b[200~" + text + "\x1b[201~" }

func newHistory(t *testing.T) string { return filepath.Join(t.TempDir(), "history") }

func TestEditor(t *testing.T) {
	term := openTerminal(t, newHistory(t), nil)
	term.enter(`print("o" + "ne")`, "one\r\n")

	// The lines of a block come indented.
	term.enter("def f(x):", promptNext+"    ")
	term.enter("return x * 2", promptNext+"    ")
	term.enter("", promptFirst)
	term.enter("f(2100 + 1)", "4202\r\n")

	// Keys that move: Home, End, Ctrl with an arrow, Delete.
	term.enter("rint(12345)\x1b[1~p\x1b[4~ + None"+strings.Repeat("\x7f", 7), "12345\r\n")
	term.enter("print(1, 22, 333)\x1b[1;5D\x1b[1;5D"+keyDelete+"4", "1 42 333\r\n")

	// TAB goes to the next indentation, and does nothing elsewhere.
	term.enter("def g():", promptNext+"    ")
	term.enter("if True:", promptNext+"        ")
	term.enter("\x7f\x7f\x7f\x7f\x7f\x7f\treturn 'g\t' * 3", "want indent")

	term.leave()
}

func TestEditorDrops(t *testing.T) {
	term := openTerminal(t, newHistory(t), nil)
	// A search where there is no history yet.
	term.press("\x12\x07\x13\x07\x12\x03")

	// Delete on an empty line, NUL, Ctrl-Z, Ctrl-T and others do nothing at all.
	term.enter(keyDelete+"\x00\x1a\x14"+keyDelete+`print("a`+"\x14\x14\x16\x18\x1bx\x1b[15~"+`" + "b")`, "ab\r\n")

	// Delete on a line that has become empty in the same write.
	term.press("a\x7f" + keyDelete + "b\x7f" + keyDelete)
	term.enter(`print("c" + "d")`, "cd\r\n")

	// Ctrl-R and Ctrl-G, with and without anything to find; Delete and a paste in a search.
	term.enter("\x12\x07\x12zzz\x07\x13\x07\x12c"+keyDelete+"\x12c"+bracketed(`print("e" + "f")`), "ef\r\n")
	term.leave()
}

func TestEditorCtrlC(t *testing.T) {
	term := openTerminal(t, newHistory(t), nil)
	term.enter("x = 6 * 7", promptFirst)
	term.enter("def f():", promptNext)
	term.enter("x = 1", promptNext)
	term.press("return" + keyCtrlC)
	term.wait(promptFirst)
	term.enter("f", "undefined: f")
	term.enter("x + 1000", "1042\r\n")

	// While a statement runs, the terminal is not raw, and Ctrl-C is a signal.
	term.press(bracketed("print('go' + 'ing')\nwhile True:\n    pass") + "\r")
	term.wait("going\r\n")
	if term.isRaw() {
		t.Error("the terminal is raw while a statement runs")
	}
	term.write(keyCtrlC)
	term.wait("interrupt")
	term.enter(`print("al" + "ive")`, "alive\r\n")

	// At the end of input within a block nothing runs.
	term.enter("if True:", promptNext)
	term.press("\x7f\x7f\x7f\x7f" + keyCtrlD)
	term.wait("it was not run")
	term.enter("exit(5)", "bye")
	term.exit(5)
}

func TestEditorPaste(t *testing.T) {
	history := newHistory(t)
	term := openTerminal(t, history, nil)
	term.press(bracketed("def f(x):\r\n\ty = x * 2\r\n\r\n\treturn y\r\n\r\nprint('f', f(21))\r\n"))
	term.wait("\x1b[35mdef\x1b[0m f(x):\x1b[2m↵\x1b[0m    y = x * \x1b[36m2\x1b[0m\x1b[2m↵↵\x1b[0m    \x1b[35mreturn\x1b[0m y")
	term.enter("", "f 42\r\n")

	// Up brings the whole block back, and it can be edited.
	term.press(keyUp)
	term.wait("\x1b[35mdef\x1b[0m f(x):\x1b[2m↵\x1b[0m    y = x * \x1b[36m2\x1b[0m\x1b[2m↵↵\x1b[0m    \x1b[35mreturn\x1b[0m y")
	term.enter("\x7f + 100)", "f 142\r\n")
	term.enter("print('a' + 'b')", "ab\r\n")
	term.enter(keyUp+keyUp+keyUp, "f 42\r\n")

	// A block that was begun with a recalled line is remembered as it was entered.
	term.enter("if 1: print('c' + 'd')", promptNext)
	term.enter("", "cd\r\n")
	term.enter(keyUp, promptNext)
	term.enter("else: print('no')", promptNext)
	term.enter("", "cd\r\n")
	term.enter(keyUp, "cd\r\n")
	term.leave()

	text, err := os.ReadFile(history)
	if err != nil {
		t.Fatal(err)
	}
	block := `def f(x):\n    y = x * 2\n\n    return y\n\nprint('f', f(21`
	want := `"` + block + `))"` + "\n" + `"` + block + `) + 100)"` + "\n" + `"print('a' + 'b')"` + "\n" + `"` + block + `))"` + "\n" +
		`"if 1: print('c' + 'd')"` + "\n" + `"if 1: print('c' + 'd')\nelse: print('no')"` + "\n"
	if string(text) != want {
		t.Errorf("the history holds\n%swant\n%s", text, want)
	}

	// So does another session.
	term = openTerminal(t, history, nil)
	term.enter(keyUp, "cd\r\n")
	term.enter("\x12f(21\x12\x12", "f 42\r\n")
	term.enter("f(1)", "2\r\n")
	term.leave()
}

// TestEditorUnmarkedPaste pastes from a terminal that does not mark it: the lines' own indentation counts. What is
// typed ahead without one is indented as ever.
func TestEditorUnmarkedPaste(t *testing.T) {
	term := openTerminal(t, newHistory(t), nil)
	term.press("def f(x):\r    if x:\r        for i in range(2):\r            x += i\r    return x\r\rz = f(4)\r")
	term.enter("print(z + 1000)", "1005\r\n")
	term.press("def g():\rreturn 3\r\r")
	term.enter("print(g() + 2000)", "2003\r\n")
	term.leave()
}

func TestEditorPasteIsFast(t *testing.T) {
	term := openTerminal(t, newHistory(t), nil)
	var sb strings.Builder
	for i := 0; sb.Len() < 20_000; i++ {
		fmt.Fprintf(&sb, "\tx%d = [i * %d for i in range(3)]\n", i, i)
	}
	before := term.written()
	term.press(bracketed("def f():\n" + sb.String() + "\treturn 6\n\nprint('do' + 'ne')\n"))
	term.enter("", "done\r\n")
	if n := term.written() - before; n >= 10*sb.Len() {
		t.Errorf("a paste of %d bytes writes %d, want less than 10 times as much", sb.Len(), n)
	}
	term.enter("f() * 111", "666\r\n")
	term.leave()
}

func TestEditorRestore(t *testing.T) {
	for _, test := range []struct{ name, keys string }{
		{"in a line", "print('half"},
		{"in a statement", bracketed("print('go' + 'ing')\nwhile True:\n    pass") + "\r"},
	} {
		t.Run(test.name, func(t *testing.T) {
			term := openTerminal(t, newHistory(t), nil)
			term.press(test.keys)
			if strings.HasSuffix(test.keys, "\r") {
				term.wait("going\r\n")
			} else {
				term.wait("half")
			}
			if err := term.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			term.wait("bye")
			term.exit(0)
			if text := term.text(); strings.LastIndex(text, "\x1b[?2004h") > strings.LastIndex(text, "\x1b[?2004l") {
				t.Error("bracketed paste is left on")
			}
		})
	}
}

// TestEditorKilled leaves no raw terminal behind.
func TestEditorKilled(t *testing.T) {
	term := openTerminal(t, newHistory(t), func(cmd *exec.Cmd) { // a terminal goes with the process that leads its session
		cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", `"$0"; read line`, cmd.Path}
	})
	term.press("print('half")
	term.wait("half")
	leader := term.cmd.Process.Pid
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", leader, leader))
	if err != nil {
		t.Fatal(err)
	}
	prompt, err := strconv.Atoi(strings.TrimSpace(string(children)))
	if err != nil {
		t.Fatal(err)
	}
	guards := guardsOf(t, prompt)
	if len(guards) != 1 {
		t.Fatalf("guards are %v, want one", guards)
	}
	ignores := func(sig syscall.Signal) bool {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", guards[0]))
		if err != nil {
			t.Fatal(err)
		}
		_, behind, _ := strings.Cut(string(status), "SigIgn:\t")
		digits, _, _ := strings.Cut(behind, "\n")
		set, err := strconv.ParseUint(digits, 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		return set&(1<<(sig-1)) != 0
	}
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTSTP, syscall.SIGHUP, syscall.SIGTERM, syscall.SIGTTOU, syscall.SIGPIPE} {
		term.until(fmt.Sprintf("guard that does without %v", sig), func() bool { return ignores(sig) })
	}
	if err := syscall.Kill(prompt, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	term.until("cooked terminal", func() bool { return !term.isRaw() })
	term.wait("\x1b[?2004l")
}

// guardsOf are the processes that guard terminals for one.
func guardsOf(t *testing.T, pid int) (guards []int) {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		children, _ := os.ReadFile(list) // none of a thread that has ended
		for child := range strings.FieldsSeq(string(children)) {
			if name, _ := os.ReadFile("/proc/" + child + "/cmdline"); strings.HasPrefix(string(name), guardName) {
				n, err := strconv.Atoi(child)
				if err != nil {
					t.Fatal(err)
				}
				guards = append(guards, n)
			}
		}
	}
	return guards
}

// TestOneGuard starts one guard for all lines, which ends when the terminal is given back.
func TestOneGuard(t *testing.T) {
	master, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	defer master.Close()
	defer tty.Close()
	saved, err := readline.GetState(int(tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	e := &Editor{in: tty, out: tty, saved: saved, stopped: make(chan struct{})}
	for range 3 {
		if err := errors.Join(e.makeRaw(), e.exitRaw()); err != nil {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) { // the list of children may miss some while threads end
		guards := guardsOf(t, os.Getpid())
		if len(guards) == 1 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("guards are %v, want one", guards)
		}
	}
	e.Restore()
	for end := time.Now().Add(patience); len(guardsOf(t, os.Getpid())) > 0; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the guard is still there")
		}
	}
	runtime.KeepAlive(e) // else its end of the guard's pipe may be closed as garbage
}

// TestGuard gives back what is as the editor left it, and nothing else.
func TestGuard(t *testing.T) {
	master, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	defer master.Close()
	defer tty.Close()
	saved, err := modeOf(tty)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readline.MakeRaw(int(tty.Fd())); err != nil {
		t.Fatal(err)
	}
	raw, _ := modeOf(tty)
	other, _ := parseMode(raw)
	other.Lflag |= unix.ECHO
	for _, test := range []struct {
		name, life string
		now, want  string
	}{
		{"an orderly end", "\x01", raw, raw},
		{"another mode since", "", spellMode(other), spellMode(other)},
		{"a sudden end", "", raw, saved},
	} {
		mode, _ := parseMode(test.now)
		if err := unix.IoctlSetTermios(int(tty.Fd()), unix.TCSETS, mode); err != nil {
			t.Fatal(err)
		}
		guard(strings.NewReader(test.life), tty, saved, raw)
		if got, err := modeOf(tty); err != nil || got != test.want {
			t.Errorf("%s: the terminal is in mode %s (%v), want %s", test.name, got, err, test.want)
		}
	}
}

// A line that was not entered must not run when the terminal goes away.
func TestEditorHangUp(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	term := openTerminal(t, newHistory(t), func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no controlling terminal, so no SIGHUP
	})
	term.press(fmt.Sprintf("write(%q, 'text')", file))
	term.wait("'text'\x1b[0m)")
	term.tty.Close()
	term.master.Close()
	term.until("end of the command", term.hasExited)
	if _, err := os.Stat(file); err == nil {
		t.Error("half a line was run")
	}
}

func TestEditorStdoutIsNoTerminal(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	term := openTerminal(t, newHistory(t), func(cmd *exec.Cmd) { cmd.Stdout = w })
	w.Close()
	term.enter("print(1)", promptFirst)
	term.enter("21 * 2", promptFirst)
	term.leave()
	out, err := io.ReadAll(r)
	if want := "1\n42\n"; err != nil || string(out) != want {
		t.Errorf("standard output has %q and %v, want %q", out, err, want)
	}
}

func TestEditorNoColor(t *testing.T) {
	history := newHistory(t)
	if err := os.WriteFile(history, []byte(`"print(6 *\n7)"`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	term := openTerminal(t, history, func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, "NO_COLOR=1") })
	term.enter(keyUp, "42\r\n")
	term.leave()
	if text := term.text(); !strings.Contains(text, "print(6 *↵7)") || strings.Contains(text, "\x1b[2m") {
		t.Errorf("the screen has %q, want the newline without color, and no hints", text)
	}
}

func TestEditorHistoryFails(t *testing.T) {
	term := openTerminal(t, "/proc/none/history", nil)
	term.enter("print('a' + 'b')", "the history is not saved")
	term.wait("ab\r\n")
	term.enter("print('c' + 'd')", "cd\r\n")
	term.enter(keyUp+keyUp, "ab\r\n")
	if n := strings.Count(term.text(), "the history is not saved"); n != 1 {
		t.Errorf("the warning comes %d times, want 1", n)
	}
	term.leave()
}

func TestNewEditorNoTerminal(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if _, err := NewEditor(EditorConfig{Stdin: null, Stdout: null, Stderr: null}); err == nil {
		t.Error("an editor without a terminal was made, want an error")
	}
}

// randomKeys are pressed by TestEditorRandomKeys: all controls but Ctrl-D, which may end the prompt, and what
// terminals send.
var randomKeys = []string{
	"\x00", "\x01", "\x02", "\x03", "\x05", "\x06", "\x07", "\x08", "\t", "\n", "\x0b", "\x0c", "\r", "\x0e", "\x0f", "\x10", "\x11",
	"\x12", "\x13", "\x14", "\x15", "\x16", "\x17", "\x18", "\x19", "\x1a", "\x1b", "\x1c", "\x1d", "\x1e", "\x1f", "\x7f",
	keyUp, "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[H", "\x1b[F", "\x1bOA", "\x1bOH", "\x1b[1~", "\x1b[4~", keyDelete, "\x1b[1;5C", "\x1b[1;5D",
	"\x1b[3;5~", "\x1b[Z", "\x1b[15~", "\x1b[<0;1;1M", "\x1bb", "\x1bf", "\x1bd", "\x1b\x7f", "\x1b.", "\x1bx", "\x1b\x14", "\t\t",
	"m.", "m[", "m.update(", "open(\"", "d", ".", ".ti", ".time ", "!", "?", "def f(", ", ", "=", "[", "\"", "confirm('", ".save ", ".mode ",
	"if 1:", "x = 1", "  ", "print(", ")", "'", `"""`, "#", "w", "日本", "🙂", "é", "\u0301", "\u200b", "\xff", "\uFDD0", "\uFDD1",
	bracketed("a\n\tb"), bracketed(""), bracketed("x = [\n1,\n\n2]\n"), bracketed("日本\n語"), "\x1b[200~x\x03\r\n\x1b[201~",
}

// withoutSignals keeps keys that come between two lines, where the terminal is not raw, from being signals, or
// from stopping the output.
func withoutSignals(cmd *exec.Cmd) {
	stty := exec.Command("stty", "-isig", "-ixon")
	stty.Stdin = cmd.Stdin
	if err := stty.Run(); err != nil {
		panic(err)
	}
}

// forFuzz keeps what random keys may do from doing harm.
func forFuzz(t *testing.T) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) {
		withoutSignals(cmd)
		cmd.Dir = t.TempDir()
		cmd.Env = append(cmd.Env, fuzzVariable+"=1")
	}
}

func TestEditorRandomKeys(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	sessions := 0
	defer func() { t.Logf("seed %d, %d sessions", seed, sessions) }()
	random := rand.New(rand.NewPCG(seed, 0))
	columns := []uint16{80, 30, 10, 7, 5, 1, 0}
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); sessions++ {
		term := openTerminal(t, newHistory(t), forFuzz(t))
		term.resize(columns[random.IntN(len(columns))])
		var keys []string
		for range 300 {
			key := randomKeys[random.IntN(len(randomKeys))]
			keys = append(keys, key)
			term.write(key)
			if random.IntN(4) == 0 {
				time.Sleep(time.Duration(random.IntN(3000)) * time.Microsecond)
			}
			if random.IntN(50) == 0 {
				term.resize(columns[random.IntN(len(columns))])
			}
		}
		// The first Ctrl-C may end a search, the second a paste, the third the line.
		term.until("sign of life after "+fmt.Sprintf("%q", keys), func() bool {
			if term.hasExited() {
				t.Fatalf("the prompt has ended after %q; the screen has\n%s", keys, term.text())
			}
			if term.isRaw() {
				term.write("\x1b[201~" + keyCtrlC + keyCtrlC + `print("al" + "ive")` + "\r")
			}
			time.Sleep(20 * time.Millisecond)
			return strings.Contains(term.text(), "alive\r\n")
		})
		term.press(keyCtrlC + keyCtrlC + "exit(7)\r")
		term.exit(7)
	}
}
