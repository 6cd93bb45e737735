package runtime

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

// fixture is a session with what a test of it needs: output in buffers, and functions that go wrong.
type fixture struct {
	*Session
	out, err bytes.Buffer
}

func newFixture(cfg Config) *fixture {
	f := &fixture{}
	cfg.Stdout, cfg.Stderr = &f.out, &f.err
	cfg.Predeclared = method.Functions(f, []method.Row[*fixture]{{
		Name: "panics", Run: func(*fixture, method.Call) (starlark.Value, error) { panic("out of order") },
	}, {
		Name: "fails", Params: "n=0", Run: func(f *fixture, c method.Call) (starlark.Value, error) {
			n, err := c.Uint(0, "n", 100)
			return &failing{f, int(n)}, err
		},
	}, {
		Name: "interrupts", Run: func(f *fixture, c method.Call) (starlark.Value, error) {
			f.Interrupt(errPressed)
			<-Context(c.Thread).Done()
			return nil, context.Cause(Context(c.Thread))
		},
	}})
	f.Session = New(cfg)
	return f
}

var (
	errPressed = errors.New("pressed")
	errBroken  = errors.New("broken")
)

// failing gives n numbers, and then fails.
type failing struct {
	f *fixture
	n int
}

func (x *failing) String() string             { return "failing" }
func (x *failing) Type() string               { return "failing" }
func (x *failing) Freeze()                    {}
func (x *failing) Truth() starlark.Bool       { return true }
func (x *failing) Hash() (uint32, error)      { return 0, nil }
func (x *failing) Iterate() starlark.Iterator { return &failingIterator{x, 0} }

type failingIterator struct {
	x *failing
	i int
}

func (it *failingIterator) Done() {}
func (it *failingIterator) Next(p *starlark.Value) bool {
	if it.i == it.x.n {
		Raise(it.x.f.thread, "fails", errBroken)
	}
	*p = starlark.MakeInt(it.i)
	it.i++
	return true
}

// TestRun runs scripts: what they print, what they report, and the exit status.
func TestRun(t *testing.T) {
	for _, row := range []struct{ name, src, out, err string }{
		{"print", "print(1, 'a')", "1 a\n", ""},
		{"error", "print(1)\n1 // 0", "1\n", "x.star:2:3: floored division by zero\n    1 // 0\n      ^\n"},
		{"internal", "panics()", "", "internal error: out of order\ngoroutine "},
		{"internal passes catch", "catch(panics)\nprint('went on')", "", "internal error: out of order\n"},
		{"too much for Go", "list(range(1 << 62))", "", "internal error: "},
		{"loop", "for x in fails(2): print(x)", "0\n1\n", "x.star:1:1: broken\n"},
		{"list", "list(fails(2))\nprint('went on')", "", "x.star:1:5: broken\n"},
		{"comprehension", "x = [y for y in fails(1)]\nprint('went on')", "", "x.star:1:8: broken\n"},
		{"arguments", "print(*fails(1))\nprint('went on')", "", "x.star:1:6: broken\n"},
		{"unpack", "a, b = fails(1)\nprint('went on')", "", "x.star:1:6: broken\n"},
		{"deep", "def f(): return sorted(fails())\ndef g(): f()\ng()", "", "  x.star:3:2: in <toplevel>\n  x.star:2:11: in g\n  x.star:1:23: in f\n"},
		{"caught", "print(catch(list, fails(2)))\nfor i in range(2): print(i)", "(None, broken)\n0\n1\n", ""},
		{"iterated list is not locked", "l = [1]\ndef f():\n  for x in l:\n    list(fails())\ncatch(f)\nl.append(2)\nprint(l)", "[1, 2]\n", ""},
		{"interrupt passes catch", "catch(interrupts)\nprint('went on')", "", "x.star:1:6: pressed\n"},
		{"interrupt ends a loop", "def f():\n  while True: catch(interrupts)\nf()", "", "pressed\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture(Config{})
			err := f.Run("x.star", []byte(row.src))
			f.Report(err)
			if f.out.String() != row.out {
				t.Errorf("printed %q, want %q", f.out.String(), row.out)
			}
			if got := f.err.String(); !strings.Contains(got, row.err) || (row.err == "") != (got == "") {
				t.Errorf("reported %q, want %q in it", got, row.err)
			}
			if want := map[bool]int{true: 0, false: 1}[row.err == ""]; Status(err) != want {
				t.Errorf("exit status %d, want %d", Status(err), want)
			}
			f.out.Reset()
			if err := f.Run("y.star", []byte("print('alive')")); err != nil || f.out.String() != "alive\n" {
				t.Errorf("the session then printed %q, %v; want it alive", f.out.String(), err)
			}
		})
	}
}

