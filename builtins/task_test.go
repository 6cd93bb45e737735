package builtins_test

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"bpfsh/builtins"
	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/memory"
	"bpfsh/runtime"
	"bpfsh/runtime/render"
)

// slow is an engine whose maps take their time for many entries.
type slow struct{ engine.Engine }

func (e slow) Create(spec engine.Spec) (engine.Map, error) {
	m, err := e.Engine.Create(spec)
	return slowMap{m}, err
}

type slowMap struct{ engine.Map }

func nap() { time.Sleep(200 * time.Millisecond) }

func (m slowMap) UpdateBatch(keys, values []byte, n int, flags uint64) (int, error) {
	nap()
	return m.Map.UpdateBatch(keys, values, n, flags)
}

func (m slowMap) DeleteBatch(keys []byte, n int) (int, error) {
	nap()
	return m.Map.DeleteBatch(keys, n)
}

func (m slowMap) LookupBatch(cur *engine.Cursor, keys, values []byte, n int) (int, error) {
	nap()
	return m.Map.LookupBatch(cur, keys, values, min(n, 1024))
}

// TestProgress tells how far each long operation is, and leaves nothing of it on the screen.
func TestProgress(t *testing.T) {
	const made = `m = create("hash", key="u32", value="u32", max_entries=20000, name="flows")
for n in range(4096): m[n] = n
few = create("hash", key="u32", value="u32", max_entries=2000, name="few")
for n in range(1900): few[n] = n
`
	for _, test := range []struct{ code, want string }{
		{"m.update_batch({n: n for n in range(1900)})", `update_batch 1,\d+ of 1,900  \d+%`},
		{"catch(m.update_batch, m.lookup_batch(), flags=99)", `update_batch reads [1-4],\d+`},
		{"catch(m.update_batch, m.items(), flags=99)", `update_batch reads [1-4],\d+`},
		{"m.delete_batch(range(1900))", `delete_batch 1,\d+ of 1,900  \d+%`},
		{"m.clear()", `clear [1-4],\d+ of 4,096  `},
		{"few.clear()", `clear 1,\d+  [\d.]+`}, // nobody counts the entries of a small map
		{"show(m)", `show [1-4],\d+`},
		{"show(m, format='csv')", `show [1-4],\d+`},
		{"sum(m.values())", `sum [1-4],\d+`},
		{"snapshot(m)", `snapshot [1-4],\d+ of 4,096`},
		{"apply(few, {})", `apply 1,\d+ of 1,900`},
		{"m.lookup(5)", ""},
	} {
		t.Run(test.code, func(t *testing.T) {
			t.Parallel()
			var drawn bytes.Buffer
			library := builtins.New(slow{&memory.Engine{}}, nil)
			defer library.Close()
			library.SetDisplay(builtins.Display{
				Out: io.Discard, Options: func() render.Options { return render.Options{} },
				Progress: func() *render.Progress { return &render.Progress{Out: &drawn} },
			})
			s := runtime.New(runtime.Config{Predeclared: library.Predeclared()})
			if err := s.Run("long.star", []byte(made+test.code)); err != nil {
				t.Fatal(err)
			}
			got := drawn.String()
			if !regexp.MustCompile(test.want).MatchString(got) || test.want == "" && got != "" {
				t.Errorf("drawn %q, want %s", got, test.want)
			}
			if got != "" && !strings.HasSuffix(got, "\r\x1b[K") {
				t.Errorf("something is left of %q", got)
			}
		})
	}
}

// TestProgressThenSaid takes the line away before the operator hears what was done.
func TestProgressThenSaid(t *testing.T) {
	for op, args := range map[string]string{"delete_batch": "range(1900)", "clear": ""} {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			var drawn bytes.Buffer
			library := builtins.New(slow{&memory.Engine{}}, nil)
			defer library.Close()
			library.SetDisplay(builtins.Display{Progress: func() *render.Progress { return &render.Progress{Out: &drawn} }})
			library.SetOperator(&builtins.Operator{
				Confirm: func(string) (bool, error) { return true, nil },
				Say:     func(text string) { drawn.WriteString(text) },
			})
			s := runtime.New(runtime.Config{Predeclared: library.Predeclared()})
			source := `m = create("hash", key="u32", value="u32", max_entries=2000)
for n in range(1900): m[n] = n
m.` + op + "(" + args + ")"
			if err := s.Run("long.star", []byte(source)); err != nil {
				t.Fatal(err)
			}
			before, _, ok := strings.Cut(drawn.String(), op+": removed 1,900 entries")
			if !ok || !strings.Contains(before, op) || !strings.HasSuffix(before, "\r\x1b[K") {
				t.Errorf("drawn %q, want a line that is taken away, and what was done", drawn.String())
			}
		})
	}
}
