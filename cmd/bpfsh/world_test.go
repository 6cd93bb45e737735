package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"golang.org/x/sys/unix"
)

// world is a bpffs and maps of the kernel that a test has for itself, to see whether something changes them.
type world struct {
	dir string
	// prefix begins the names of the maps. It is the run's own, since others make maps at the same time, and kernels keep a
	// prog_array now and then that nobody holds any more.
	prefix string
	held   map[uint32]bool          // the ids of the maps that this process had open when all was made
	run    func(code string) string // in the shell that holds the maps
}

// newWorld runs code that makes maps whose names begin with own_, and pins some of them in dir.
func newWorld(t *testing.T, made string) *world {
	t.Helper()
	needKernel(t)
	w := &world{dir: kerneltest.BPFFS(t), prefix: fmt.Sprintf("d%05x_", rand.N(1<<20)), run: runner(t, "kernel")}
	w.run(w.named(fmt.Sprintf("dir = %q\n", w.dir) + made))
	w.held = heldMaps(t)
	return w
}

// heldMaps are the ids of the maps that this process has open.
func heldMaps(t *testing.T) map[uint32]bool {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fdinfo")
	if err != nil {
		t.Fatal(err)
	}
	held := map[uint32]bool{}
	for _, f := range files {
		text, err := os.ReadFile("/proc/self/fdinfo/" + f.Name())
		if errors.Is(err, unix.ENOENT) { // it was that of the directory
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, after, ok := strings.Cut(string(text), "\nmap_id:"); ok {
			var id uint32
			if _, err := fmt.Sscan(after, &id); err != nil {
				t.Fatal(err)
			}
			held[id] = true
		}
	}
	return held
}

// madeNone wants this process to have no map open that was not there when the world was made, whatever its name, but for
// those with which programs are run.
func (w *world) madeNone(t *testing.T) {
	t.Helper()
	for id := range heldMaps(t) {
		m, err := (&kernel.Engine{}).OpenID(id, true)
		if err != nil {
			t.Fatal(err)
		}
		if name := m.Info().Name; !w.held[id] && !strings.HasPrefix(name, "bpfsh_") {
			t.Errorf("map %q (id %d) was made", name, id)
		}
		m.Close()
	}
}

// named is a text with the names that maps have in this run.
func (w *world) named(text string) string { return strings.ReplaceAll(text, "own_", w.prefix) }

// scrubbed is the reverse, with DIR for the bpffs.
func (w *world) scrubbed(text string) string {
	return strings.NewReplacer(w.prefix, "own_", w.dir, "DIR").Replace(text)
}

// unchanged compares the world with what it was before.
func (w *world) unchanged(t *testing.T, before map[string]string) {
	t.Helper()
	w.madeNone(t)
	after := w.state(t)
	if maps.Equal(before, after) {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(after)) {
		if before[key] != after[key] {
			t.Errorf("%s was %.200q and is %.200q", key, before[key], after[key])
		}
	}
	t.Errorf("%d things there, %d before", len(after), len(before))
}

// state is all that can be read of the maps and the pins.
func (w *world) state(t *testing.T) map[string]string {
	t.Helper()
	e := &kernel.Engine{}
	state := map[string]string{}
	for id := uint32(0); ; {
		next, err := e.NextID(id)
		if errors.Is(err, unix.ENOENT) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		id = next
		m, err := e.OpenID(id, true)
		if errors.Is(err, unix.ENOENT) { // of another test
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(m.Info().Name, w.prefix) {
			name := fmt.Sprintf("%s id=%d", m.Info().Name, id)
			frozen, err := m.Frozen()
			memory, err2 := m.Memory()
			state[name] = fmt.Sprintf("%+v frozen %v %v memory %d %v", *m.Info(), frozen, err, memory, err2)
			addEntries(t, m, state, name)
		}
		m.Close()
	}
	files, err := os.ReadDir(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		m, err := e.OpenPin(w.dir+"/"+f.Name(), true)
		if err != nil { // the kernel puts things of its own there
			state["pin "+f.Name()] = err.Error()
			continue
		}
		state["pin "+f.Name()] = fmt.Sprint(m.Info().ID)
		m.Close()
	}
	if len(state) < 10 {
		t.Fatalf("there are only %d things", len(state))
	}
	return state
}

// addEntries adds what is in a map: its entries, what a queue gives next, or the records that nobody has consumed.
func addEntries(t *testing.T, m engine.Map, state map[string]string, name string) {
	t.Helper()
	kind := engine.KindOf(m.Info().Type)
	switch {
	case kind.Shape == engine.Members:
		var found []bool
		for n := range 100 {
			found = append(found, m.Lookup(nil, []byte{byte(n), 0, 0, 0}, 0) == nil)
		}
		state[name+" members"] = fmt.Sprint(found)
		return
	case kind.Shape == engine.Ordered:
		value := make([]byte, m.Info().ValueSize)
		err := m.Lookup(nil, value, 0)
		state[name+" next"] = fmt.Sprint(value, err)
		return
	case kind.Shape == engine.Opaque && kind.Streams:
		tap, err := m.Tap(engine.Backlog)
		if err != nil {
			t.Fatal(err)
		}
		defer tap.Close()
		state[name+" consumed"] = fmt.Sprint(tap.Position())
		for n := 0; ; n++ {
			record, err := tap.Next(nil)
			if errors.Is(err, unix.EAGAIN) {
				return
			}
			if err == nil {
				err = tap.Take()
			}
			if err != nil {
				t.Fatal(err)
			}
			state[fmt.Sprintf("%s record %d", name, n)] = fmt.Sprintf("%x", record)
		}
	}
	k, v := int(m.Info().KeySize), m.Info().Stride()
	for walk := engine.NewWalk(m, 0); ; {
		b, err := walk.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.N {
			state[fmt.Sprintf("%s[%x]", name, b.Keys[i*k:(i+1)*k])] = fmt.Sprintf("%x", b.Values[i*v:(i+1)*v])
		}
	}
}
