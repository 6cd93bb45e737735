package builtins_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"bpfsh/builtins"
	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"
	"bpfsh/builtins/engine/memory"
	"bpfsh/builtins/engine/memory/faulttest"
	"bpfsh/runtime"
	"bpfsh/runtime/method"

	"golang.org/x/sys/unix"
)

// The maps of the examples, read where the tests begin: they go elsewhere.
var made, noneMade = os.ReadFile("../cmd/bpfsh/testdata/example.star")

// world is an engine with the maps that the examples of the rows use, which live as long as the test.
func world(t *testing.T) *faulttest.Engine {
	t.Helper()
	if noneMade != nil {
		t.Fatal(noneMade)
	}
	e := faulttest.New(&memory.Engine{}, faulttest.Fault{})
	keep(t, e, string(made))
	return e
}

// keep runs code whose maps live as long as the test.
func keep(t *testing.T, e engine.Engine, code string) {
	t.Helper()
	library := builtins.New(e, nil)
	s := runtime.New(runtime.Config{Predeclared: library.Predeclared()})
	t.Cleanup(func() {
		clear(s.Globals()) // which have held the maps
		library.Close()
	})
	if err := chunk(s, code); err != nil {
		t.Fatal(err)
	}
}

// opened are the names of the examples, for maps that are there.
const opened = `
m, routes, queue, seen, drops, inner, outer = [open(name) for name in ["flows", "routes", "jobs", "seen", "drops", "inner", "outer"]]
`

// onRows runs f for each function and method, where the files are that their examples read.
func onRows(t *testing.T, f func(t *testing.T, entry method.Entry)) {
	t.Helper()
	object, err := os.ReadFile("../testdata/object/flow.o")
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range slices.Concat(builtins.Topics(), runtime.Topics()) {
		for _, entry := range topic.Entries {
			if entry.Kind != "function" && entry.Kind != "method" {
				continue
			}
			t.Run(topic.Name+"/"+entry.Name, func(t *testing.T) {
				t.Chdir(t.TempDir())
				if err := os.WriteFile("flow.o", object, 0o600); err != nil {
					t.Fatal(err)
				}
				f(t, entry)
			})
		}
	}
}

// session is one for examples, which end by themselves: one that waits for what is refused does not.
func session(library *builtins.Library) *runtime.Session {
	return runtime.New(runtime.Config{Predeclared: library.Predeclared(), Topics: builtins.Topics(), Stdin: strings.NewReader("10.0.0.1\n"), Args: []string{"10.0.0.1"}, Timeout: 10 * time.Second})
}

// unlessExit drops the error that is the end of the one example which has one.
func unlessExit(err error) error {
	if _, exits := errors.AsType[*runtime.Exit](err); exits {
		return nil
	}
	return err
}

// stage is where an example runs.
type stage struct {
	e       *faulttest.Engine
	opened  string          // what gives it its names
	was     map[uint32]bool // the maps that were there before, by their ids
	wrapped func(engine.Engine) engine.Engine
	enter   func(*runtime.Session) // what is done before the names are given; nil: nothing
}

// wantsRing says that an example makes a ring buffer, which the kernel alone has.
func wantsRing(entry method.Entry) bool { return strings.Contains(entry.Example, "ringbuf") }

// stageOf is where a row's example runs: in a world, or with a ring buffer of the kernel, which is what it gets where
// it makes one.
func stageOf(t *testing.T, entry method.Entry) *stage {
	t.Helper()
	if !wantsRing(entry) {
		s := &stage{e: world(t), opened: opened, was: map[uint32]bool{}}
		for id := uint32(0); ; {
			next, err := s.e.NextID(id)
			if errors.Is(err, unix.ENOENT) {
				return s
			}
			if err != nil {
				t.Fatal(err)
			}
			id = next
			s.was[id] = true
		}
	}
	e := kerneltest.Engine(t)
	ring := ringOf(t, e).Info().ID
	return &stage{
		e:      faulttest.New(e, faulttest.Fault{}),
		opened: fmt.Sprintf("def create(*_, **__): return open(%d)\n", ring),
		was:    map[uint32]bool{ring: true},
	}
}

// answer is what a call of an engine's operation has come to.
type answer struct {
	op       string
	was      bool // it is of a map that was there before, or of no map
	readonly bool // it is of a handle that cannot write
	err      error
}

func (a answer) changes() bool { return slices.Contains(changes, a.op) }

// opensToWrite says that it has opened a map that is there, so that it can be written.
func (a answer) opensToWrite() bool {
	return strings.HasPrefix(a.op, "Open") && a.err == nil && !a.readonly
}

// step is a statement of an example, and what came of it.
type step struct {
	code  string
	calls []answer
	err   error
}

// has says whether there was a call that would change something, such as is asked for.
func (s *step) has(such func(answer) bool) bool {
	return slices.ContainsFunc(s.calls, func(a answer) bool { return a.changes() && such(a) })
}

// runs says whether the statement calls a row by its name.
func (s *step) runs(entry method.Entry) bool { return strings.Contains(s.code, entry.Name+"(") }

