package repl

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"bpfsh/runtime"

	"github.com/google/go-cmp/cmp"
	"go.starlark.net/starlark"
)

// Keys that end a line of a script.
const (
	ctrlC = "^C"
	ctrlD = "^D"
)

// script is a Console that enters lines, and writes what a terminal would show. Each line replaces its prefill.
type script struct {
	lines   []string
	screen  *bytes.Buffer
	history []string
	fails   error // of Remember

	assistant Assistant
}

// Assist is Assisted's.
func (c *script) Assist(a Assistant) { c.assistant = a }

// typed is what TABs make of a line: they insert, or list below it.
func (c *script) typed(prompt, line string) string {
	parts := strings.Split(line, "\t")
	line = parts[0]
	for _, rest := range parts[1:] {
		found := c.assistant.Complete(line)
		insert := found.insertion(line)
		if list := found.list(80, 24); insert == "" && list != "" && len(found.Candidates) != 1 {
			fmt.Fprintf(c.screen, "%s%s<TAB>\n%s\n", prompt, line, list)
		}
		line += insert + rest
	}
	return line
}

func (c *script) ReadLine(prompt, prefill string) (string, error) {
	if len(c.lines) == 0 {
		return "", io.EOF
	}
	line := c.lines[0]
	c.lines = c.lines[1:]
	if strings.TrimLeft(line, " ") == "+" { // take the prefill, and end the line
		line = prefill
	} else if rest, ok := strings.CutPrefix(line, "+"); ok {
		line = prefill + rest
	}
	line = c.typed(prompt, line)
	fmt.Fprintf(c.screen, "%s%s\n", prompt, strings.ReplaceAll(line, "\n", "↵"))
	switch line {
	case ctrlC:
		return "", ErrInterrupt
	case ctrlD:
		return "", io.EOF
	}
	return line, nil
}

func (c *script) Remember(block string) error {
	c.history = append(c.history, block)
	return c.fails
}

func (c *script) Close() error { return nil }

// newScript makes a console with these lines, and a session that writes to its screen.
func newScript(lines ...string) (*script, *runtime.Session) {
	c := &script{lines: lines, screen: &bytes.Buffer{}}
	s := runtime.New(runtime.Config{Stdout: c.screen, Stderr: c.screen, Predeclared: starlark.StringDict{
		"boom": starlark.NewBuiltin("boom", func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
			panic("boom")
		}),
		"mine": unprintable{starlark.None},
	}})
	return c, s
}

// unprintable is a value whose text panics.
type unprintable struct{ starlark.NoneType }

func (unprintable) String() string { panic("no text") }

