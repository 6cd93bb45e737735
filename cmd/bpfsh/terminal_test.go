package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
)

// onTerminal runs bpfsh with a terminal for input and output, types text, and returns what the terminal got.
func onTerminal(t *testing.T, text string, args ...string) string {
	t.Helper()
	cmd := exec.Command("bpfsh", args...)
	cmd.Env = append(os.Environ(), "BPFSH_HISTORY="+filepath.Join(t.TempDir(), "history"), "TERM=xterm")
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.WriteString(f, text); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := io.Copy(&out, f); err != nil && !errors.Is(err, syscall.EIO) { // the other side has closed
		t.Fatal(err)
	}
	cmd.Wait()
	return out.String()
}

// TestHostileText lets text from a map reach a terminal in every way there is: nothing of it is obeyed.
func TestHostileText(t *testing.T) {
	needKernel(t)
	path := filepath.Join(t.TempDir(), "hostile.star")
	const source = `
evil = "\x1b]0;pwn\x07\u009b2J\r"
m = create("array", value="char[16]", max_entries=1)
h = create("hash", key="char[16]", value="u32", max_entries=1)
m[0] = evil
h[evil] = 1
print(m[0])
print("%s" % m[0], m[0] + "x")
print([m[0]], {m[0]: 1})
show(m)
show(h)
show([m[0]])
show(m[0])
warn(m[0])
print(catch(h.delete, evil + "2")[1])
fail(m[0])
`
	if err := os.WriteFile(path, []byte(source), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NO_COLOR", "1")
	out := onTerminal(t, "", path)
	if !strings.Contains(out, "pwn") || strings.Count(out, "pwn") < 12 {
		t.Errorf("the text is not in the output:\n%q", out)
	}
	for _, bad := range []string{"\x1b", "\x07", "\u009b", "\r\r", "\x9b"} {
		if i := strings.Index(out, bad); i >= 0 {
			t.Errorf("%q reached the terminal: …%q…", bad, out[max(0, i-40):min(len(out), i+40)])
		}
	}
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