// TestRaiseKeepsCause finds what an iterator raised behind the script's error.
func TestRaiseKeepsCause(t *testing.T) {
	f := newFixture(Config{})
	if err := f.Run("x.star", []byte("list(fails())")); !errors.Is(err, errBroken) {
		t.Errorf("got %v, want an error that wraps %v", err, errBroken)
	}
}

// TestChunk runs chunks that share their names.
func TestChunk(t *testing.T) {
	f := newFixture(Config{})
	for _, row := range []struct{ src, value, err string }{
		{"x = 1", "", ""},
		{"x + 1", "2", ""},
		{"_ * 10", "20", ""},
		{"", "", ""},
		{"_", "20", ""},
		{"y = 5; y + x", "6", ""},
		{"def f():\n  return x + y\n", "", ""},
		{"f()", "6", ""},
		{"total = 0\nfor n in fails(3): total += n", "", "broken"},
		{"total", "3", ""},
		{"z = 1\n1 // 0", "", "floored division by zero"},
		{"z", "1", ""},
		{"panics()", "", "internal error: out of order"},
		{"interrupts()", "", "pressed"},
		{"x", "1", ""},
		{"nope", "", "undefined: nope"},
	} {
		t.Run(row.src, func(t *testing.T) {
			file, err := ChunkOptions().Parse("<stdin>", row.src, 0)
			if err != nil {
				t.Fatal(err)
			}
			f.out.Reset()
			err = f.Chunk(file, func(v starlark.Value) error {
				f.Print(v.String())
				return Context(f.thread).Err()
			})
			if got := strings.TrimSpace(f.out.String()); got != row.value {
				t.Errorf("got %s, want %s", got, row.value)
			}
			if got := fmt.Sprint(err); row.err == "" && err != nil || !strings.Contains(got, row.err) {
				t.Errorf("got error %v, want %q", err, row.err)
			}
		})
	}
}

// TestLimits ends runs by steps and by time, and gives the next run, and what was deferred, as much again.
func TestLimits(t *testing.T) {
	for _, row := range []struct {
		cfg  Config
		want error
	}{
		{Config{MaxSteps: 1000}, ErrSteps},
		{Config{Timeout: 20 * time.Millisecond}, ErrTimeout},
	} {
		t.Run(row.want.Error(), func(t *testing.T) {
			f := newFixture(row.cfg)
			for range 2 {
				err := f.Run("x.star", []byte("defer(print, 'deferred')\nwhile True: pass"))
				if !errors.Is(err, row.want) {
					t.Fatalf("got %v, want %v", err, row.want)
				}
			}
			if err := f.Run("x.star", []byte("[n for n in range(50)]")); err != nil {
				t.Errorf("a short run after it: %v", err)
			}
			if err := f.Finish(); err != nil || f.out.String() != "deferred\ndeferred\n" {
				t.Errorf("deferred calls printed %q, %v", f.out.String(), err)
			}
		})
	}
}

// TestInterruptIdle says that nothing ran, and leaves the next run alone.
func TestInterruptIdle(t *testing.T) {
	f := newFixture(Config{})
	if f.Interrupt(errPressed) {
		t.Error("an idle session says that it was interrupted")
	}
	if err := f.Run("x.star", []byte("print(1)")); err != nil {
		t.Error(err)
	}
}

// TestSequence is ended by an interrupt between two of its runs, and by nothing that came before it.
func TestSequence(t *testing.T) {
	f := newFixture(Config{})
	f.Interrupt(errPressed)
	var during error
	err := f.Sequence(func(ctx context.Context) error {
		if err := errors.Join(f.Run("x.star", []byte("print(1)")), ctx.Err()); err != nil {
			t.Error(err)
		}
		if !f.Interrupt(errPressed) {
			t.Error("a sequence does not count as something that runs")
		}
		during = ctx.Err()
		return f.Run("x.star", []byte("print(2)"))
	})
	var stopped *Stopped
	if !errors.As(err, &stopped) || stopped.Cause != errPressed || during == nil || f.out.String() != "1\n" {
		t.Errorf("got %v, the context's error %v, output %q; want the second run stopped", err, during, f.out.String())
	} else if stopped.err != nil {
		t.Errorf("the second run began, and came to %v", stopped.err)
	}
	if f.Interrupt(errPressed) {
		t.Error("the sequence is over, and something runs")
	}
	if err := f.Run("x.star", []byte("print(3)")); err != nil {
		t.Error(err)
	}
}

