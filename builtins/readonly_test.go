package builtins_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"bpfsh/builtins"
	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/readonly"
	"bpfsh/runtime"
)

// TestReadOnlyRows runs the example of each row under --readonly: what would change something is refused before the
// engine hears of it, and the rest works.
func TestReadOnlyRows(t *testing.T) {
	want := expectation{
		enter: func(t *testing.T, s *stage) (left func()) {
			s.wrapped = func(e engine.Engine) engine.Engine { return readonly.New(e) }
			before := changed(s.e)
			return func() {
				if n := changed(s.e) - before; n != 0 {
					t.Errorf("the engine was asked for %d changes", n)
				}
			}
		},
		counts:   func(answer) bool { return true },
		refusal:  func(a answer) bool { return errors.Is(a.err, engine.ErrReadOnly) },
		breach:   func(a answer) bool { return a.changes() && !errors.Is(a.err, engine.ErrReadOnly) || a.opensToWrite() },
		says:     "--readonly: nothing is changed (EPERM)",
		hint:     "run it without --readonly",
		changing: 30,
		unshown:  []string{"ktime"},
		untried:  []string{"Unpin", "WriteAt"}, // who unpins is refused before; WriteAt is of variables, which are no row
	}
	want.hold(t)
}

// TestReadOnlyOperators refuses what is written without a method, or in other ways than the examples do.
func TestReadOnlyOperators(t *testing.T) {
	writes := []string{
		`m["10.0.0.1"] = (1, 2)`, `m["10.0.0.9"] = (1, 2)`, `m["10.0.0.1"] = m["10.0.0.2"]`, `m["10.0.0.1"] = m["10.0.0.1"].replace(packets=9)`,
		`inner[0] += 1`, `outer[1][0] += 1`, `outer[1][0] = 1`, `outer[2] = outer[1]`, `[m for m in outer.values()][0][0] = 1`,
		`drops[1] = drops[1]`, `drops[1] = [2] * cpus()`, `routes["10.0.0.0/8"] += 1`, `routes[[k for k in routes][0]] = 1`,
		`data.vars.counter = 7`, `data.vars.counter += 1`, `data[0] = data[0]`,
		`m.update_batch([b for b in m.lookup_batch()][0])`, `m.update_batch(m)`, `m.update_batch(snapshot(m))`, `m.delete_batch(m.keys())`,
		`m.pin("/sys/fs/bpf/second")`, `m.pin("/sys/fs/bpf/flows", replace=True)`, `m.unpin("/sys/fs/bpf/flows")`, `m.freeze()`, `outer[1].freeze()`,
		`outer[1].pin("/sys/fs/bpf/second")`, `m.kernel.update("10.0.0.1", (1, 2), cpu=0)`, `outer[1].kernel.update(0, 1)`, `outer.kernel.lookup(1)[0] = 1`, `catch(m.pop, "10.0.0.9")[1].map.clear()`,
		`[0 for b in m.pop_batch(1)]`, `[0 for v in queue.drain()]`, `m.update_batch({"10.0.0.1": (1, 2)}, flags=BPF_NOEXIST)`,
		`m.delete("10.0.0.9", missing_ok=True)`, `m.pop("10.0.0.9", default=None)`, `queue.pop(default=None)`,
		`apply(m, {})`, `apply(m, m)`, `restore(m, snapshot(m))`, `outer.swap(1, lambda new: fail("it was built"))`,
	}
	makes := []string{
		`open("/sys/fs/bpf/flows", readonly=False).clear()`, `open(m.id)["10.0.0.1"] = (1, 2)`, `create(like=m)`, `outer.create_inner()`,
		`load_object("../testdata/object/flow.o").maps["slots"].create()`,
	}
	for _, mode := range readOnlyModes {
		codes := writes
		if mode.all {
			codes = slices.Concat(writes, makes)
		}
		for _, code := range codes {
			t.Run(mode.name+"/"+code, func(t *testing.T) {
				if err := chunk(mode.session(t), code); err == nil || !strings.Contains(err.Error(), mode.says) {
					t.Errorf("got %v, want %q", err, mode.says)
				}
			})
		}
	}
}