func TestRun(t *testing.T) {
	for _, test := range []struct {
		name    string
		lines   []string
		want    string
		history []string // nil: not compared
	}{{
		name:  "values are echoed and kept",
		lines: []string{"1 + 1", "_ * 10", "None", "_", `"text"`, "x = 5", "x"},
		want: `
bpf> 1 + 1
2
bpf> _ * 10
20
bpf> None
bpf> _
20
bpf> "text"
"text"
bpf> x = 5
bpf> x
5
`,
		history: []string{"1 + 1", "_ * 10", "None", "_", `"text"`, "x = 5", "x"},
	}, {
		name:  "a block is indented and ends at a blank line",
		lines: []string{"def f(x):", "+y = x * 2", "+return y", "+", "f(21)"},
		want: `
bpf> def f(x):
...>     y = x * 2
...>     return y
...>     
bpf> f(21)
42
`,
		history: []string{"def f(x):\n    y = x * 2\n    return y", "f(21)"},
	}, {
		name:  "a nested block is indented further, also behind a comment",
		lines: []string{"for i in range(2):", "+if i:  # odd", `+print("one:")`, "+", ""},
		want: `
bpf> for i in range(2):
...>     if i:  # odd
...>         print("one:")
...>         
one:
bpf> 
`,
	}, {
		name:  "a block on one line waits for else",
		lines: []string{"if 0: print(1)", "else: print(2)", ""},
		want: `
bpf> if 0: print(1)
...> else: print(2)
...> 
2
`,
	}, {
		name:  "the line that ends a block is not lost",
		lines: []string{"if True:", "    x = 1", "y = 2", "x + y"},
		want: `
bpf> if True:
...>     x = 1
...> y = 2
bpf> x + y
3
`,
		history: []string{"if True:\n    x = 1\ny = 2", "x + y"},
	}, {
		name:  "two functions and a call without blank lines",
		lines: []string{"def f():", "    return 1", "def g():", "    return 2", "f() + g()", "f() - g()"},
		want: `
bpf> def f():
...>     return 1
...> def g():
...>     return 2
...> f() + g()
3
bpf> f() - g()
-1
`,
	}, {
		name:  "a comment does not end a block",
		lines: []string{"# the answer", "def f():", "    # it is known", "    x = 42", "# really", "    return x", "", "f()"},
		want: `
bpf> # the answer
bpf> def f():
...>     # it is known
...>     x = 42
...> # really
...>     return x
...> 
bpf> f()
42
`,
	}, {
		name:  "brackets and strings go on over blank lines and comments",
		lines: []string{"x = [1,", "", "# one", "2]", "x", `s = """a`, "", `# b"""`, "s"},
		want: `
bpf> x = [1,
...> 
...> # one
...> 2]
bpf> x
[1, 2]
bpf> s = """a
...> 
...> # b"""
bpf> s
"a\n\n# b"
`,
	}, {
		name:  "quotes in a comment are no string",
		lines: []string{"def f():", `    # """`, "    return 1", "", "f()"},
		want: `
bpf> def f():
...>     # """
...>     return 1
...> 
bpf> f()
1
`,
	}, {
		name:  "a paste is one unit, with its blank lines",
		lines: []string{"def f(x):\n    y = x * 2\n\n    return y\n\n# and\n\ndef g(x):\n    return f(x) + 1\n\ng(20)", "g(0)"},
		want: `
bpf> def f(x):↵    y = x * 2↵↵    return y↵↵# and↵↵def g(x):↵    return f(x) + 1↵↵g(20)
41
bpf> g(0)
1
`,
		history: []string{"def f(x):\n    y = x * 2\n\n    return y\n\n# and\n\ndef g(x):\n    return f(x) + 1\n\ng(20)", "g(0)"},
	}, {
		name:  "a paste whose block is ended by a statement",
		lines: []string{"if True:\n    x = 1\ny = 2", "y"},
		want: `
bpf> if True:↵    x = 1↵y = 2
bpf> y
2
`,
	}, {
		name:  "a paste that is not complete goes on",
		lines: []string{"a = 1\nx = [", "a, 2]", "x", "if a:\n\n    if a:", "        b = 3", "", "b"},
		want: `
bpf> a = 1↵x = [
...> a, 2]
bpf> x
[1, 2]
bpf> if a:↵↵    if a:
...>         b = 3
...> 
bpf> b
3
`,
	}, {
		name:  "a paste into a block",
		lines: []string{"def f():", "    x = 1\n\n    # two\n    y = 2", "    return x + y", "", "f()"},
		want: `
bpf> def f():
...>     x = 1↵↵    # two↵    y = 2
...>     return x + y
...> 
bpf> f()
3
`,
	}, {
		name:  "an indented paste",
		lines: []string{"    def f():\n        return 1\n\n    f()", "  7"},
		want: `
bpf>     def f():↵        return 1↵↵    f()
1
bpf>   7
7
`,
		history: []string{},
	}, {
		name:  "an error in a paste stops all of it",
		lines: []string{"print(1)\nfail(\"no\")\nprint(2)", "print(1)\nprint(]\nprint(2)"},
		want: `
bpf> print(1)↵fail("no")↵print(2)
1
<stdin>:2:5: fail: no
    fail("no")
        ^
bpf> print(1)↵print(]↵print(2)
<stdin>:5:7: got ']', want primary expression
    print(]
          ^
`,
	}, {
		name:  "errors are reported and the loop lives on",
		lines: []string{"1 +", "x = undefined_name", "1 // 0", "def f(:", "if True:", "", `print("alive")`},
		want: `
bpf> 1 +
<stdin>:1:4: got newline, want primary expression
    1 +
       ^
bpf> x = undefined_name
<stdin>:2:5: undefined: undefined_name
    x = undefined_name
        ^
bpf> 1 // 0
<stdin>:3:3: floored division by zero
    1 // 0
      ^
bpf> def f(:
<stdin>:4:8: got ':', want ')'
    def f(:
           ^
bpf> if True:
...> 
<stdin>:6:1: got end of file, want indent
bpf> print("alive")
alive
`,
	}, {
		name:  "an error shows the line of the function's own entry",
		lines: []string{"def f():", "    return 1 // 0", "", "print(5)", "f()"},
		want: `
bpf> def f():
...>     return 1 // 0
...> 
bpf> print(5)
5
bpf> f()
<stdin>:2:14: floored division by zero
        return 1 // 0
                 ^
Traceback (most recent call last):
  <stdin>:4:2: in <expr>
  <stdin>:2:14: in f
`,
	}, {
		name:  "Ctrl-C drops the block",
		lines: []string{"x = 1", "def f():", "    return 1", ctrlC, "f()", ctrlC, "x"},
		want: `
bpf> x = 1
bpf> def f():
...>     return 1
...> ^C
bpf> f()
<stdin>:2:1: undefined: f
    f()
    ^
bpf> ^C
bpf> x
1
`,
		history: []string{"x = 1", "f()", "x"},
	}, {
		name:  "Ctrl-D ends the loop",
		lines: []string{"x = 1", ctrlD, "print(x)"},
		want: `
bpf> x = 1
bpf> ^D
`,
	}, {
		name:  "Ctrl-D in a block runs nothing, and the block can be recalled",
		lines: []string{"if True:", "    print(1)", ctrlD, "print(2)"},
		want: `
bpf> if True:
...>     print(1)
...> ^D
end of input within a block: it was not run
bpf> print(2)
2
`,
		history: []string{"if True:\n    print(1)", "print(2)"},
	}, {
		name:  "blank lines and comments are nothing",
		lines: []string{"", "   ", "# words", "", "\n\n", "1"},
		want: `
bpf> 
bpf>    
bpf> # words
bpf> 
bpf> ↵↵
bpf> 1
1
`,
		history: []string{"# words", "1"},
	}, {
		name:    "a line that begins with a space is not remembered",
		lines:   []string{" x = 1", "x", " if x:", "    x = 2", "", "x", " if x:", ctrlD},
		history: []string{"x", "x"},
		want: `
bpf>  x = 1
bpf> x
1
bpf>  if x:
...>     x = 2
...> 
bpf> x
2
bpf>  if x:
...> ^D
end of input within a block: it was not run
`,
	}, {
		name:  "a name that was bound hides a word",
		lines: []string{"quit = 7", "quit", "help = 8", "help", "exit = 9", "exit"},
		want: `
bpf> quit = 7
bpf> quit
7
bpf> help = 8
bpf> help
8
bpf> exit = 9
bpf> exit
9
`,
	}} {
		t.Run(test.name, func(t *testing.T) {
			c, s := newScript(test.lines...)
			if err := Run(s, c, Config{}); err != nil {
				t.Errorf("Run = %v, want nil", err)
			}
			if diff := cmp.Diff(strings.TrimPrefix(test.want, "\n"), c.screen.String()); diff != "" {
				t.Errorf("the screen differs (-want +got):\n%s", diff)
			}
			if test.history != nil && !slices.Equal(c.history, test.history) {
				t.Errorf("history = %q, want %q", c.history, test.history)
			}
		})
	}
}

