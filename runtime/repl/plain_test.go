package repl

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestPlain uses a terminal that can do nothing: no escape code is ever written.
func TestPlain(t *testing.T) {
	for _, env := range []string{"TERM=dumb", "BPFSH_BASIC=1"} {
		t.Run(env, func(t *testing.T) {
			term := openPlain(t, env)
			term.enter("print('o' + 'ne')", "one\r\n")
			if term.isRaw() {
				t.Error("the terminal is raw")
			}
			term.enter("def f(x):", promptNext)
			term.enter("    return x * 2", promptNext)
			term.enter("", promptFirst)
			term.enter("f(2100 + 1)", "4202\r\n")

			// Ctrl-C drops the line, and the block; and ends what runs.
			term.enter("def g():", promptNext)
			term.write("    broken(" + keyCtrlC)
			term.wait(promptFirst)
			term.enter("f(1)", "2\r\n")
			term.enter("print('go' + 'ing') or sleep(3600)", "going\r\n")
			term.write(keyCtrlC)
			term.wait("interrupt")
			term.wait(promptFirst)

			// Two lines at once, with what a terminal could obey.
			term.write("x = '\x1b[31m'\ry = 5; len(x)\r")
			term.wait("4\r\n")
			term.enter(`"\x1b[31m"`, `"\x1b[31m"`+"\r\n")
			term.wait(promptFirst)
			term.write(keyCtrlD)
			term.wait("bye")
			term.exit(0)
			if i := strings.Index(term.text(), "\x1b"); i >= 0 {
				t.Errorf("an escape code was written: %q", term.text()[i:])
			}
		})
	}
}

func TestPlainRestore(t *testing.T) {
	term := openPlain(t, "TERM=dumb")
	term.write("half")
	if err := term.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	term.wait("bye")
	term.exit(0)
}

func TestNewPlainNoTerminal(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if _, err := NewPlain(EditorConfig{Stdin: r, Stdout: w, Stderr: w}); err == nil {
		t.Error("a pipe is taken for a terminal")
	}
}
