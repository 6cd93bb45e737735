package faulttest_test

import (
	"reflect"
	"slices"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/memory"
	"bpfsh/builtins/engine/memory/faulttest"

	"golang.org/x/sys/unix"
)

const (
	hash  = 1
	queue = 22
)

// Every method that can fail is one of the operations.
func TestOperations(t *testing.T) {
	var want []string
	for _, typ := range []reflect.Type{reflect.TypeFor[engine.Engine](), reflect.TypeFor[engine.Map]()} {
		for i := range typ.NumMethod() {
			m := typ.Method(i)
			if n := m.Type.NumOut(); n > 0 && m.Type.Out(n-1) == reflect.TypeFor[error]() {
				want = append(want, m.Name)
			}
		}
	}
	got := slices.Sorted(slices.Values(faulttest.Operations))
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("operations are %v, want %v", got, want)
	}
}

// calls does each operation once, on a map that holds entry 1, and says what it has answered.
func calls(t *testing.T, e engine.Engine) map[string]error {
	t.Helper()
	key, value := []byte{1, 0, 0, 0}, make([]byte, 4)
	m, created := e.Create(engine.Spec{Type: hash, KeySize: 4, ValueSize: 4, MaxEntries: 4})
	if created != nil {
		return map[string]error{"Create": created}
	}
	id := m.Info().ID
	got := map[string]error{"Create": nil}
	add := func(op string, err error) { got[op] = err }
	both := func(op string) func(any, error) { return func(_ any, err error) { add(op, err) } }
	opened := func(op string) func(engine.Map, error) {
		return func(m engine.Map, err error) { add(op, err) }
	}
	add("Update", m.Update(key, value, 0))
	add("Lookup", m.Lookup(key, value, 0))
	add("NextKey", m.NextKey(nil, make([]byte, 4)))
	both("LookupBatch")(m.LookupBatch(&engine.Cursor{}, make([]byte, 16), make([]byte, 16), 4))
	both("LookupAndDeleteBatch")(m.LookupAndDeleteBatch(&engine.Cursor{}, make([]byte, 16), make([]byte, 16), 4))
	both("UpdateBatch")(m.UpdateBatch(key, value, 1, 0))
	both("DeleteBatch")(m.DeleteBatch(key, 1))
	add("ProgramUpdate", m.ProgramUpdate(key, value, 0, 0))
	add("LookupAndDelete", m.LookupAndDelete(key, value, 0))
	add("Delete", m.Delete(key))
	add("ProgramLookup", m.ProgramLookup(key, value, 0))
	add("ProgramLookupPerCPU", m.ProgramLookupPerCPU(key, value, 0))
	add("ProgramPeek", m.ProgramPeek(value))
	add("ProgramPush", m.ProgramPush(value, 0))
	add("ProgramPop", m.ProgramPop(value))
	add("ProgramDelete", m.ProgramDelete(key))
	_, _, err := m.ProgramAdd(key, 0, 4, 1, 0)
	add("ProgramAdd", err)
	_, err = m.Tap(engine.Newest)
	add("Tap", err)
	_, err = m.Consume(4096)
	add("Consume", err)
	add("ProgramOutput", m.ProgramOutput(value, 0))
	both("ProgramCount")(m.ProgramCount())
	both("ProgramEntries")(m.ProgramEntries(0))
	both("Frozen")(m.Frozen())
	both("Memory")(m.Memory())
	add("ReadAt", m.ReadAt(value, 0))
	add("WriteAt", m.WriteAt(value, 0))
	both("Owner")(m.Owner())
	_, _, err = e.Program(1)
	add("Program", err)
	_, _, err = e.ProgramPin("/sys/fs/bpf/p")
	add("ProgramPin", err)
	both("NextProgram")(e.NextProgram(0))
	both("Path")(e.Path("/"))
	both("Process")(e.Process(1))
	both("Descriptor")(e.Descriptor(1, 0))
	both("Clock")(e.Clock())
	both("Counts")(e.Counts())
	both("Holders")(e.Holders())
	both("CPUs")(e.CPUs())
	both("NextID")(e.NextID(0))
	add("Pin", m.Pin("/sys/fs/bpf/m", false))
	opened("OpenID")(e.OpenID(id, true))
	opened("OpenPin")(e.OpenPin("/sys/fs/bpf/m", true))
	both("Pinnable")(e.Pinnable("/sys/fs/bpf/other", false))
	add("Unpin", e.Unpin("/sys/fs/bpf/m"))
	add("Freeze", m.Freeze())
	add("Close", m.Close())
	return got
}