func TestRunExit(t *testing.T) {
	for _, test := range []struct {
		lines []string
		want  int
	}{
		{[]string{"exit(3)", "print(1)"}, 3},
		{[]string{"exit()"}, 0},
		{[]string{"exit"}, 0},
		{[]string{" quit "}, 0},
		{[]string{"def f():", "    exit(4)", "f()"}, 4},
	} {
		c, s := newScript(test.lines...)
		err := Run(s, c, Config{})
		var exit *runtime.Exit
		if !errors.As(err, &exit) || exit.Status != test.want {
			t.Errorf("%q: Run = %v, want exit status %d", test.lines, err, test.want)
		}
		if strings.Contains(c.screen.String(), "\n1\n") || strings.Contains(c.screen.String(), "exit status") {
			t.Errorf("%q: the screen shows\n%s", test.lines, c.screen)
		}
	}
}

func TestRunHelp(t *testing.T) {
	c, s := newScript("help")
	if err := Run(s, c, Config{}); err != nil {
		t.Fatal(err)
	}
	if got := c.screen.String(); !strings.Contains(got, "tell more") || strings.Contains(got, "<built-in") {
		t.Errorf("help alone shows\n%s", got)
	}
}

func TestRunPanics(t *testing.T) {
	c, s := newScript("boom()", "mine", `print("alive")`)
	if err := Run(s, c, Config{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"internal error: boom", "internal error: no text", "\nalive\n"} {
		if !strings.Contains(c.screen.String(), want) {
			t.Errorf("the screen lacks %q:\n%s", want, c.screen)
		}
	}
}

func TestRunEcho(t *testing.T) {
	c, s := newScript("1", "2")
	echo := func(w io.Writer, v starlark.Value) error {
		if v.String() == "2" {
			return errors.New("it is even")
		}
		_, err := fmt.Fprintf(w, "<%s>\n", v)
		return err
	}
	if err := Run(s, c, Config{Echo: echo}); err != nil {
		t.Fatal(err)
	}
	want := "bpf> 1\n<1>\nbpf> 2\nshowing the value: it is even\n"
	if got := c.screen.String(); got != want {
		t.Errorf("the screen shows %q, want %q", got, want)
	}
}

func TestRunHistoryFails(t *testing.T) {
	c, s := newScript("1", "2")
	c.fails = errors.New("disk full")
	if err := Run(s, c, Config{}); err != nil {
		t.Fatal(err)
	}
	want := "bpf> 1\nthe history is not saved: disk full\n1\nbpf> 2\n2\n"
	if got := c.screen.String(); got != want {
		t.Errorf("the screen shows %q, want %q", got, want)
	}
}

// failing is a console that is broken.
type failing struct{ script }

func (failing) ReadLine(string, string) (string, error) { return "", errors.New("out of order") }

func TestRunConsoleFails(t *testing.T) {
	_, s := newScript()
	err := Run(s, &failing{}, Config{})
	if want := "reading from the console: out of order"; err == nil || err.Error() != want {
		t.Errorf("Run = %v, want %s", err, want)
	}
}

// interrupting interrupts what its first line starts.
type interrupting struct {
	script
	session *runtime.Session
}

func (c *interrupting) ReadLine(prompt, prefill string) (string, error) {
	line, err := c.script.ReadLine(prompt, prefill)
	if strings.HasPrefix(line, "while") {
		go func() {
			for !c.session.Interrupt(errors.New("enough")) {
			}
		}()
	}
	return line, err
}

func TestRunInterrupt(t *testing.T) {
	c, s := newScript("while True:\n    pass", `print("alive")`)
	if err := Run(s, &interrupting{*c, s}, Config{}); err != nil {
		t.Fatal(err)
	}
	if got := c.screen.String(); !strings.Contains(got, "enough") || !strings.HasSuffix(got, "\nalive\n") {
		t.Errorf("the screen shows\n%s", got)
	}
}
