package builtins_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"bpfsh/builtins"
	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/memory"
	"bpfsh/runtime"

	"github.com/google/go-cmp/cmp"
	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"
)

// recorder notes the entries that are written and removed, in order, and may fail or be interrupted at one of them.
type recorder struct {
	engine.Engine
	log    strings.Builder
	failAt int // the write that fails, from 1; 0: none
	hook   func()
	writes int
}

func (r *recorder) Create(spec engine.Spec) (engine.Map, error) {
	m, err := r.Engine.Create(spec)
	return recorded{m, r}, err
}

type recorded struct {
	engine.Map
	r *recorder
}

// each does a batch one by one.
func (r *recorder) each(sign string, keys []byte, n int, do func(i int) error) (int, error) {
	for i := range n {
		if r.writes++; r.writes == r.failAt {
			if r.hook == nil {
				return i, unix.ENOMEM
			}
			r.hook()
		}
		if err := do(i); err != nil {
			return i, err
		}
		fmt.Fprintf(&r.log, "%s%d ", sign, keys[4*i])
	}
	return n, nil
}

func (m recorded) UpdateBatch(keys, values []byte, n int, flags uint64) (int, error) {
	v := m.Info().Stride()
	return m.r.each("+", keys, n, func(i int) error { return m.Map.Update(keys[4*i:4*i+4], values[v*i:v*(i+1)], flags) })
}

func (m recorded) DeleteBatch(keys []byte, n int) (int, error) {
	return m.r.each("-", keys, n, func(i int) error { return m.Map.Delete(keys[4*i : 4*i+4]) })
}

// applied runs a script on a recorder, and returns what was written by it alone.
func applied(r *recorder, made, code string) (log, out string, err error) {
	r.Engine = &memory.Engine{}
	library := builtins.New(r, nil)
	defer library.Close()
	predeclared := library.Predeclared()
	var s *runtime.Session
	pressed := errors.New("pressed")
	failAt := r.failAt
	r.failAt = 0
	predeclared["arm"] = starlark.NewBuiltin("arm", func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
		r.log.Reset()
		r.writes, r.failAt = 0, failAt
		if r.hook != nil {
			r.hook = func() { s.Interrupt(pressed) }
		}
		return starlark.None, nil
	})
	var printed bytes.Buffer
	s = runtime.New(runtime.Config{Stdout: &printed, Predeclared: predeclared})
	err = s.Run("test.star", []byte(made+"\narm()\n"+code))
	s.Flush()
	return strings.TrimSpace(r.log.String()), printed.String(), err
}

// TestApplyOrder writes what is new before what is old goes; where there is no room for both, as much as has to goes before.
// What an LRU map could push out goes first. What is the same is not written.
func TestApplyOrder(t *testing.T) {
	for _, test := range []struct{ name, made, want, log string }{
		{"room", `create("hash", key="u32", value="u8", max_entries=8)`, "{1: 1, 2: 9, 5: 5, 6: 6}", "+2 +5 +6 - -"},
		{"room for one", `create("hash", key="u32", value="u8", max_entries=5)`, "{1: 1, 2: 9, 5: 5, 6: 6}", "+2 - +5 +6 -"},
		{"full", `create("hash", key="u32", value="u8", max_entries=4)`, "{1: 1, 2: 9, 5: 5, 6: 6}", "+2 - - +5 +6"},
		{"evicts", `create("lru_hash", key="u32", value="u8", max_entries=100)`, "{1: 1, 2: 9, 5: 5, 6: 6}", "+2 - - +5 +6"},
		{"evicts nothing", `create("lru_hash", key="u32", value="u8", max_entries=100)`, "{1: 1, 2: 9}", "+2 - -"},
		{"same", `create("hash", key="u32", value="u8", max_entries=4)`, "{n: n for n in range(1, 5)}", ""},
		{"empty", `create("hash", key="u32", value="u8", max_entries=4)`, "{}", "- - - -"},
	} {
		log, _, err := applied(&recorder{}, "m = "+test.made+"\nm.update_batch({n: n for n in range(1, 5)})", "apply(m, "+test.want+")")
		if got := inOrder(log); err != nil || got != test.log {
			t.Errorf("%s: wrote %s, %v, want %s", test.name, got, err, test.log)
		}
	}
}

// inOrder sorts the entries of each run of writes, and leaves of removals that they are some: a map gives its entries in an
// order of its own.
func inOrder(log string) string {
	fields := strings.Fields(log)
	for i, f := range fields {
		if f[0] == '-' {
			fields[i] = "-"
		}
	}
	for start := 0; start < len(fields); {
		end := start
		for end < len(fields) && fields[end][0] == fields[start][0] {
			end++
		}
		for i := start; i < end; i++ {
			for j := i + 1; j < end; j++ {
				if fields[j] < fields[i] {
					fields[i], fields[j] = fields[j], fields[i]
				}
			}
		}
		start = end
	}
	return strings.Join(fields, " ")
}