// A fault is met by the call that it is for, and by no other.
func TestFault(t *testing.T) {
	none := faulttest.New(&memory.Engine{}, faulttest.Fault{})
	want := calls(t, none)
	if none.Failed() {
		t.Error("no fault, and it was met")
	}
	for _, op := range faulttest.Operations {
		if n := none.Calls(op); n != 1 {
			t.Errorf("%s: %d calls, want 1", op, n)
		}
		for _, errno := range []error{unix.EIO, unix.Errno(524)} {
			e := faulttest.New(&memory.Engine{}, faulttest.Fault{Op: op, Nth: 1, Err: errno})
			got := calls(t, e)
			if !e.Failed() || got[op] != errno {
				t.Errorf("%s: %v, met is %v; want %v", op, got[op], e.Failed(), errno)
			}
			later := faulttest.New(&memory.Engine{}, faulttest.Fault{Op: op, Nth: 2, Err: errno})
			if got := calls(t, later); later.Failed() || !reflect.DeepEqual(got, want) {
				t.Errorf("%s, second call: %v, want %v", op, got, want)
			}
		}
	}
}

// Who listens hears of each call what it has answered, and of which map.
func TestHeard(t *testing.T) {
	for _, op := range append([]string{""}, faulttest.Operations...) {
		e := faulttest.New(&memory.Engine{}, faulttest.Fault{Op: op, Nth: 1, Err: unix.EIO})
		heard, on := map[string]error{}, map[string]bool{}
		e.Heard = func(op string, info *engine.Info, err error) {
			if _, twice := heard[op]; twice {
				t.Errorf("%s is heard of twice", op)
			}
			heard[op], on[op] = err, info != nil
		}
		if got := calls(t, e); !reflect.DeepEqual(heard, got) {
			t.Errorf("%s fails: heard %v, want %v", op, heard, got)
		}
		for op, known := range on {
			_, ofMap := reflect.TypeFor[engine.Map]().MethodByName(op)
			opens := heard[op] == nil && (op == "Create" || op == "OpenID" || op == "OpenPin")
			if known != (ofMap || opens) {
				t.Errorf("%s: its map is known: %v", op, known)
			}
		}
	}
}

// A batch may fail in the middle: what was before is done.
func TestPart(t *testing.T) {
	keys, values := []byte{1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0}, make([]byte, 12)
	for _, c := range []struct{ part, n, want int }{{0, 3, 0}, {2, 3, 2}, {9, 3, 2}, {1, 0, 0}} {
		e := faulttest.New(&memory.Engine{}, faulttest.Fault{Op: "UpdateBatch", Nth: 2, Err: unix.EIO, Part: c.part})
		m, err := e.Create(engine.Spec{Type: hash, KeySize: 4, ValueSize: 4, MaxEntries: 4})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.UpdateBatch(keys, values, 0, 0); err != nil {
			t.Errorf("first call: %v", err)
		}
		done, err := m.UpdateBatch(keys, values, c.n, 0)
		n, _ := m.ProgramCount()
		if done != c.want || n != c.want || err != unix.EIO {
			t.Errorf("part %d of %d: done %d, %v, %d entries; want %d", c.part, c.n, done, err, n, c.want)
		}
	}
	// An error of the map's own comes first.
	e := faulttest.New(&memory.Engine{}, faulttest.Fault{Op: "DeleteBatch", Nth: 1, Err: unix.EIO, Part: 2})
	m, err := e.Create(engine.Spec{Type: hash, KeySize: 4, ValueSize: 4, MaxEntries: 4})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Update(keys[:4], values[:4], 0); err != nil {
		t.Fatal(err)
	}
	if done, err := m.DeleteBatch(keys, 3); done != 1 || err != unix.ENOENT {
		t.Errorf("done %d, %v; want 1, ENOENT", done, err)
	}
}

// A handle whose Close fails is closed.
func TestClose(t *testing.T) {
	next := &memory.Engine{}
	e := faulttest.New(next, faulttest.Fault{Op: "Close", Nth: 1, Err: unix.EIO})
	m, err := e.Create(engine.Spec{Type: queue, ValueSize: 4, MaxEntries: 4})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != unix.EIO {
		t.Errorf("close: %v, want EIO", err)
	}
	if id, err := next.NextID(0); err != unix.ENOENT {
		t.Errorf("map %d is still there, %v", id, err)
	}
}
