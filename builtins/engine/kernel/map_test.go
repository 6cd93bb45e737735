package kernel_test

import (
	"errors"
	"reflect"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"golang.org/x/sys/unix"
)

func TestFreeze(t *testing.T) {
	e := kerneltest.Engine(t)
	m := hash(t, e)
	other, err := e.OpenID(m.Info().ID, false)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for _, want := range []bool{false, true} {
		for _, m := range []engine.Map{m, other} {
			if got, err := m.Frozen(); got != want || err != nil {
				t.Errorf("Frozen() = %v, %v; want %v", got, err, want)
			}
			err := m.Update(number(1), number(10), 0)
			if want != errors.Is(err, unix.EPERM) || !want && err != nil {
				t.Errorf("Update on a map that is frozen %v: %v", want, err)
			}
			holds(t, m, 1, 10)
		}
		err := m.Freeze()
		if want && err != unix.EPERM && err != unix.EBUSY || !want && err != nil { // EBUSY until Linux 6.1
			t.Errorf("Freeze of a map that is frozen %v: %v", want, err)
		}
	}
}

func TestMemory(t *testing.T) {
	e := kerneltest.Engine(t)
	for _, max := range []uint32{1, 100000} {
		m := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, "array"), KeySize: 4, ValueSize: 8, MaxEntries: max})
		if n, err := m.Memory(); n < uint64(max)*8 || n > uint64(max)*16+4096 || err != nil {
			t.Errorf("%d entries of 8 bytes take %d, %v", max, n, err)
		}
	}
}

// Every operation on a closed map answers EBADF.
func TestClose(t *testing.T) {
	e := kerneltest.Engine(t)
	pin := t.TempDir() + "/m" // that it is closed goes before that this is not on a bpffs
	k, v := number(1), number(2)
	calls := map[string]func(m engine.Map) error{
		"Frozen":          func(m engine.Map) error { _, err := m.Frozen(); return err },
		"Memory":          func(m engine.Map) error { _, err := m.Memory(); return err },
		"Lookup":          func(m engine.Map) error { return m.Lookup(k, v, 0) },
		"NextKey":         func(m engine.Map) error { return m.NextKey(nil, k) },
		"LookupBatch":     func(m engine.Map) error { return none(m.LookupBatch(&engine.Cursor{}, k, v, 1)) },
		"Close":           func(m engine.Map) error { return m.Close() },
		"Update":          func(m engine.Map) error { return m.Update(k, v, 0) },
		"Delete":          func(m engine.Map) error { return m.Delete(k) },
		"LookupAndDelete": func(m engine.Map) error { return m.LookupAndDelete(k, v, 0) },
		"LookupAndDeleteBatch": func(m engine.Map) error {
			return none(m.LookupAndDeleteBatch(&engine.Cursor{}, k, v, 1))
		},
		"UpdateBatch":         func(m engine.Map) error { return none(m.UpdateBatch(k, v, 1, 0)) },
		"DeleteBatch":         func(m engine.Map) error { return none(m.DeleteBatch(k, 1)) },
		"Freeze":              func(m engine.Map) error { return m.Freeze() },
		"ProgramLookup":       func(m engine.Map) error { return m.ProgramLookup(k, v, 0) },
		"ProgramLookupPerCPU": func(m engine.Map) error { return m.ProgramLookupPerCPU(k, v, 0) },
		"ProgramPeek":         func(m engine.Map) error { return m.ProgramPeek(v) },
		"ProgramCount":        func(m engine.Map) error { return none(m.ProgramCount()) },
		"ProgramEntries":      func(m engine.Map) error { b, err := m.ProgramEntries(0); return none(b.N, err) },
		"ProgramUpdate":       func(m engine.Map) error { return m.ProgramUpdate(k, v, 0, 0) },
		"ProgramDelete":       func(m engine.Map) error { return m.ProgramDelete(k) },
		"ProgramPush":         func(m engine.Map) error { return m.ProgramPush(v, 0) },
		"ProgramPop":          func(m engine.Map) error { return m.ProgramPop(v) },
		"ProgramAdd":          func(m engine.Map) error { _, _, err := m.ProgramAdd(k, 0, 4, 1, 0); return err },
		"ProgramOutput":       func(m engine.Map) error { return m.ProgramOutput(v, 0) },
		"Tap":                 func(m engine.Map) error { _, err := m.Tap(engine.Newest); return err },
		"Consume":             func(m engine.Map) error { _, err := m.Consume(4096); return err },
		"Pin":                 func(m engine.Map) error { return m.Pin(pin, true) },
		"Types": func(m engine.Map) error { // it has no error to give
			if key, value := m.Types(); key != nil || value != nil {
				return nil
			}
			return unix.EBADF
		},
		"ReadAt":  func(m engine.Map) error { return m.ReadAt(v, 0) },
		"WriteAt": func(m engine.Map) error { return m.WriteAt(v, 0) },
		"Spec": func(m engine.Map) error {
			if m.Spec() != nil {
				return nil
			}
			return unix.EBADF
		},
		"Owner": func(m engine.Map) error { _, err := m.Owner(); return err },
		"Value": func(m engine.Map) error { // no descriptor: whoever is given it answers EBADF
			if int32(m.Value()) != -1 {
				return nil
			}
			return unix.EBADF
		},
		"Info": func(m engine.Map) error { // it is still known which map it was
			if m.Info().ID == 0 {
				return nil
			}
			return unix.EBADF
		},
	}
	for method := range reflect.TypeFor[engine.Map]().Methods() {
		t.Run(method.Name, func(t *testing.T) {
			call := calls[method.Name]
			if call == nil {
				t.Fatal("no row for this method")
			}
			m := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, "hash"), KeySize: 4, ValueSize: 4, MaxEntries: 100, Key: u32, Value: u32})
			if err := m.ProgramUpdate(k, v, 0, engine.AnyCPU); err != nil { // there is a program, which goes too
				t.Fatal(err)
			}
			if err := m.Close(); err != nil {
				t.Fatal(err)
			}
			// The number is in use again at once, by another map.
			other := hash(t, e)
			if err := call(m); !errors.Is(err, unix.EBADF) {
				t.Errorf("got %v, want EBADF", err)
			}
			if err := other.NextKey(nil, number(0)); err != unix.ENOENT {
				t.Errorf("another map was changed: its first key is there, or %v", err)
			}
		})
	}
}

// none is the error of an operation that must not have done anything.
func none(done int, err error) error {
	if done != 0 {
		return nil
	}
	return err
}