// steps runs the statements of an example one by one, each whatever has become of those before it, and hears what they
// ask of the engine.
func (st *stage) steps(t *testing.T, entry method.Entry) (list []step) {
	t.Helper()
	var e engine.Engine = st.e
	if st.wrapped != nil {
		e = st.wrapped(e)
	}
	heard := faulttest.New(e, faulttest.Fault{})
	library := builtins.New(heard, nil)
	defer library.Close()
	s := session(library)
	if st.enter != nil {
		st.enter(s)
	}
	if err := chunk(s, st.opened); err != nil {
		t.Fatal(err)
	}
	for _, code := range statements(t, entry.Example) {
		now := step{code: code}
		heard.Heard = func(op string, on *engine.Info, err error) {
			now.calls = append(now.calls, answer{op, on == nil || st.was[on.ID], on != nil && on.ReadOnly, err})
		}
		now.err = unlessExit(chunk(s, code))
		heard.Heard = nil
		list = append(list, now)
	}
	return list
}

// run runs an example as one script, on the engine or on one that stands before it, and returns its error.
func (st *stage) run(e engine.Engine, entry method.Entry) error {
	library := builtins.New(e, nil)
	defer library.Close()
	return unlessExit(session(library).Run(entry.Name, []byte(st.opened+entry.Example)))
}

// statements are those of some code, one by one; of those that share a line, the line.
func statements(t *testing.T, code string) (list []string) {
	t.Helper()
	f, err := runtime.ChunkOptions().Parse("example.star", code, 0)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(code, "\n")
	at := 0
	for _, next := range f.Stmts[1:] {
		if start, _ := next.Span(); int(start.Line)-1 > at {
			list, at = append(list, strings.Join(lines[at:start.Line-1], "")), int(start.Line)-1
		}
	}
	return append(list, strings.Join(lines[at:], ""))
}

// expectation is what a mode makes of what examples change.
type expectation struct {
	enter    func(t *testing.T, s *stage) (left func()) // sets the mode; left looks at what has become of the engine
	counts   func(answer) bool                          // of what an example has changed as it is: the mode has to keep it from that
	refusal  func(answer) bool                          // of a call in the mode: it was refused as it should be
	breach   func(answer) bool                          // of any call in the mode: it should not have been
	says     string                                     // what the error says
	hint     string                                     // what to do instead
	changing int                                        // how many rows at least change something
	unshown  []string                                   // rows whose statement cannot come to what it would change: it is of a map that the example makes
	untried  []string                                   // operations that no example comes to
}

// hold runs the example of each row as it is and in a mode, statement by statement. Each statement that changes
// something as it is has its call refused in the mode, also where the example catches the error; and one that changes
// nothing works as it does without.
func (want *expectation) hold(t *testing.T) {
	t.Helper()
	changing, refused, skipped := 0, map[string]bool{}, 0
	onRows(t, func(t *testing.T, entry method.Entry) {
		skipped++
		free, bound := stageOf(t, entry), stageOf(t, entry)
		left := want.enter(t, bound)
		asItIs, inMode := free.steps(t, entry), bound.steps(t, entry)
		left()
		skipped--
		stopped, rowChanges, rowRefused := false, false, false
		for i := range asItIs {
			was, now := &asItIs[i], &inMode[i]
			if was.err != nil {
				t.Fatalf("as it is: %v", was.err)
			}
			for _, a := range now.calls {
				if want.breach(a) {
					t.Errorf("%s\nasks for %s, and gets %v", now.code, a.op, a.err)
				}
				if a.changes() && want.refusal(a) {
					refused[a.op] = true
				}
			}
			changes, refuses := was.has(want.counts), now.has(want.refusal)
			switch {
			case changes && !refuses && !stopped:
				t.Errorf("%s\nwould change something, and is not refused: %v", now.code, now.err)
			case refuses && now.err == nil && !strings.Contains(now.code, "catch("):
				t.Errorf("%s\nis refused, and the script does not hear of it", now.code)
			case refuses && now.err != nil && !want.explains(now.err):
				t.Errorf("%s\nsays %v, want %q and %q", now.code, now.err, want.says, want.hint)
			case !changes && refuses:
				t.Errorf("%s\nonly reads, and is refused: %v", now.code, now.err)
			case !changes && now.err != nil && !(stopped && follows(now.err, want.says)):
				t.Errorf("%s\nonly reads, and fails: %v", now.code, now.err)
			}
			stopped = stopped || refuses
			if now.runs(entry) {
				rowChanges, rowRefused = rowChanges || changes, rowRefused || refuses
			}
		}
		if rowChanges {
			changing++
		}
		if unshown := rowChanges && !rowRefused; unshown != slices.Contains(want.unshown, entry.Name) {
			t.Errorf("it changes something: %v; a statement has shown that it is refused: %v", rowChanges, rowRefused)
		}
	})
	if changing < want.changing {
		t.Errorf("%d rows change something, want at least %d", changing, want.changing)
	}
	for _, op := range changes {
		if skipped > 0 { // where there is no kernel to be had
			break
		}
		if refused[op] == slices.Contains(want.untried, op) {
			t.Errorf("%s was tried by an example: %v", op, refused[op])
		}
	}
}

// follows says whether an error is a consequence of what was refused before: something was not made, or the example
// tells of the refusal.
func follows(err error, says string) bool {
	return strings.Contains(err.Error(), "undefined: ") || strings.Contains(err.Error(), says)
}

// explains says whether an error is the mode's, with the way out.
func (want *expectation) explains(err error) bool {
	failed, ok := errors.AsType[*builtins.Error](err)
	return ok && strings.Contains(err.Error(), want.says) && strings.Contains(fmt.Sprint(failed.Detail("hint")), want.hint)
}
