package repl

import (
	"errors"
	"testing"

	"bpfsh/runtime"

	"github.com/google/go-cmp/cmp"
	"go.starlark.net/starlark"
)

// TestWatch runs statements again until they are interrupted, or fail.
func TestWatch(t *testing.T) {
	c, s, cfg := newWorld("n = [1]", "len(n)", ".watch 0.05", ".watch 0.05 n.append(2) or len(n)", ".watch 0.06 nap()", "1",
		".watch 0.05 n.pop() // len(n)")
	shown := 0
	cfg.Echo = func(v starlark.Value) (string, error) {
		if shown++; shown == 4 || shown == 7 {
			go func() {
				for !s.Interrupt(errors.New("interrupt")) {
				}
			}()
		}
		return "=" + v.String(), nil
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
	for name := range s.Globals() {
		if !isName(name) {
			t.Errorf("%q is left behind", name)
		}
	}
}