// readOnlyMode is a way to permit nothing but reading.
type readOnlyMode struct {
	name string
	all  bool   // --readonly; or else each handle was opened so, and new maps can be made
	says string // what the error says
}

var readOnlyModes = []readOnlyMode{{"all", true, "--readonly: nothing is changed (EPERM)"}, {"handle", false, openedReadOnly}}

// session is one in the mode that has the maps of the examples, and one with variables. What it changes is an error of the
// test; in the first mode the engine is not even to be asked for it.
func (mode readOnlyMode) session(t *testing.T) *runtime.Session {
	t.Helper()
	world := world(t)
	keep(t, world, madeVars)
	var e engine.Engine = world
	if mode.all {
		e = readonly.New(world)
	}
	library := builtins.New(e, nil)
	t.Cleanup(library.Close)
	s := session(library)
	if !mode.all {
		openReadOnly(s)
	}
	if err := chunk(s, opened+openedVars); err != nil {
		t.Fatal(err)
	}
	world.Heard = func(op string, _ *engine.Info, err error) {
		if (answer{op: op}).changes() && (err == nil || mode.all) {
			t.Errorf("it asks for %s: %v", op, err)
		}
	}
	return s
}

// A map that has variables, and its name.
const (
	madeVars   = `data = load_object("../testdata/object/flow.o").maps[".data"].create()`
	openedVars = `data = open("flow.data")`
)

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

// TestReadOnlyHandles asks the engine for no handle that could write, whatever the script asks for.
func TestReadOnlyHandles(t *testing.T) {
	for _, code := range []string{
		`open("flows")`, `open("flows", readonly=False)`, `open("/sys/fs/bpf/flows")`, `open("/sys/fs/bpf/flows", readonly=False)`, `open("outer")[1][0]`,
	} {
		t.Run(code, func(t *testing.T) {
			e, opened := world(t), 0
			e.Heard = func(op string, on *engine.Info, err error) {
				if strings.HasPrefix(op, "Open") && err == nil {
					opened++
				}
				if (answer{op: op, readonly: on != nil && on.ReadOnly, err: err}).opensToWrite() {
					t.Errorf("%s opens a handle that can write", op)
				}
			}
			library := builtins.New(readonly.New(e), nil)
			defer library.Close()
			if err := runtime.New(runtime.Config{Predeclared: library.Predeclared()}).Run("x.star", []byte(code)); err != nil {
				t.Fatal(err)
			}
			if opened == 0 {
				t.Error("it has opened nothing")
			}
		})
	}
}

// TestReadOnlyEngine calls each operation that changes something on an engine that does not, with whatever arguments:
// it is refused, and the engine behind hears of nothing.
func TestReadOnlyEngine(t *testing.T) {
	behind := world(t)
	e := readonly.New(behind)
	m, err := e.OpenID(1, false)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	before, called := changed(behind), 0
	for _, on := range []reflect.Value{reflect.ValueOf(engine.Engine(e)), reflect.ValueOf(m)} {
		for _, op := range changes {
			method := on.MethodByName(op)
			if !method.IsValid() {
				continue
			}
			called++
			if err := callWith(t, method, ""); err != engine.ErrReadOnly {
				t.Errorf("%s answers %v", op, err)
			}
		}
	}
	if n := changed(behind) - before; n != 0 || called != len(changes) {
		t.Errorf("%d of %d operations were called, and %d heard of", called, len(changes), n)
	}
}

// callWith calls an operation and returns its error. Bytes are many zeros, strings are path, and numbers are 1.
func callWith(t *testing.T, method reflect.Value, path string) error {
	t.Helper()
	var args []reflect.Value
	for in := range method.Type().Ins() {
		arg := reflect.New(in).Elem()
		switch {
		case in == reflect.TypeFor[[]byte]():
			arg.SetBytes(make([]byte, 1<<16))
		case in == reflect.TypeFor[*engine.Cursor]():
			arg.Set(reflect.ValueOf(&engine.Cursor{}))
		case in == reflect.TypeFor[string]():
			arg.SetString(path)
		case arg.CanInt():
			arg.SetInt(1)
		}
		args = append(args, arg)
	}
	out := method.Call(args)
	err, _ := out[len(out)-1].Interface().(error)
	return err
}