// TestStuck tells of what goes on after an interrupt, each time anew, and not of what ends in time.
func TestStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []error
		f := newFixture(Config{Stuck: func(cause error) { told = append(told, cause) }})
		errAgain := errors.New("again")
		for _, row := range []struct {
			cause  error
			goesOn time.Duration
		}{{errPressed, patience / 2}, {errBroken, 2 * patience}, {errAgain, 2 * patience}, {errPressed, 0}} {
			f.Sequence(func(context.Context) error {
				f.Interrupt(row.cause)
				time.Sleep(row.goesOn)
				synctest.Wait()
				return nil
			})
		}
		time.Sleep(2 * patience)
		synctest.Wait()
		if want := []error{errBroken, errAgain}; !slices.Equal(told, want) {
			t.Errorf("told of %v, want %v", told, want)
		}
	})
}

// TestEmphasize makes the first line of a report stand out, and leaves the lines behind it as they are.
func TestEmphasize(t *testing.T) {
	for _, row := range []struct{ src, want string }{
		{"1 // 0", "<x.star:1:3: floored division by zero>\n    1 // 0\n      ^\n"},
	} {
		f := newFixture(Config{Emphasize: func(line string) string { return "<" + line + ">" }})
		f.Report(f.Run("x.star", []byte(row.src)))
		if got := f.err.String(); got != row.want {
			t.Errorf("%s: reported %q, want %q", row.src, got, row.want)
		}
	}
	f := newFixture(Config{Emphasize: func(line string) string { return "<" + line + ">" }})
	if f.Report(errBroken); f.err.String() != "<broken>\n" {
		t.Errorf("reported %q, want one line", f.err.String())
	}
}

// TestEscape keeps control characters from a terminal, in what is printed, warned and reported.
func TestEscape(t *testing.T) {
	esc := func(s string) string { return strings.ReplaceAll(s, "\x1b", "ESC") }
	f := newFixture(Config{EscapeStdout: esc, EscapeStderr: esc})
	err := f.Run("x.star", []byte(`print("a\x1b"); warn("b\x1b"); fail("c\x1b")`))
	f.Report(err)
	if all := f.out.String() + f.err.String(); strings.Contains(all, "\x1b") || strings.Count(all, "ESC") != 3 {
		t.Errorf("printed %q, want every escape character replaced", all)
	}
}

// TestOutputFails reports a standard output that takes nothing, and is usable again.
func TestOutputFails(t *testing.T) {
	w := &brokenWriter{err: errBroken}
	s := New(Config{Stdout: w})
	if err := s.Run("x.star", []byte("print(1)")); !errors.Is(err, errBroken) {
		t.Errorf("got %v, want %v", err, errBroken)
	}
	w.err = nil
	if err := s.Run("x.star", []byte("print(2)")); err != nil || w.String() != "2\n" {
		t.Errorf("then it wrote %q, %v; want 2", w.String(), err)
	}
}

type brokenWriter struct {
	bytes.Buffer
	err error
}

func (w *brokenWriter) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	return w.Buffer.Write(p)
}

// TestSessionContext is done while a run is to end, and neither in what is deferred nor when nothing runs.
func TestSessionContext(t *testing.T) {
	var s *Session
	var seen []error
	look := func(interrupt bool) *starlark.Builtin {
		return starlark.NewBuiltin("look", func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
			if interrupt {
				s.Interrupt(ErrTimeout)
			}
			seen = append(seen, context.Cause(s.Context()))
			return starlark.None, nil
		})
	}
	s = New(Config{Predeclared: starlark.StringDict{"look": look(false), "interrupted": look(true)}})
	if err := s.Run("a.star", []byte("look()\ndefer(look)\ninterrupted()")); !errors.Is(err, ErrTimeout) {
		t.Fatal(err)
	}
	seen = append(seen, context.Cause(s.Context()))
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	if want := []error{nil, ErrTimeout, nil, nil}; !slices.Equal(seen, want) {
		t.Errorf("its context was done for %v, want %v", seen, want)
	}
}
