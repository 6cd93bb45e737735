package repl

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"bpfsh/runtime"
	"bpfsh/runtime/render"

	"github.com/chzyer/readline"
	"github.com/creack/pty"
	"go.starlark.net/starlark"
)

// promptVariable makes a prompt of the test binary, for a terminal to talk to. The others say what it is like.
const (
	promptVariable = "BPFSH_TEST_PROMPT"
	labelVariable  = "BPFSH_TEST_LABEL" // Config's
	fuzzVariable   = "BPFSH_TEST_FUZZ"  // no programs
)

func TestMain(m *testing.M) {
	Guard()
	if os.Getenv(promptVariable) != "" {
		os.Exit(promptMain())
	}
	os.Exit(m.Run())
}

// promptMain is a command with a prompt, as small as can be.
func promptMain() int {
	out := NewOutput(os.Stdout, render.Escape, IsPlain(os.Getenv))
	cfg := configuration(out)
	cfg.Label = os.Getenv(labelVariable)
	if os.Getenv(fuzzVariable) != "" {
		cfg.Exec = func(string, ...string) error { return errors.New("nothing is run here") }
	}
	var c Interactive
	predeclared := world()
	predeclared["confirm"] = starlark.NewBuiltin("confirm", func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		question, _ := starlark.AsString(args[0])
		yes, err := c.Confirm(question)
		return starlark.Bool(yes), err
	})
	s := runtime.New(runtime.Config{Stdin: os.Stdin, Stdout: out, Stderr: out.Beside(os.Stderr), EscapeStdout: out.Escape, EscapeStderr: render.Escape, Live: true, Predeclared: predeclared})
	c, err := NewInteractive(EditorConfig{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Color: os.Getenv("NO_COLOR") == ""})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		for sig := range signals {
			s.Interrupt(errors.New(sig.String()))
			if sig == syscall.SIGTERM {
				c.Restore()
			} else {
				c.Interrupt()
			}
		}
	}()
	err = Run(s, c, cfg)
	fmt.Fprintln(os.Stderr, "bye")
	if err := c.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return runtime.Status(err)
}

// patience is how long a test waits for what is to come. It is no measure of anything.
const patience = time.Minute

// terminal is a pseudo-terminal with a prompt on it.
type terminal struct {
	t      *testing.T
	master *os.File
	tty    *os.File // kept open, to look at its mode
	mode   *readline.State
	cmd    *exec.Cmd
	exited chan struct{}

	cooked  bool   // the terminal edits lines itself
	entered string // is written when a line is complete, and the terminal no longer raw

	mu     sync.Mutex
	screen bytes.Buffer // all that was written
	seen   int          // what wait has looked past
}

// openTerminal starts a prompt. prepare, if there is one, may change the command.
func openTerminal(t *testing.T, history string, prepare func(*exec.Cmd)) *terminal {
	t.Helper()
	master, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	t.Cleanup(func() { tty.Close() })
	master = closable(t, master)
	term := &terminal{t: t, master: master, tty: tty, exited: make(chan struct{}), entered: "\x1b[?2004l"}
	term.resize(80)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), promptVariable+"=1", "BPFSH_HISTORY="+history, "TERM=xterm", "NO_COLOR=", "LC_ALL=C.UTF-8",
		"GORACE=atexit_sleep_ms=0") // else each exit takes a second
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if prepare != nil {
		prepare(cmd)
	}
	term.mode = term.modeNow()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	term.cmd = cmd
	go func() {
		cmd.Wait()
		close(term.exited)
	}()
	t.Cleanup(func() { cmd.Process.Kill(); <-term.exited })
	go term.read()
	term.wait("> ")
	return term
}

// openPlain starts a prompt on a terminal that can do nothing.
func openPlain(t *testing.T, env string) *terminal {
	t.Helper()
	term := openTerminal(t, newHistory(t), func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, env) })
	term.cooked, term.entered = true, ""
	return term
}

