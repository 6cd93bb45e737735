package dryrun_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/dryrun"
	"bpfsh/builtins/engine/memory"
	"bpfsh/builtins/engine/memory/faulttest"

	"golang.org/x/sys/unix"
)

func key(n int) []byte { return binary.NativeEndian.AppendUint32(nil, uint32(n)) }

// make makes a map with keys and values of 4 bytes, and with entries whose values are their keys.
func made(t *testing.T, e engine.Engine, typ string, room, entries int) engine.Map {
	t.Helper()
	number, ok := engine.TypeByName(typ)
	if !ok {
		t.Fatalf("no type %s", typ)
	}
	kind := engine.KindOf(number)
	spec := engine.Spec{Type: number, ValueSize: 4, MaxEntries: uint32(room), Flags: kind.Flags, Name: typ}
	if kind.Keyed() {
		spec.KeySize = 4
	}
	m, err := e.Create(spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	for n := range entries {
		k := key(n)
		if !kind.Keyed() {
			k = nil
		}
		if err := m.Update(k, key(n), 0); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// open opens a map by its id.
func open(t *testing.T, e engine.Engine, id uint32) engine.Map {
	t.Helper()
	m, err := e.OpenID(id, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// TestWalkAcross writes to a hash in the middle of a walk, when it is copied: each key that stays comes once, with what
// it has then.
func TestWalkAcross(t *testing.T) {
	const entries = 500
	walks := map[string]func(t *testing.T, m engine.Map, visit func(k, v int), between func()){
		"LookupBatch": func(t *testing.T, m engine.Map, visit func(k, v int), between func()) {
			for walk := engine.NewWalk(m, 32); ; {
				b, err := walk.Next()
				if err != nil {
					return
				}
				for i := range b.N {
					visit(int(binary.NativeEndian.Uint32(b.Keys[4*i:])), int(binary.NativeEndian.Uint32(b.Values[4*i:])))
				}
				between()
			}
		},
		"NextKey": func(t *testing.T, m engine.Map, visit func(k, v int), between func()) {
			var at []byte
			next, value := make([]byte, 4), make([]byte, 4)
			for m.NextKey(at, next) == nil {
				if err := m.Lookup(next, value, 0); err != nil {
					t.Fatal(err)
				}
				at = slices.Clone(next)
				visit(int(binary.NativeEndian.Uint32(next)), int(binary.NativeEndian.Uint32(value)))
				between()
			}
		},
	}
	for name, walk := range walks {
		t.Run(name, func(t *testing.T) {
			real := &memory.Engine{}
			m := open(t, dryrun.New(real), made(t, real, "hash", 2*entries, entries).Info().ID)
			seen, changed := map[int]int{}, map[int]bool{}
			walk(t, m, func(k, v int) {
				if seen[k]++; changed[k] && v == k {
					t.Errorf("key %d has its old value", k)
				}
			}, func() {
				if len(seen) < entries/4 || len(changed) > 0 { // once, in the middle of the walk
					return
				}
				for n := range entries {
					if seen[n] == 0 && n%2 == 0 {
						changed[n] = true
						if err := m.Update(key(n), key(n+1000), 0); err != nil {
							t.Fatal(err)
						}
					}
				}
				for n := entries; n < entries+10; n++ {
					if err := m.Update(key(n), key(n), 0); err != nil {
						t.Fatal(err)
					}
				}
			})
			for n := range entries {
				if seen[n] != 1 {
					t.Errorf("key %d came %d times", n, seen[n])
				}
			}
			if len(changed) == 0 {
				t.Error("nothing was written")
			}
			if n := len(seen) - entries; name == "NextKey" && n != 10 {
				t.Errorf("%d new keys came, want 10", n)
			}
		})
	}
}

// TestFailedCopy answers a write with the error of the copying, and is as before: the next write copies.
func TestFailedCopy(t *testing.T) {
	for _, nth := range []int{1, 2} {
		real := &memory.Engine{}
		id := made(t, real, "hash", 9000, 8000).Info().ID
		e := dryrun.New(faulttest.New(real, faulttest.Fault{Op: "LookupBatch", Nth: nth, Err: unix.EIO}))
		m := open(t, e, id)
		if err := m.Update(key(1), key(2), 0); err != unix.EIO {
			t.Fatalf("got %v, want EIO", err)
		}
		if changes, err := e.Plan(); len(changes) != 0 || err != nil {
			t.Fatalf("the plan has %d changes, %v", len(changes), err)
		}
		if err := m.Update(key(1), key(2), 0); err != nil {
			t.Fatal(err)
		}
		changes, err := e.Plan()
		if err != nil || len(changes) != 1 || changes[0].Entries.Changed != 1 || changes[0].Entries.Added+changes[0].Entries.Removed != 0 {
			t.Errorf("the plan is %+v, %v", changes, err)
		}
	}
}

// TestSequences does pushes and pops on a queue and a stack with and without values: "+5" pushes, "!5" makes room, "-"
// pops, "=" peeks. "?" is what is not known.
func TestSequences(t *testing.T) {
	tests := []struct {
		typ     string
		entries int // of 3: 0, 1, 2
		ops     string
		want    string
	}{
		{"queue", 0, "+5 +6 - - -", "ok ok 5 6 ENOENT"},
		{"queue", 0, "+5 +6 +7 +8 !9 - -", "ok ok ok E2BIG ok 6 7"},
		{"queue", 1, "= - = -", "0 0 ? ?"},
		{"queue", 2, "+7 - - +8", "ok 0 ? ok"},
		{"queue", 1, "+7 +8 +9", "ok ok E2BIG"},                   // there is one at least
		{"queue", 1, "+7 +8 !9 - - - -", "ok ok ok 7 8 9 ENOENT"}, // which went
		{"queue", 2, "!7 =", "ok ?"},                              // and may have gone
		{"queue", 2, "- +7 +8 +9 !1 - =", "0 ok ok ok ok 8 9"},
		{"stack", 0, "+5 +6 - - -", "ok ok 6 5 ENOENT"},
		{"stack", 2, "+5 - - -", "ok 5 1 ?"},
		{"stack", 2, "- +5 - -", "1 ok 5 ?"},
		{"stack", 2, "!5 - =", "ok 5 1"},
		{"stack", 1, "+7 +8 +9 !9 - - - -", "ok ok E2BIG ok 9 8 7 ENOENT"},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%s of %d %s", test.typ, test.entries, test.ops), func(t *testing.T) {
			real := &memory.Engine{}
			behind := faulttest.New(real, faulttest.Fault{})
			e := dryrun.New(behind)
			m := open(t, e, made(t, real, test.typ, 3, test.entries).Info().ID)
			var got []string
			value := make([]byte, 4)
			for _, op := range strings.Fields(test.ops) {
				var err error
				answer := "ok"
				switch op[0] {
				case '+', '!':
					var n int
					fmt.Sscan(op[1:], &n)
					err = m.Update(nil, key(n), map[byte]uint64{'+': unix.BPF_ANY, '!': unix.BPF_EXIST}[op[0]])
				case '-':
					err = m.LookupAndDelete(nil, value, 0)
					answer = fmt.Sprint(binary.NativeEndian.Uint32(value))
				case '=':
					err = m.Lookup(nil, value, 0)
					answer = fmt.Sprint(binary.NativeEndian.Uint32(value))
				}
				if _, unknown := errors.AsType[*engine.UnknownError](err); unknown {
					answer = "?"
				} else if errno, ok := err.(unix.Errno); ok {
					answer = unix.ErrnoName(errno)
				}
				got = append(got, answer)
			}
			if s := strings.Join(got, " "); s != test.want {
				t.Errorf("got %s, want %s", s, test.want)
			}
			if n := behind.Calls("Update") + behind.Calls("LookupAndDelete"); n != 0 {
				t.Errorf("the engine behind was called %d times", n)
			}
		})
	}
}

// TestPlannedWorld finds what was made and pinned, by id and by path, until nothing holds it.
func TestPlannedWorld(t *testing.T) {
	real := &memory.Engine{}
	there := made(t, real, "hash", 4, 1)
	if err := there.Pin("/sys/fs/bpf/there", false); err != nil {
		t.Fatal(err)
	}
	e := dryrun.New(real)
	ids := func() (list []uint32) {
		for id := uint32(0); ; list = append(list, id) {
			var err error
			if id, err = e.NextID(id); err != nil {
				return list
			}
		}
	}
	m := made(t, e, "hash", 4, 2)
	id := m.Info().ID
	if want := []uint32{there.Info().ID, dryrun.FirstID}; !slices.Equal(ids(), want) {
		t.Errorf("ids are %v, want %v", ids(), want)
	}
	if counts, err := e.Counts(); err != nil || counts[id] != 2 || counts[there.Info().ID] != 1 {
		t.Errorf("counts are %v, %v", counts, err)
	}
	for _, step := range []struct {
		what string
		do   func() error
		want error
	}{
		{"pin where there is one", func() error { return m.Pin("/sys/fs/bpf/there", false) }, unix.EEXIST},
		{"pin in its place", func() error { return m.Pin("/sys/fs/bpf/there", true) }, nil},
		{"pin under a pin", func() error { return m.Pin("/sys/fs/bpf/there/x", false) }, unix.ENOTDIR},
		{"pin in no directory", func() error { return m.Pin("/sys/fs/bpf/none/x", false) }, unix.ENOENT},
		{"pin with a dot", func() error { return m.Pin("/sys/fs/bpf/a.b", false) }, unix.EPERM},
		{"close", m.Close, nil},
		{"close again", m.Close, unix.EBADF},
		{"open", func() error { return found(e.OpenPin("/sys/fs/bpf/there", true))(id) }, nil},
		{"open by id", func() error { return found(e.OpenID(id, false))(id) }, nil},
		{"unpin", func() error { return e.Unpin("/sys/fs/bpf/there") }, nil},
		{"unpin again", func() error { return e.Unpin("/sys/fs/bpf/there") }, unix.ENOENT},
		{"open what is not pinned", func() error { return found(e.OpenPin("/sys/fs/bpf/there", true))(id) }, unix.ENOENT},
		{"open what is gone", func() error { return found(e.OpenID(id, false))(id) }, unix.ENOENT},
	} {
		if err := step.do(); err != step.want {
			t.Errorf("%s: got %v, want %v", step.what, err, step.want)
		}
	}
	if want := []uint32{there.Info().ID}; !slices.Equal(ids(), want) {
		t.Errorf("ids are %v, want %v", ids(), want)
	}
	changes, err := e.Plan()
	if err != nil || len(changes) != 3 || !changes[0].Gone || changes[1].Replaced.ID != there.Info().ID {
		t.Errorf("the plan is %+v, %v", changes, err)
	}
	if err := found(real.OpenPin("/sys/fs/bpf/there", true))(there.Info().ID); err != nil {
		t.Errorf("the pin that is there: %v", err)
	}
}

// found wants that what was opened is the map with an id, and closes it.
func found(m engine.Map, err error) func(id uint32) error {
	return func(id uint32) error {
		if err != nil {
			return err
		}
		defer m.Close()
		if got := m.Info().ID; got != id {
			return fmt.Errorf("it is map %d, not %d", got, id)
		}
		return nil
	}
}

// TestMisfit answers as a handle that may not write does, also where a write could not be tried.
func TestMisfit(t *testing.T) {
	real := &memory.Engine{}
	m := made(t, real, "hash", 4, 1)
	behind := faulttest.New(real, faulttest.Fault{})
	e := dryrun.New(behind)
	readonly, err := e.OpenID(m.Info().ID, true)
	if err != nil {
		t.Fatal(err)
	}
	defer readonly.Close()
	for what, err := range map[string]error{
		"update": readonly.Update(key(1), key(1), 0), "delete": readonly.Delete(key(0)), "freeze": readonly.Freeze(),
		"by a program": readonly.ProgramUpdate(key(1), key(1), 0, engine.AnyCPU),
	} {
		if err != unix.EPERM {
			t.Errorf("%s through a read-only handle: got %v, want EPERM", what, err)
		}
	}
	if n := behind.Calls("LookupBatch"); n != 0 {
		t.Errorf("what is refused has copied the map: %d calls", n)
	}
	free := open(t, e, m.Info().ID)
	if err := free.Update(key(1), key(1), 0); err != nil {
		t.Fatal(err)
	}
	value := make([]byte, 4)
	if err := readonly.Lookup(key(1), value, 0); err != nil {
		t.Errorf("what another handle has written: %v", err)
	}
	if err := readonly.Update(key(1), key(1), 0); err != unix.EPERM {
		t.Errorf("update through a read-only handle, behind a copy: got %v, want EPERM", err)
	}
}

// heldElsewhere is an engine with a map that another process has open too.
type heldElsewhere struct {
	engine.Engine
	id uint32
}

var elsewhere = engine.Process{PID: 1 << 30, Comm: "elsewhere"}

func (e *heldElsewhere) Holders() (engine.Holders, error) {
	h, err := e.Engine.Holders()
	h.Processes.By[e.id] = append(h.Processes.By[e.id], elsewhere)
	return h, err
}

// What holds maps is what would hold them: pins as they are planned, and this process where it has a handle on a map that
// was made here.
func TestHolders(t *testing.T) {
	real := &memory.Engine{}
	there := made(t, real, "hash", 4, 0)
	for _, name := range []string{"stays", "goes", "moves"} {
		if err := there.Pin("/sys/fs/bpf/"+name, false); err != nil {
			t.Fatal(err)
		}
	}
	e := dryrun.New(&heldElsewhere{real, there.Info().ID})
	m := made(t, e, "hash", 4, 0)
	kept := made(t, e, "array", 4, 0)
	for _, err := range []error{
		e.Unpin("/sys/fs/bpf/goes"),
		m.Pin("/sys/fs/bpf/moves", true),
		m.Pin("/sys/fs/bpf/./new", false),
		kept.Pin("/sys/fs/bpf/another", false),
		kept.Close(),
		open(t, e, there.Info().ID).Pin("/sys/fs/bpf/again", false),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	h, err := e.Holders()
	if err != nil {
		t.Fatal(err)
	}
	self := []engine.Process{engine.ThisProcess()}
	if self[0].PID == 0 || self[0].Comm == "" {
		t.Errorf("this process is %+v", self)
	}
	for _, row := range []struct {
		m         engine.Map
		pins      []string
		processes []engine.Process
	}{
		{there, []string{"/sys/fs/bpf/again", "/sys/fs/bpf/stays"}, append(self, elsewhere)},
		{m, []string{"/sys/fs/bpf/moves", "/sys/fs/bpf/new"}, self},
		{kept, []string{"/sys/fs/bpf/another"}, nil},
	} {
		id := row.m.Info().ID
		pins, known := h.Pins.Of(id)
		if !slices.Equal(pins, row.pins) || !known || !slices.Equal(h.Processes.By[id], row.processes) {
			t.Errorf("map %d: pinned at %q (%v), open in %+v; want %q, %+v", id, pins, known, h.Processes.By[id], row.pins, row.processes)
		}
	}
	if err := e.Unpin("/sys/fs/bpf/stays"); err != nil {
		t.Fatal(err)
	}
	if err := e.Unpin("/sys/fs/bpf/again"); err != nil {
		t.Fatal(err)
	}
	if h, err = e.Holders(); err != nil || len(h.Pins.By) != 2 {
		t.Errorf("pins %v, %v; want none of what has lost its last", h.Pins.By, err)
	}
	if _, err := dryrun.New(faulttest.New(real, faulttest.Fault{Op: "Holders", Nth: 1, Err: unix.EIO})).Holders(); err != unix.EIO {
		t.Errorf("got %v, want EIO", err)
	}
}

// TestFrozenByOthers freezes the map behind a copy: writes are refused soon, and programs still write.
func TestFrozenByOthers(t *testing.T) {
	real := &memory.Engine{}
	behind := made(t, real, "hash", 4, 1)
	e := dryrun.New(real)
	m := open(t, e, behind.Info().ID)
	if err := m.Update(key(1), key(1), 0); err != nil {
		t.Fatal(err)
	}
	if err := behind.Freeze(); err != nil {
		t.Fatal(err)
	}
	var err error
	for range 1000 { // it is not asked for at each write
		if err = m.Update(key(2), key(2), 0); err != nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	frozen, err2 := m.Frozen()
	if err != unix.EPERM || !frozen || err2 != nil {
		t.Errorf("update: got %v, want EPERM; frozen: %v, %v", err, frozen, err2)
	}
	if err := m.Freeze(); err == nil {
		t.Error("it is frozen again")
	}
	if err := m.ProgramUpdate(key(3), key(3), 0, engine.AnyCPU); err != nil {
		t.Error(err)
	}
	changes, err := e.Plan()
	if err != nil || len(changes) != 1 || changes[0].Op != engine.Written {
		t.Errorf("the plan is %+v, %v; want entries alone", changes, err)
	}
}

// without is an engine for a process that lacks some rights.
type without struct {
	engine.Engine
	rights []*engine.Right
}

func (e without) Missing(r *engine.Right) string {
	if slices.Contains(e.rights, r) {
		return "CAP_X"
	}
	return ""
}

// TestLacking refuses what the process lacks the right to, as soon as a kernel would.
func TestLacking(t *testing.T) {
	lacking := func(rights ...*engine.Right) (*dryrun.Engine, engine.Map) {
		real := &memory.Engine{}
		id := made(t, real, "hash", 4, 1).Info().ID
		e := dryrun.New(without{real, rights})
		return e, open(t, e, id)
	}
	created := func(e *dryrun.Engine, typ string, size, flags uint32) error {
		number, _ := engine.TypeByName(typ)
		m, err := e.Create(engine.Spec{Type: number, KeySize: size, ValueSize: 4, MaxEntries: 4, Flags: flags})
		if err == nil {
			err = m.Close()
		}
		return err
	}
	e, m := lacking(engine.Making, engine.MakingPrivileged, engine.MakingUnseeded, engine.Running, engine.Freezing, engine.Finding, engine.Listening)
	for _, row := range []struct {
		what string
		err  error
		want error
	}{
		{"hash", created(e, "hash", 4, 0), unix.EPERM},
		{"hash with an empty key", created(e, "hash", 0, 0), unix.EINVAL},
		{"lru_hash", created(e, "lru_hash", 4, 0), unix.EPERM},
		{"stack_trace, which only a kernel has", created(e, "stack_trace", 4, 0), unix.EPERM},
		{"freeze", m.Freeze(), unix.EPERM},
		{"update", m.Update(key(1), key(1), 0), nil},
		{"open what is planned by its id", found(e.OpenID(dryrun.FirstID, false))(0), unix.EPERM},
	} {
		if row.err != row.want {
			t.Errorf("%s: got %v, want %v", row.what, row.err, row.want)
		}
	}
	for what, err := range map[string]error{
		"update": m.ProgramUpdate(key(1), key(1), 0, engine.AnyCPU), "delete": m.ProgramDelete(key(1)),
		"lookup": m.ProgramLookup(key(1), key(1), engine.AnyCPU), "output": m.ProgramOutput(key(1), engine.AnyCPU),
	} {
		if load, ok := errors.AsType[*engine.LoadError](err); !ok || load.Missing != "CAP_X" || load.Errno != unix.EPERM {
			t.Errorf("%s by a program: got %v, want that it lacks CAP_X", what, err)
		}
	}
	e, m = lacking(engine.RunningEach, engine.MakingUnseeded)
	if err := m.Update(key(1), key(1), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := m.ProgramCount(); err == nil {
		t.Error("a program counts")
	}
	if err := m.ProgramUpdate(key(1), key(1), 0, engine.AnyCPU); err != nil {
		t.Error(err)
	}
	if err := created(e, "hash", 4, unix.BPF_F_ZERO_SEED); err != unix.EPERM {
		t.Errorf("a hash without a seed: got %v, want EPERM", err)
	}
	if err := created(e, "hash", 4, 0); err != nil {
		t.Error(err)
	}
	if changes, err := e.Plan(); err != nil || len(changes) != 2 {
		t.Errorf("the plan is %+v, %v; what was refused is not in it", changes, err)
	}
}
