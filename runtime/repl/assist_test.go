package repl

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestEditorCompletes presses TAB among 400 maps with hostile names: it takes at most 100 ms, nothing is obeyed, and
// the line stands below the list as it was.
func TestEditorCompletes(t *testing.T) {
	term := openTerminal(t, newHistory(t), func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, "NO_COLOR=1") })
	term.press(`open("`)
	term.wait(`open("`)
	within(t, completionTime, func() time.Duration {
		start := time.Now()
		term.write("\t")
		term.wait("more\r\n")
		term.wait(promptFirst + `open("`)
		return time.Since(start)
	})
	if text := term.text(); strings.Contains(text, "\x1b]0") || strings.Contains(text, "\u202e") || !strings.Contains(text, `evil\x1b]0;pwn`) {
		t.Errorf("a name was obeyed, or is not in the list:\n%q", text)
	}
	term.write("flo\t")
	term.wait(`open("flows"`)
	term.enter(")", "map flows\r\n")

	// Several lists, keys in between, and what becomes of the line in the middle.
	term.press("m.\t\tup\t(\t\t\x7f\x01x = [\x05'k', 5)]")
	term.wait("update")
	term.enter("", promptFirst)
	term.enter("len(x)", "1\r\n")

	// In a block: its own names, and the indentation.
	term.enter("def f(parameter):", promptNext+"    ")
	term.enter("return para\t * 2", promptNext)
	term.enter("", promptFirst)
	term.enter("f(21)", "42\r\n")

	// Commands.
	term.enter(".timi\t", "timing is off")
	term.leave()
}

// TestEditorNarrow lists where there is little room.
func TestEditorNarrow(t *testing.T) {
	term := openTerminal(t, newHistory(t), nil)
	for _, columns := range []uint16{30, 12, 5, 1} {
		term.resize(columns)
		term.press("\topen(\"\t\tm.\t\x15m.\t\x03")
		term.until("a prompt", term.isRaw)
	}
	term.resize(80)
	term.enter("print('al' + 'ive')", "alive\r\n")
	term.leave()
}

// TestEditorHints shows what a call lacks in grey behind the cursor, and nothing of it is entered.
func TestEditorHints(t *testing.T) {
	term := openTerminal(t, newHistory(t), nil)
	term.press("m.update(")
	const hint = "key, value, flags=BPF_ANY)"
	term.wait("m.update(\x1b[2m" + hint + "\x1b[0m" + strings.Repeat("\b", len(hint)))
	term.write("'k', ")
	term.wait("m.update(\x1b[32m'k'\x1b[0m, \x1b[2mvalue, flags=BPF_ANY)\x1b[0m")
	term.enter("5)", promptFirst)
	if strings.Contains(term.text()[strings.LastIndex(term.text(), "5\x1b[0m)"):], "\x1b[2m") {
		t.Error("there is a hint behind what was entered")
	}
	// There is none where the line would wrap, and none in its middle.
	term.press(strings.Repeat(" ", 60) + "m.update(")
	term.wait("m.update(")
	term.write("\x02")
	term.enter("\x05'a', 1)", promptFirst)
	term.press("len('" + strings.Repeat("x", 50) + "') + len(catch(")
	term.wait("catch(")
	term.press(keyCtrlC)
	term.wait(promptFirst)
	term.leave()
	plain := regexp.MustCompile(`\x1b\[(?:J|2K)|\x1b\[3\dm([^\x1b]*)\x1b\[0m`)
	for line := range strings.SplitSeq(term.text(), "\r") {
		line, hint, ok := strings.Cut(plain.ReplaceAllString(line, "$1"), "\x1b[2m")
		hint, _, _ = strings.Cut(hint, "\x1b[0m")
		if ok && len(line)%80+len(hint) >= 80 {
			t.Errorf("the hint %q wraps behind %q", hint, line)
		}
	}
}

// TestEditorSearch finds a block with Ctrl-R, and brings it back whole.
func TestEditorSearch(t *testing.T) {
	history := newHistory(t)
	if err := os.WriteFile(history, []byte(`"def f(x):\n    return x * 2\n\nf(2100 + 1)"`+"\n"+`"print(1)"`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	term := openTerminal(t, history, nil)
	term.press("\x12return")
	term.wait("f(\x1b[36m2100\x1b[0m + \x1b[36m1\x1b[0m)")
	term.enter("", "4202\r\n")
	term.leave()
}

// TestHistoryFile keeps blocks where XDG_STATE_HOME says, for the user alone.
func TestHistoryFile(t *testing.T) {
	home := t.TempDir()
	prepare := func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, "BPFSH_HISTORY=", "XDG_STATE_HOME="+home) }
	term := openTerminal(t, "", prepare)
	term.press(bracketed("def f():\n\treturn 'block'\n\nprint(f() + 's')"))
	term.enter("", "blocks\r\n")
	term.leave()
	st, err := os.Stat(filepath.Join(home, "bpfsh", "history"))
	if err != nil {
		t.Fatal(err)
	}
	if st.Mode().Perm() != 0o600 {
		t.Errorf("the history has mode %o", st.Mode().Perm())
	}
	term = openTerminal(t, "", prepare)
	term.enter(keyUp, "blocks\r\n")
	term.leave()
}