// TestApplyFails says exactly what was done, at each place where it can end, by an error or by Ctrl-C.
func TestApplyFails(t *testing.T) {
	const made = `m = create("hash", key="u32", value="u8", max_entries=8, name="m")
m.update_batch({n: n for n in range(1, 5)})`
	const code = `_, err = catch(apply, m, {1: 1, 2: 9, 5: 5, 6: 6})
print(err, err.count, err.errno, err.key)`
	for failAt, want := range map[int]string{
		1: `apply: map "m": stopped after 0 of 5 (0 added, 0 changed, 0 removed): key 2: `,
		2: `apply: map "m": stopped after 1 of 5 (0 added, 1 changed, 0 removed): key 5: `,
		3: `apply: map "m": stopped after 2 of 5 (1 added, 1 changed, 0 removed): key 6: `,
		4: `apply: map "m": stopped after 3 of 5 (2 added, 1 changed, 0 removed): key `,
		5: `apply: map "m": stopped after 4 of 5 (2 added, 1 changed, 1 removed): key `,
	} {
		log, out, err := applied(&recorder{failAt: failAt}, made, code)
		if err != nil || !strings.HasPrefix(out, want) || !strings.Contains(out, fmt.Sprintf(" %d ENOMEM ", failAt-1)) {
			t.Errorf("write %d fails: got %s, %v, want %s", failAt, out, err, want)
		}
		if n := len(strings.Fields(log)); n != failAt-1 {
			t.Errorf("write %d fails: %d were done: %s", failAt, n, log)
		}
		// Between two steps the run is looked at: what was begun is ended.
		log, _, err = applied(&recorder{failAt: failAt, hook: func() {}}, made, `apply(m, {1: 1, 2: 9, 5: 5, 6: 6})`)
		n := len(strings.Fields(log))
		if n == 5 { // it came with the last step
			continue
		}
		said, ok := errors.AsType[*builtins.Error](err)
		if !ok || !strings.Contains(said.Error(), fmt.Sprintf("stopped after %d of 5 (", n)) || !strings.HasSuffix(said.Error(), ": pressed") {
			t.Errorf("interrupted at write %d, after %d: %v, which is %v", failAt, n, said, err)
		}
	}
}

// TestApplyOperator asks before several entries go, and not before others.
func TestApplyOperator(t *testing.T) {
	const made = `m = create("hash", key="u32", value="u32", max_entries=9000, name="flows")
m.update_batch({n: n for n in range(5000)})
a = create("array", value="u32", max_entries=4, name="slots")
a.update_batch({n: n + 1 for n in range(4)})
s = snapshot(m)
`
	for _, test := range []struct {
		code             string
		yes              bool
		asked, said, err string
		m                int
	}{
		{"apply(m, {})", true, `remove 5,000 entries of map "flows" (id 1)?`, `apply: removed 5,000 entries of map "flows" (id 1)`, "", 0},
		{"apply(m, {})", false, `remove 5,000 entries of map "flows" (id 1)?`, "", "it was not confirmed, and nothing was done", 5000},
		{"apply(m, {}, force=True)", false, "", `apply: removed 5,000 entries of map "flows" (id 1)`, "", 0},
		{"apply(m, {}, dry_run=True)", false, "", "", "", 5000},
		{"apply(m, {n: n for n in range(1, 5000)})", false, "", `apply: removed 1 entry of map "flows" (id 1)`, "", 4999},
		{"apply(m, {n: 7 for n in range(6000)})", false, "", "", "", 6000},
		{"apply(a, {0: 1})", false, `zero 3 entries of map "slots" (id 2)?`, "", "it was not confirmed, and nothing was done", 5000},
		{"apply(a, {0: 1, 1: 2, 2: 3})", false, "", "", "", 5000},
		{"m.update_batch({n: n for n in range(5000, 5003)}); restore(m, s)", true, `remove 3 entries of map "flows" (id 1)?`, `restore: removed 3 entries of map "flows" (id 1)`, "", 5000},
		{"m.update_batch({n: n for n in range(5000, 5003)}); restore(m, s, force=True)", false, "", `restore: removed 3 entries of map "flows" (id 1)`, "", 5000},
		{"m.clear(force=True); restore(m, s)", false, "", `clear: removed 5,000 entries of map "flows" (id 1)`, "", 5000},
	} {
		t.Run(fmt.Sprintf("%s %t", test.code, test.yes), func(t *testing.T) {
			library := builtins.New(&memory.Engine{}, nil)
			defer library.Close()
			s := runtime.New(runtime.Config{Predeclared: library.Predeclared()})
			if err := s.Run("made.star", []byte("pass")); err != nil {
				t.Fatal(err)
			}
			var asked, said []string
			if err := chunk(s, made); err != nil {
				t.Fatal(err)
			}
			library.SetOperator(&builtins.Operator{
				Confirm: func(question string) (bool, error) { asked = append(asked, question); return test.yes, nil },
				Say:     func(text string) { said = append(said, text) },
			})
			err := chunk(s, test.code)
			if got := fmt.Sprint(err); test.err == "" && err != nil || !strings.Contains(got, test.err) {
				t.Errorf("got error %v, want %q", err, test.err)
			}
			if diff := cmp.Diff([]string{test.asked, test.said}, []string{strings.Join(asked, "|"), strings.Join(said, "|")}); diff != "" {
				t.Errorf("asked and said (-want +got):\n%s", diff)
			}
			library.SetOperator(nil)
			if err := chunk(s, fmt.Sprintf("m.count() == %d or fail(m.count())", test.m)); err != nil {
				t.Error(err)
			}
		})
	}
}
