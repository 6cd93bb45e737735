package builtins_test

import (
	"os"
	"strings"
	"testing"

	"bpfsh/builtins"
	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/memory"
	"bpfsh/builtins/engine/memory/faulttest"
	"bpfsh/builtins/engine/readonly"
	"bpfsh/runtime"
	"bpfsh/runtime/method"
)

// changes are the operations of an engine that change something.
var changes = []string{
	"Create", "Unpin", "Update", "WriteAt", "Delete", "LookupAndDelete", "LookupAndDeleteBatch", "UpdateBatch", "DeleteBatch",
	"Freeze", "Pin", "ProgramUpdate", "ProgramDelete", "ProgramPush", "ProgramPop", "ProgramOutput", "ProgramAdd", "Consume",
}

func changed(e *faulttest.Engine) (n int) {
	for _, op := range changes {
		n += e.Calls(op)
	}
	return n
}

// world is an engine with the maps that the examples of the rows use, which live as long as the test.
func world(t *testing.T) *faulttest.Engine {
	t.Helper()
	made, err := os.ReadFile("../cmd/bpfsh/testdata/example.star")
	if err != nil {
		t.Fatal(err)
	}
	e := faulttest.New(&memory.Engine{}, faulttest.Fault{})
	library := builtins.New(e, nil)
	s := runtime.New(runtime.Config{Predeclared: library.Predeclared()})
	if err := chunk(s, string(made)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		clear(s.Globals()) // which have held the maps
		library.Close()
	})
	return e
}

// opened are the names of the examples, for maps that are there.
const opened = `
m, routes, queue, seen, drops, inner, outer = [open(name) for name in ["flows", "routes", "jobs", "seen", "drops", "inner", "outer"]]
`

// runExample runs a row's example on the engine, and returns its error.
func runExample(e engine.Engine, entry method.Entry) error {
	library := builtins.New(e, nil)
	defer library.Close()
	s := runtime.New(runtime.Config{Predeclared: library.Predeclared(), Stdin: strings.NewReader("10.0.0.1\n"), Args: []string{"word"}})
	return s.Run(entry.Name, []byte(opened+entry.Example))
}

// onExamples runs the example of each row in one world as it is, and then f, which is to run it in another, bound. writes
// says whether it has changed something.
func onExamples(t *testing.T, f func(t *testing.T, entry method.Entry, writes bool, bound *faulttest.Engine)) {
	t.Helper()
	object, err := os.ReadFile("../testdata/object/flow.o")
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range builtins.Topics() {
		for _, entry := range topic.Entries {
			if entry.Kind != "function" && entry.Kind != "method" || strings.Contains(entry.Example, "ringbuf") {
				continue // which no memory engine has: TestReadOnlyEvents and TestDryRunEvents are about them
			}
			t.Run(topic.Name+"/"+entry.Name, func(t *testing.T) {
				free, bound := world(t), world(t)
				t.Chdir(t.TempDir())
				if err := os.WriteFile("flow.o", object, 0o600); err != nil {
					t.Fatal(err)
				}
				before := changed(free)
				if err := runExample(free, entry); err != nil {
					t.Fatalf("as it is: %v", err)
				}
				writes := changed(free) > before
				before = changed(bound)
				f(t, entry, writes, bound)
				if n := changed(bound) - before; n != 0 {
					t.Errorf("it changed something %d times", n)
				}
			})
		}
	}
}

// TestReadOnlyRows runs the example of each row under --readonly: what would change something is refused before the
// engine hears of it, and the rest works.
func TestReadOnlyRows(t *testing.T) {
	writing := 0
	onExamples(t, func(t *testing.T, entry method.Entry, writes bool, bound *faulttest.Engine) {
		err := runExample(readonly.New(bound), entry)
		switch {
		case !writes && err != nil:
			t.Errorf("it only reads, and is refused: %v", err)
		case writes:
			writing++
			if err != nil && !strings.Contains(err.Error(), "--readonly: nothing is changed") {
				t.Errorf("got %v, want that --readonly refuses it", err)
			}
			if err == nil && !strings.Contains(entry.Example, "catch(") {
				t.Error("it would write, and is not refused")
			}
		}
	})
	const least = 20
	if writing < least {
		t.Errorf("%d rows write, want at least %d", writing, least)
	}
}

