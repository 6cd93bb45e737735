package builtins_test

import (
	"errors"
	"path/filepath"
	"reflect"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/dryrun"
	"bpfsh/builtins/engine/kernel/kerneltest"
	"bpfsh/builtins/engine/memory"
	"bpfsh/runtime"

	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"
)

// openReadOnly lets a session open all maps with readonly=True, whatever it asks for.
func openReadOnly(s *runtime.Session) {
	open := s.Globals()["open"].(starlark.Callable)
	s.Globals()["open"] = starlark.NewBuiltin("open", func(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var rest []starlark.Tuple
		for _, arg := range kwargs {
			if arg[0] != starlark.String("readonly") {
				rest = append(rest, arg)
			}
		}
		return starlark.Call(thread, open, args, append(rest, starlark.Tuple{starlark.String("readonly"), starlark.True}))
	})
}

// The error of what is done through a handle that was opened so, and its hint.
const openedReadOnly, openedReadOnlyHint = "it was opened read-only", "open it without readonly=True"

// TestReadOnlyHandleRows runs the example of each row on handles that were opened with readonly=True, also in a dry run:
// nothing is changed through them, nor through what they lead to, and what only reads works. The maps that an example makes
// can be written.
func TestReadOnlyHandleRows(t *testing.T) {
	for name, wrapped := range map[string]func(engine.Engine) engine.Engine{
		"run":     func(e engine.Engine) engine.Engine { return e },
		"dry run": func(e engine.Engine) engine.Engine { return dryrun.New(e) },
	} {
		want := expectation{
			enter: func(t *testing.T, s *stage) (left func()) {
				s.wrapped, s.enter = wrapped, openReadOnly
				was := everything(t, s.e, s.was)
				return func() {
					if is := everything(t, s.e, s.was); is != was {
						t.Errorf("it was\n%s\nand is\n%s", was, is)
					}
				}
			},
			counts:   func(a answer) bool { return a.was && a.op != "Create" },
			refusal:  func(a answer) bool { return a.readonly && errors.Is(a.err, unix.EPERM) },
			breach:   func(a answer) bool { return a.changes() && a.readonly && a.err == nil || a.opensToWrite() },
			says:     openedReadOnly,
			hint:     openedReadOnlyHint,
			changing: 25,
			untried:  []string{"Create", "Unpin", "WriteAt"},
		}
		t.Run(name, want.hold)
	}
}

// TestReadOnlyHandleEngines calls each operation that changes a map on a handle that cannot write, of each type: each
// engine refuses it by itself, whatever stands before it.
func TestReadOnlyHandleEngines(t *testing.T) {
	for name, e := range map[string]engine.Engine{"memory": &memory.Engine{}, "kernel": nil, "dry run": dryrun.New(&memory.Engine{})} {
		t.Run(name, func(t *testing.T) {
			path := "/sys/fs/bpf/again"
			if name == "kernel" {
				e, path = kerneltest.Engine(t), filepath.Join(kerneltest.BPFFS(t), "again")
			}
			refused := map[string]bool{}
			for _, typ := range []string{"hash", "percpu_hash", "lru_hash", "array", "percpu_array", "lpm_trie", "queue", "stack", "bloom_filter", "hash_of_maps", "array_of_maps", "ringbuf", "perf_event_array"} {
				refusals(t, e, typ, path, func(op string, err error) {
					if err == nil {
						t.Errorf("%s: %s is not refused", typ, op)
					}
					refused[op] = refused[op] || errors.Is(err, unix.EPERM)
				})
			}
			if m, err := e.OpenPin(path, true); err == nil {
				m.Close()
				t.Error("there is a pin")
			}
			for m := range reflect.TypeFor[engine.Writer]().Methods() {
				lacks := name != "kernel" && (m.Name == "Consume" || m.Name == "ProgramOutput") // no type has records
				if refused[m.Name] == lacks {
					t.Errorf("%s is refused with EPERM by a type: %v", m.Name, refused[m.Name])
				}
			}
		})
	}
}

// refusals makes a map, calls each operation on handles that cannot write to it, by its id and by its pin, and tells f what
// they answer. path is where they would pin it.
func refusals(t *testing.T, e engine.Engine, typ, path string, f func(op string, err error)) {
	t.Helper()
	number := kerneltest.Type(t, typ)
	kind := engine.KindOf(number)
	spec := engine.Spec{Type: number, ValueSize: 4, MaxEntries: 4096, Flags: kind.Flags}
	switch {
	case kind.Trie:
		spec.KeySize = 8
	case kind.Keyed():
		spec.KeySize = 4
	case typ == "ringbuf":
		spec.ValueSize = 0
	}
	if typ == "array" {
		spec.Flags |= unix.BPF_F_MMAPABLE
	}
	if kind.Nests {
		spec.Inner = &engine.Spec{Type: kerneltest.Type(t, "array"), KeySize: 4, ValueSize: 4, MaxEntries: 1}
	}
	free, err := e.Create(spec)
	if _, unknown := errors.AsType[*engine.UnknownError](err); unknown || errors.Is(err, memory.ErrNoType) || errors.Is(err, engine.ErrAbsent) {
		return
	}
	if err != nil {
		t.Fatalf("%s: %v", typ, err)
	}
	defer free.Close()
	pin := path + "_it_is"
	if err := free.Pin(pin, false); err != nil {
		t.Fatal(err)
	}
	defer e.Unpin(pin)
	for _, open := range []func() (engine.Map, error){
		func() (engine.Map, error) { return e.OpenID(free.Info().ID, true) },
		func() (engine.Map, error) { return e.OpenPin(pin, true) },
	} {
		m, err := open()
		if err != nil {
			t.Fatal(err)
		}
		for op := range reflect.TypeFor[engine.Writer]().Methods() {
			f(op.Name, callWith(t, reflect.ValueOf(m).MethodByName(op.Name), path))
		}
		m.Close()
	}
	if frozen, err := free.Frozen(); frozen || err != nil {
		t.Errorf("%s: it is frozen: %v, %v", typ, frozen, err)
	}
}