// closable makes a file of one that pty has opened that can be closed while it is read.
func closable(t *testing.T, f *os.File) *os.File {
	t.Helper()
	defer f.Close()
	fd, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	syscall.CloseOnExec(fd) // the prompt must not hold its own terminal open
	if err := syscall.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	f = os.NewFile(uintptr(fd), f.Name())
	t.Cleanup(func() { f.Close() })
	return f
}

func (term *terminal) resize(columns uint16) {
	term.t.Helper()
	if err := pty.Setsize(term.tty, &pty.Winsize{Rows: 24, Cols: columns}); err != nil {
		term.t.Fatal(err)
	}
}

func (term *terminal) read() {
	buf := make([]byte, 64<<10)
	for {
		n, err := term.master.Read(buf)
		if err != nil {
			return
		}
		term.mu.Lock()
		term.screen.Write(buf[:n])
		term.mu.Unlock()
	}
}

func (term *terminal) modeNow() *readline.State {
	term.t.Helper()
	mode, err := readline.GetState(int(term.tty.Fd()))
	if err != nil {
		term.t.Fatal(err)
	}
	return mode
}

// isRaw says whether a line is being edited.
func (term *terminal) isRaw() bool { return !reflect.DeepEqual(term.modeNow(), term.mode) }

// write is what the user's hands do. It does not wait.
func (term *terminal) write(keys string) {
	term.t.Helper()
	if _, err := term.master.WriteString(keys); err != nil {
		term.t.Fatalf("writing %q: %v; the screen has\n%s", keys, err, term.text())
	}
}

// press writes keys when there is a prompt: between two lines, the terminal would take some for itself.
func (term *terminal) press(keys string) {
	term.t.Helper()
	if !term.cooked {
		term.until("a prompt", term.isRaw)
	}
	term.write(keys)
}

// enter types a line at a prompt and waits for what comes of it.
func (term *terminal) enter(line, want string) {
	term.t.Helper()
	term.press(line + "\r")
	term.wait(term.entered)
	term.wait(want)
}

// wait waits until a text appears behind what was seen by the last wait.
func (term *terminal) wait(want string) {
	term.t.Helper()
	term.until(fmt.Sprintf("%q", want), func() bool {
		term.mu.Lock()
		defer term.mu.Unlock()
		i := strings.Index(term.screen.String()[term.seen:], want)
		if i >= 0 {
			term.seen += i + len(want)
		}
		return i >= 0
	})
}

// until waits for a condition.
func (term *terminal) until(what string, condition func() bool) {
	term.t.Helper()
	for end := time.Now().Add(patience); !condition(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			term.t.Fatalf("no %s; the screen has\n%q", what, term.text())
		}
	}
}

// text is all that was written so far.
func (term *terminal) text() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.screen.String()
}

// written is the number of bytes that were written so far.
func (term *terminal) written() int { return len(term.text()) }

func (term *terminal) hasExited() bool {
	select {
	case <-term.exited:
		return true
	default:
		return false
	}
}

// leave presses Ctrl-D at the prompt.
func (term *terminal) leave() {
	term.t.Helper()
	term.press(keyCtrlD)
	term.wait("\r\n")
	term.wait("bye\r\n")
	term.exit(0)
}

// exit waits for the end of the command, and looks at what it leaves behind.
func (term *terminal) exit(want int) {
	term.t.Helper()
	term.until("end of the command", term.hasExited)
	if got := term.cmd.ProcessState.ExitCode(); got != want {
		term.t.Errorf("exit status %d, want %d; the screen has\n%s", got, want, term.text())
	}
	if term.isRaw() {
		term.t.Error("the terminal is left in another mode than before")
	}
	for _, bad := range []string{"panic", "DATA RACE", "^D"} {
		if strings.Contains(term.text(), bad) {
			term.t.Errorf("the screen has a %s:\n%s", bad, term.text())
		}
	}
}