// TestReadOnlyOperators refuses what is written without a method.
func TestReadOnlyOperators(t *testing.T) {
	for _, code := range []string{
		`m["10.0.0.1"] = (1, 2)`, `m["10.0.0.9"] = (1, 2)`, `m.pin("/sys/fs/bpf/second")`, `m.pin("/sys/fs/bpf/flows", replace=True)`,
		`m.unpin("/sys/fs/bpf/flows")`, `outer[1][0] = 1`, `outer[2] = outer[1]`, `m.kernel.update("10.0.0.1", (1, 2), cpu=0)`,
		`open("/sys/fs/bpf/flows", readonly=False).clear()`, `open(m.id)["10.0.0.1"] = (1, 2)`, `[0 for b in m.pop_batch(1)]`,
		`[0 for v in queue.drain()]`, `m.update_batch({"10.0.0.1": (1, 2)}, flags=BPF_NOEXIST)`, `m.delete("10.0.0.9", missing_ok=True)`,
		`m.pop("10.0.0.9", default=None)`, `queue.pop(default=None)`, `create(like=m)`, `outer.create_inner()`,
		`apply(m, {})`, `apply(m, m)`, `restore(m, snapshot(m))`, `outer.swap(1, lambda new: fail("it was built"))`,
	} {
		t.Run(code, func(t *testing.T) {
			e := world(t)
			library := builtins.New(readonly.New(e), nil)
			defer library.Close()
			before := changed(e)
			err := runtime.New(runtime.Config{Predeclared: library.Predeclared()}).Run("x.star", []byte(opened+code))
			if n := changed(e) - before; n != 0 {
				t.Errorf("it changed something %d times", n)
			}
			if err == nil || !strings.Contains(err.Error(), "--readonly: nothing is changed (EPERM)") {
				t.Errorf("got %v, want that --readonly refuses it", err)
			}
		})
	}
}

// TestReadOnlySnapshots reads, compares and plans, and saves where it may.
func TestReadOnlySnapshots(t *testing.T) {
	e := world(t)
	t.Chdir(t.TempDir())
	library := builtins.New(readonly.New(e), nil)
	defer library.Close()
	before := changed(e)
	err := runtime.New(runtime.Config{Predeclared: library.Predeclared()}).Run("x.star", []byte(opened+`
s = snapshot(m)
s.save("x.jsonl") == 2 or fail("saved")
diff(s, load_snapshot("x.jsonl")) and fail("it is another")
diff(s, m) and fail("it has changed")
apply(m, {}, dry_run=True).removed == 2 or fail("planned")
restore(m, s, dry_run=True) and fail("planned to do something")
`))
	if err != nil || changed(e) != before {
		t.Errorf("got %v, and %d changes", err, changed(e)-before)
	}
}

// opens notes which handles of an engine's maps could write.
type opens struct {
	engine.Engine
	reading, writing int
}

func (e *opens) note(readonly bool) {
	if readonly {
		e.reading++
	} else {
		e.writing++
	}
}

func (e *opens) OpenID(id uint32, readonly bool) (engine.Map, error) {
	e.note(readonly)
	return e.Engine.OpenID(id, readonly)
}

func (e *opens) OpenPin(path string, readonly bool) (engine.Map, error) {
	e.note(readonly)
	return e.Engine.OpenPin(path, readonly)
}

// TestReadOnlyHandles asks the engine for no handle that could write, whatever the script asks for.
func TestReadOnlyHandles(t *testing.T) {
	for _, code := range []string{
		`open("flows")`, `open("flows", readonly=False)`, `open("/sys/fs/bpf/flows")`, `open("/sys/fs/bpf/flows", readonly=False)`, `open("outer")[1][0]`,
	} {
		t.Run(code, func(t *testing.T) {
			e := &opens{Engine: world(t)}
			library := builtins.New(readonly.New(e), nil)
			defer library.Close()
			if err := runtime.New(runtime.Config{Predeclared: library.Predeclared()}).Run("x.star", []byte(code)); err != nil {
				t.Fatal(err)
			}
			if e.reading == 0 || e.writing > 0 {
				t.Errorf("%d handles can read and %d can write, want none to write", e.reading, e.writing)
			}
		})
	}
}
