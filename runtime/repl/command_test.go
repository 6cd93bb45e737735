package repl

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"bpfsh/runtime"

	"github.com/google/go-cmp/cmp"
	"go.starlark.net/starlark"
)

// times are what differs from run to run.
var times = regexp.MustCompile(`\d+\.\d\d m?s|\d\d:\d\d:\d\d|\d{4}-\d\d-\d\d \d\d:\d\d`)

// TestTranscripts types lines and compares with what the screen shows.
func TestTranscripts(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Config)
		lines  []string
		want   string
	}{{
		name:  "completion goes on where it can, and lists where it cannot",
		lines: []string{"m.up\t(\t\t" + `10.9` + "\t, 5)", `open("flo` + "\t)", ".ti\t\ting", "m.l\t?", "m.update(1, 2, \t)"},
		want: `
bpf> m.update("<TAB>
m.update(key, value, flags=BPF_ANY)
"10.0.0.1"       "10.0.0.2"       "10.9.0.1"       "e\x1b]0;pwn\a"
bpf> m.update("10.9.0.1", 5)
bpf> open("flows")
map flows
bpf> .tim<TAB>
.time    Run a statement, and say how long it took.
.timing  Say how long each statement takes.
bpf> .timing
timing is off
bpf> m.lookup?
lookup(key, default=None) (method)
  The value of key.
bpf> m.update(1, 2, <TAB>
m.update(key, value, flags=BPF_ANY)
BPF_ANY      BPF_NOEXIST  flags=
bpf> m.update(1, 2, )
`,
	}, {
		name:  "a question mark explains",
		lines: []string{"m?", "m.update?", "?m.name", "mapz?", "m.updaet?", "nobody.x?", "help?", "names??", "5 # what?", `"a" # ?`},
		want: `
bpf> m?
map flows: hash, 3 entries
bpf> m.update?
update(key, value, flags=BPF_ANY) (method)
  Write value under key. BPF_NOEXIST: only if it is new.
bpf> ?m.name
string "flows"
bpf> mapz?
nothing is called mapz (did you mean maps?); help() lists all
bpf> m.updaet?
m has no .updaet (did you mean update?)
bpf> nobody.x?
nothing is called nobody; help() lists all
bpf> help?
help(x=None) (function)
  Print what there is to know about a function, method, value or topic.
  help() lists all; help(m.update), help("update") and help("batch") tell
  more, and so do the names of types and of parameters.

    help("batch")          # a topic
    help(m.update)         # a method, without a call
    help("BPF_NOEXIST")    # whatever has this name
    help("hints")          # a parameter: what takes it
bpf> names??
What is there beside functions.

args (constant)
  The script's words, a list of strings.

json (constant)
  json.encode, json.decode and json.indent; integers stay exact.

math (constant)
  math.sqrt, math.ceil, math.pi and other functions of floats.

time (constant)
  time.now, time.parse_duration, time.from_timestamp and the like.
bpf> 5 # what?
5
bpf> "a" # ?
"a"
`,
	}, {
		name:  "unknown commands",
		lines: []string{".tming on", ".", ".Help", ".quit now", ".time", "!", ".5", ".help wathc"},
		want: `
bpf> .tming on
unknown command .tming (did you mean .timing?); .help lists them
bpf> .
unknown command .; .help lists them
bpf> .Help
unknown command .Help (did you mean .help?); .help lists them
bpf> .quit now
.quit takes nothing behind it
bpf> .time
want .time EXPR
bpf> !
!COMMAND: what is to be run?
bpf> .5
0.5
bpf> .help wathc
unknown command wathc (did you mean .watch?); .help lists them
`,
	}, {
		name:  "time and timing",
		lines: []string{".time 6 * 7", "_ + 1", ".time 1 // 0", ".timing on", "1", ".timing", ".timing off", "2", ".timing maybe"},
		want: `
bpf> .time 6 * 7
42
Time: T
bpf> _ + 1
43
bpf> .time 1 // 0
Time: T
<stdin>:3:3: floored division by zero
    1 // 0
      ^
bpf> .timing on
bpf> 1
1
Time: T
bpf> .timing
timing is on
bpf> .timing off
bpf> 2
2
bpf> .timing maybe
.timing: got maybe, want on or off
`,
	}, {
		name:  "mode",
		lines: []string{".mode", "1", ".mode json", "1", ".mode", ".mode nothing"},
		want: `
bpf> .mode
the format is table
bpf> 1
1
bpf> .mode json
bpf> 1
json:1
bpf> .mode
the format is json
bpf> .mode nothing
.mode: got nothing, want table or json
`,
	}, {
		name:   "what is not there",
		change: func(c *Config) { c.Mode, c.Output = nil, nil },
		lines:  []string{".mode json", ".o file", ".watch"},
		want: `
bpf> .mode json
.mode: there is one format alone here
bpf> .o file
.o: the output cannot go to a file here
bpf> .watch
.watch: there is no expression to run again; want .watch [SECONDS] EXPR
`,
	}, {
		name:  "a label stands in the prompt, and its continuation is as wide",
		lines: []string{"if 1:", "+2", "", "x"},
		change: func(c *Config) {
			c.Label = "ro"
		},
		want: `
bpf(ro)> if 1:
.......>     2
.......> 
bpf(ro)> x
<stdin>:3:1: undefined: x
    x
    ^
`,
	}, {
		name:  "bare names call what they are for",
		lines: []string{"maps", "maps = 3", "maps"},
		want: `
bpf> maps
"no maps"
bpf> maps = 3
bpf> maps
3
`,
	}, {
		name:  "commands are none in a block, and none in a paste",
		lines: []string{"if 1:", "    .help", "", ".time 1\n.time 2"},
		want: `
bpf> if 1:
...>     .help
<stdin>:2:5: got '.', want primary expression
        .help
        ^
bpf> 
bpf> .time 1↵.time 2
<stdin>:3:1: got '.', want primary expression
    .time 1
    ^
`,
	}, {
		name:  "watch refuses nonsense",
		lines: []string{".watch 0 1", ".watch 1e9 1", ".watch -1 1"},
		want: `
bpf> .watch 0 1
.watch: got 0, want from 0.05 to a day
bpf> .watch 1e9 1
.watch: got 1e9, want from 0.05 to a day
bpf> .watch -1 1
T  every 1s
<stdin>:1:5: got int literal, want newline
    -1 1
        ^
`,
	}} {
		t.Run(test.name, func(t *testing.T) {
			screen, _, err := transcript(test.change, test.lines...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.TrimPrefix(test.want, "\n"), times.ReplaceAllString(screen, "T")); diff != "" {
				t.Errorf("the screen differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHelpCommand(t *testing.T) {
	screen, _, err := transcript(nil, ".help", ".help .watch", ".help o")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range commands() {
		if !strings.Contains(screen, c.doc) {
			t.Errorf(".help does not tell of %s", c.name)
		}
		if len(c.doc) > 72 || !strings.HasSuffix(c.doc, ".") && !strings.Contains(c.doc, ". ") {
			t.Errorf("%s: the doc is no short sentence: %s", c.name, c.doc)
		}
	}
	for line := range strings.SplitSeq(screen, "\n") {
		if len(line) > 100 {
			t.Errorf("the line is too long: %s", line)
		}
	}
	if !strings.Contains(screen, ".watch [SECONDS] EXPR\n  Run a") || !strings.Contains(screen, ".o [FILE]\n  Write") {
		t.Errorf("the screen shows\n%s", screen)
	}
}

func TestQuit(t *testing.T) {
	_, _, err := transcript(nil, ".quit", "boom()")
	var exit *runtime.Exit
	if !errors.As(err, &exit) || exit.Status != 0 {
		t.Errorf("Run = %v, want exit status 0", err)
	}
}

// TestOutput sends outputs to a file, and nothing else.
func TestOutput(t *testing.T) {
	t.Chdir(t.TempDir())
	screen, _, err := transcript(func(c *Config) { c.Getenv = func(string) string { return os.Getenv("PWD") } },
		`.o results.txt`, `print("one")`, "1 + 1", `warn("careful")`, ".o", "3", ".o ~/home.txt", "4", `.o "two words"`, "5", ".o missing/x", "6")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"results.txt": "one\n2\n", "home.txt": "4\n", "two words": "5\n"} {
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s has %q (%v), want %q", name, got, err, want)
		}
	}
	want := `bpf> .o results.txt
bpf> print("one")
bpf> 1 + 1
bpf> warn("careful")
careful
bpf> .o
6 bytes written to results.txt
bpf> 3
3
bpf> .o ~/home.txt
bpf> 4
bpf> .o "two words"
2 bytes written to HOME/home.txt
bpf> 5
bpf> .o missing/x
2 bytes written to two words
.o: open missing/x: no such file or directory
bpf> 6
6
`
	dir, _ := os.Getwd()
	if diff := cmp.Diff(want, without(screen, dir, "HOME")); diff != "" {
		t.Errorf("the screen differs (-want +got):\n%s", diff)
	}
}

// TestOutputEscape shows that only a terminal's text is escaped.
func TestOutputEscape(t *testing.T) {
	escape := func(string) string { return "safe" }
	o := NewOutput(&bytes.Buffer{}, escape, false)
	if got := o.Escape("\x1b"); got != "\x1b" {
		t.Errorf("for a buffer: %q", got)
	}
	if NewOutput(os.Stdin, nil, false).Escape("\x1b") != "\x1b" {
		t.Error("without an escape, text changes")
	}
}

func TestReadFile(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := syscall.Mkfifo("pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	os.WriteFile("lib.star", []byte("def twice(x):\n    return 2 * x\ntwice(4)\n"), 0o666)
	os.WriteFile("bad.star", []byte("a = 1\nb = a // 0\n"), 0o666)
	screen, _, err := transcript(nil, ".read lib.star", "twice(21)", "_", ".read bad.star", "a", ".read missing.star", ".read pipe", ".save pipe", ".save /dev/full")
	if err != nil {
		t.Fatal(err)
	}
	want := `bpf> .read lib.star
bpf> twice(21)
42
bpf> _
42
bpf> .read bad.star
bad.star:2:7: floored division by zero
    b = a // 0
          ^
bpf> a
1
bpf> .read missing.star
open missing.star: no such file or directory
bpf> .read pipe
pipe is no regular file
bpf> .save pipe
.save: pipe is no regular file
bpf> .save /dev/full
.save: /dev/full is no regular file
`
	if diff := cmp.Diff(want, screen); diff != "" {
		t.Errorf("the screen differs (-want +got):\n%s", diff)
	}
}

// TestSave writes what was entered as a script, runs it, and compares what it comes to.
func TestSave(t *testing.T) {
	t.Chdir(t.TempDir())
	os.WriteFile("lib.star", []byte("three = 3\n"), 0o666)
	os.WriteFile("mine.star", []byte("precious\n"), 0o666)
	os.MkdirAll("sub", 0o777)
	os.WriteFile("sub/inner.star", []byte("four = 4\n"), 0o666)
	os.WriteFile("sub/outer.star", []byte("x4 = 0; load(\"inner.star\", \"four\", x4=\"four\")\nload('inner.star', x44='four')\n"), 0o666)
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{
		" password = 1", " .read lib.star", ".read sub/outer.star",
		"x = 20", "1 // 0", "undefined_name", "x + 1", "y = _ * 2", "def f(n):\n    return n * 2", "if y:", "    y += 1", "", "  ",
		"# words", "help", ".help", ".time z = 5", ".read lib.star", "日 = 1; f(日)", "print('no')", "total = _ + three",
		".save mine.star", ".save s.star", "late = 1", ".save s.star",
	}
	screen, c, err := transcript(nil, lines...)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("s.star")
	if err != nil {
		t.Fatalf("%v; the screen shows\n%s", err, screen)
	}
	inner := strconv.Quote(filepath.Join(dir, "sub", "inner.star"))
	want := `#!/usr/bin/env -S bpfsh -q
# Saved from the prompt of bpfsh, T.

x4 = 0; load(` + inner + `, "four", x4="four")
load(` + inner + `, x44='four')

x = 20
_ = x + 1
y = _ * 2
def f(n):
    return n * 2

if y:
    y += 1

z = 5
three = 3

日 = 1; _ = f(日)
print('no')
total = _ + three
late = 1
`
	if diff := cmp.Diff(want, times.ReplaceAllString(string(text), "T")); diff != "" {
		t.Errorf("the script differs (-want +got):\n%s", diff)
	}
	s := runtime.New(runtime.Config{Predeclared: world()})
	if err := s.Run("s.star", append(text, "\nif (y, total, late) != (43, 5, 1): fail((y, total, late))\n"...)); err != nil {
		t.Error(s.Explain(err))
	}
	if st, _ := os.Stat("s.star"); st.Mode()&0o100 == 0 {
		t.Error("the script cannot be executed")
	}
	if old, _ := os.ReadFile("mine.star"); string(old) != "precious\n" || !strings.Contains(screen, "mine.star is there already") {
		t.Errorf("mine.star was overwritten, or that it was not is not said:\n%s", screen)
	}
	if len(c.history) == 0 || c.history[len(c.history)-1] != ".save s.star" {
		t.Error("commands are not in the history")
	}
}

// TestSaveWatched writes a statement that .watch ran again and again once.
func TestSaveWatched(t *testing.T) {
	t.Chdir(t.TempDir())
	c, s, cfg := newWorld("n = []", ".watch 0.05 n.append(1) or len(n)", ".save s.star")
	cfg.Echo = func(w io.Writer, v starlark.Value) error {
		if v.String() == "3" {
			s.Interrupt(errors.New("interrupt"))
		}
		_, err := fmt.Fprintln(w, v)
		return err
	}
	if err := Run(s, c, cfg); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile("s.star"); err != nil || strings.Count(string(text), "n.append(1)") != 1 {
		t.Errorf("the script is %v\n%s, want the statement once", err, text)
	}
}

// TestEdit gives the last statement to an editor.
func TestEdit(t *testing.T) {
	var given []string
	edit := func(write string, fails error) func(*Config) {
		return func(c *Config) {
			c.Getenv = func(name string) string { return map[string]string{"VISUAL": "my ed", "EDITOR": "no"}[name] }
			c.Exec = func(name string, args ...string) error {
				path := args[len(args)-1]
				text, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				given = append(given, name+" "+strings.Join(args[:len(args)-1], " ")+" "+filepath.Ext(path)+": "+string(text))
				if write != "" {
					return os.WriteFile(path, []byte(write), 0o600)
				}
				return fails
			}
		}
	}
	for _, test := range []struct {
		name, write string
		fails       error
		want        string
	}{
		{"changed", "x = 4\n\nx + 1\n", nil, "bpf> x = 3\nbpf> .edit\nx = 4\n\nx + 1\n5\nbpf> x\n4\n"},
		{"as it was", "", nil, "bpf> x = 3\nbpf> .edit\n.edit: nothing was changed, and nothing is run\nbpf> x\n3\n"},
		{"emptied", "\n\n", nil, "bpf> x = 3\nbpf> .edit\nbpf> x\n3\n"},
		{"failed", "", errors.New("exit status 1"), "bpf> x = 3\nbpf> .edit\n.edit: my: exit status 1\nbpf> x\n3\n"},
	} {
		screen, c, err := transcript(edit(test.write, test.fails), "x = 3", ".edit", "x")
		if err != nil || screen != test.want {
			t.Errorf("%s: the screen shows %q (%v), want %q", test.name, screen, err, test.want)
		}
		if test.name == "changed" && (len(c.history) != 4 || c.history[2] != "x = 4\n\nx + 1") {
			t.Errorf("the history is %q", c.history)
		}
	}
	for _, g := range given {
		if g != "my ed .star: x = 3\n" {
			t.Errorf("the editor was given %q", g)
		}
	}
}

func TestSystem(t *testing.T) {
	var ran [][]string
	screen, _, err := transcript(func(c *Config) {
		c.Exec = func(name string, args ...string) error {
			ran = append(ran, append([]string{name}, args...))
			return errors.New("exit status 3")
		}
	}, "!ls 'a b' (", "! true")
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"sh", "-c", "ls 'a b' ("}, {"sh", "-c", "true"}}
	if diff := cmp.Diff(want, ran); diff != "" {
		t.Errorf("what was run differs (-want +got):\n%s", diff)
	}
	if !strings.Contains(screen, "!true: exit status 3") {
		t.Errorf("the screen shows\n%s", screen)
	}
}