// TestEditorLabel shows the label, also in a terminal that is hardly wider.
func TestEditorLabel(t *testing.T) {
	term := openTerminal(t, newHistory(t), func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, labelVariable+"=memory,ro") })
	term.resize(10)
	term.enter("if 1:", "..............>     ")
	term.enter("'a' + 'b'", "")
	term.enter("", "bpf(memory,ro)> ")
	term.resize(80)
	term.enter("6 * 7", "42\r\n")
	term.leave()
}

// TestConfirm asks in the middle of a statement.
func TestConfirm(t *testing.T) {
	for _, plain := range []bool{false, true} {
		t.Run(map[bool]string{false: "editor", true: "plain"}[plain], func(t *testing.T) {
			var asked *terminal
			if plain {
				asked = openPlain(t, "TERM=dumb")
			} else {
				asked = openTerminal(t, newHistory(t), nil)
			}
			for _, test := range []struct{ keys, want string }{
				{"y\r", "True\r\n"}, {"YES\r", "True\r\n"}, {"\r", "False\r\n"}, {"maybe\r", "False\r\n"}, {"\x04", "False\r\n"},
			} {
				asked.enter(`confirm("delete \x1b[31mall?")`, `delete \x1b[31mall?`+"\r\n")
				asked.wait("[y/N] ")
				asked.press(test.keys)
				asked.wait(test.want)
				asked.wait(promptFirst)
			}
			if !plain { // TAB has nothing to offer for an answer
				asked.enter(`confirm("tab?")`, "[y/N] ")
				asked.press("m.\t\x7f\x7fy\r")
				asked.wait("True\r\n")
				asked.wait(promptFirst)
				if strings.Contains(asked.text(), "lookup") {
					t.Error("TAB lists what the answer could be")
				}
			}
			asked.enter(`confirm("sure?")`, "sure?\r\n")
			asked.wait("[y/N] ")
			asked.press("y" + keyCtrlC)
			asked.wait("interrupt")
			asked.wait(promptFirst)
			asked.enter("'al' + 'ive'", "alive")
			asked.wait(promptFirst)
			asked.press(keyCtrlD)
			asked.wait("bye")
			asked.exit(0)
			if strings.Contains(asked.text(), "\x1b[31m") {
				t.Error("the question was obeyed")
			}
		})
	}
}

// TestChildHasTheTerminal runs a program that reads: it gets what is typed, and the next line is the prompt's.
func TestChildHasTheTerminal(t *testing.T) {
	term := openTerminal(t, newHistory(t), nil)
	term.enter(`!echo rea''dy; read line; echo "got <$line>"`, "ready\r\n")
	term.write("some words\r")
	term.wait("got <some words>\r\n")
	term.enter("'al' + 'ive'", "alive")
	term.enter("!exit 3", "!exit 3: exit status 3")
	term.leave()
}

// TestWatchRedraws draws in place on the alternate screen, and Ctrl-C leaves the last output on the other. A script has the statement once.
func TestWatchRedraws(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s.star")
	term := openTerminal(t, newHistory(t), nil)
	term.enter("n = [0]", promptFirst)
	term.enter(`.watch 0.05 n.append(0) or print("round", len(n), "\x1b[31m")`, "every 50ms")
	term.wait("round 4")
	term.write(keyCtrlC)
	term.wait(promptFirst)
	term.enter("'al' + 'ive'", "alive")
	term.enter(".save "+file, "written to")
	term.leave()
	if script, err := os.ReadFile(file); err != nil || strings.Count(string(script), "n.append(0)") != 1 {
		t.Errorf("the script is %v\n%s, want the statement once", err, script)
	}
	text := term.text()
	if !strings.Contains(text, "round 3 \\x1b[31m\x1b[K\r\n\x1b[J\x1b[?7h") || !strings.Contains(text, "\x1b[H") || !strings.Contains(text, "\x1b[?1049l\r\x1b[?7l") {
		t.Errorf("it is not drawn in place: %q", text)
	}
}

// TestCtrlCStops measures how long it takes until the prompt is back.
func TestCtrlCStops(t *testing.T) {
	for _, code := range []string{"while True: pass", "for i in range(1 << 30): m.lookup(i)", "sleep(3600)", ".watch 3600 print('go' + 'ing')"} {
		term := openTerminal(t, newHistory(t), nil)
		if !strings.HasPrefix(code, ".") {
			code = bracketed("print('go' + 'ing')\n" + code)
		}
		within(t, 200*time.Millisecond, func() time.Duration {
			term.press(code + "\r")
			term.wait("going")
			start := time.Now()
			term.write(keyCtrlC)
			term.wait(promptFirst)
			return time.Since(start)
		})
		term.leave()
	}
}
