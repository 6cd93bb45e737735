package repl

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bpfsh/runtime"

	"github.com/google/go-cmp/cmp"
	"go.starlark.net/starlark"
)

// TestWatch runs statements again until they are interrupted, or fail.
func TestWatch(t *testing.T) {
	c, s, cfg := newWorld("n = [1]", "len(n)", ".watch 0.05", ".watch 0.05 n.append(2) or len(n)", ".watch 0.06 nap()", "1",
		".watch 0.05 n.pop() // len(n)")
	shown := 0
	cfg.Echo = func(w io.Writer, v starlark.Value) error {
		if shown++; shown == 4 || shown == 7 {
			go func() {
				for !s.Interrupt(errors.New("interrupt")) {
				}
			}()
		}
		_, err := fmt.Fprintf(w, "=%s\n", v)
		return err
	}
	naps := 0
	s.Globals()["nap"] = starlark.NewBuiltin("nap", func(th *starlark.Thread, _ *starlark.Builtin, _ starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		if naps++; naps == 2 {
			s.Interrupt(errors.New("interrupt"))
		}
		return starlark.None, runtime.Context(th).Err()
	})
	if err := Run(s, c, cfg); err != nil {
		t.Fatal(err)
	}
	screen := times.ReplaceAllString(c.screen.String(), "T")
	want := `bpf> n = [1]
bpf> len(n)
=1
bpf> .watch 0.05
T  every 50ms
=1
T  every 50ms
=1
T  every 50ms
=1
bpf> .watch 0.05 n.append(2) or len(n)
T  every 50ms
=2
T  every 50ms
=3
T  every 50ms
=4
bpf> .watch 0.06 nap()
T  every 60ms
T  every 60ms
bpf> 1
=1
bpf> .watch 0.05 n.pop() // len(n)
T  every 50ms
=0
T  every 50ms
=1
T  every 50ms
=2
T  every 50ms
<stdin>:7:9: floored division by zero
    n.pop() // len(n)
            ^
`
	if diff := cmp.Diff(want, screen); diff != "" {
		t.Errorf("the screen differs (-want +got):\n%s", diff)
	}
}

// TestWatchInterruptedBetween ends by an interrupt that comes when a round is over already.
func TestWatchInterruptedBetween(t *testing.T) {
	c, _, cfg := newWorld("n = [1, 2, 3]", ".watch 0.05 print(n.pop())")
	var s *runtime.Session
	s = runtime.New(runtime.Config{Stderr: c.screen, Stdout: writer(func(p []byte) (int, error) {
		if strings.HasSuffix(string(p), "2\n") {
			s.Interrupt(errors.New("interrupt"))
		}
		return c.screen.Write(p)
	})})
	cfg.Output = nil
	if err := Run(s, c, cfg); err != nil {
		t.Fatal(err)
	}
	if screen := c.screen.String(); !strings.Contains(screen, "\n2\n") || strings.Contains(screen, "\n1\n") {
		t.Errorf("want no round after the second:\n%s", screen)
	}
}

// TestWatchEvery begins a round a period after the one before began, however long that took.
func TestWatchEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, cfg := newWorld(".watch 60 work()")
		cfg.Output = nil
		var began []time.Duration
		start := time.Now()
		s.Globals()["work"] = starlark.NewBuiltin("work", func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
			began = append(began, time.Since(start))
			if len(began) == 4 {
				s.Interrupt(errors.New("interrupt"))
			}
			time.Sleep(time.Duration(len(began)) * 30 * time.Second)
			return starlark.None, nil
		})
		if err := Run(s, c, cfg); err != nil {
			t.Fatal(err)
		}
		want := []time.Duration{0, time.Minute, 2 * time.Minute, 3*time.Minute + 30*time.Second} // the third takes longer than that
		if !slices.Equal(began, want) {
			t.Errorf("rounds began after %v, want %v", began, want)
		}
	})
}

// writer is a function that is written to.
type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// TestWatchLimit says that a round took too long.
func TestWatchLimit(t *testing.T) {
	c, _, cfg := newWorld(".watch 0.05 [n for n in range(100000)]")
	s := runtime.New(runtime.Config{Stdout: cfg.Output, Stderr: c.screen, MaxSteps: 1000})
	if err := Run(s, c, cfg); err != nil {
		t.Fatal(err)
	}
	if screen := c.screen.String(); !strings.Contains(screen, runtime.ErrSteps.Error()) {
		t.Errorf("nothing is said of the limit:\n%s", screen)
	}
}
