package runtime

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestScriptInScript ends an inner script from outside: that ends the outer one too, and what both have deferred runs,
// last first. The session is then as it was.
func TestScriptInScript(t *testing.T) {
	for _, row := range []struct{ name, inner, err string }{
		{"interrupt", "interrupts()", "pressed"},
		{"interrupt in a deferred call", "defer(interrupts)", "pressed"},
		{"internal error", "panics()", "out of order"},
		{"time", "while True: pass", ErrTimeout.Error()},
		{"steps", "for i in range(1 << 40): pass", ErrSteps.Error()},
	} {
		t.Run(row.name, func(t *testing.T) {
			inner := filepath.Join(t.TempDir(), "inner.star")
			source := "print(args)\ndefer(print, 'inner', args)\n" + row.inner
			if err := os.WriteFile(inner, []byte(source), 0o600); err != nil {
				t.Fatal(err)
			}
			f := newFixture(Config{Args: []string{inner}, Timeout: 500 * time.Millisecond, MaxSteps: map[bool]uint64{true: 10000}[row.name == "steps"]})
			err := f.Run("x.star", []byte("defer(print, 'outer', len(args))\nrun(args[0], 'word', 2)\nprint('went on')"))
			if err == nil || !strings.Contains(err.Error(), row.err) {
				t.Errorf("it ended with %v, want %q in it", err, row.err)
			}
			if err := f.Finish(); err != nil {
				t.Error(err)
			}
			want := "[\"word\", \"2\"]\ninner [\"word\", \"2\"]\nouter 1\n"
			if got := f.out.String(); got != want {
				t.Errorf("printed %q, want %q", got, want)
			}
			f.out.Reset()
			if err := f.Run("y.star", []byte("print(len(args), options('about', usage='X').args == args)")); err != nil || f.out.String() != "1 True\n" {
				t.Errorf("the session then printed %q, %v", f.out.String(), err)
			}
		})
	}
}
