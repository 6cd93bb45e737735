package kernel_test

import (
	"encoding/binary"
	"os"
	"strings"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"golang.org/x/sys/unix"
)

// TestPrograms opens a program by its id and by its pin, and puts it into a prog_array, which belongs to its type then.
func TestPrograms(t *testing.T) {
	e := kerneltest.Engine(t)
	m := hash(t, e)
	if err := m.ProgramUpdate(number(1), number(2), 0, engine.AnyCPU); err != nil {
		t.Fatal(err)
	}
	var found engine.Program
	for id := uint32(0); ; {
		next, err := e.NextProgram(id)
		if err == unix.ENOENT {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		id = next
		h, p, err := e.Program(id)
		if err == unix.ENOENT { // it has gone
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		h.Close()
		if p.Name == "bpfsh_update" {
			found = p
		}
	}
	if found.ID == 0 || engine.ProgramType(found.Type) != "socket_filter" {
		t.Fatalf("found %+v, want a socket filter called bpfsh_update", found)
	}
	h, _, err := e.Program(found.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	tails := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, "prog_array"), KeySize: 4, ValueSize: 4, MaxEntries: 2})
	if owner, err := tails.Owner(); owner != 0 || err != nil {
		t.Errorf("an empty array belongs to type %d, %v", owner, err)
	}
	if err := tails.Update(number(1), binary.NativeEndian.AppendUint32(nil, h.Value()), 0); err != nil {
		t.Fatal(err)
	}
	holds(t, tails, 1, int(found.ID))
	if owner, err := tails.Owner(); owner != found.Type || err != nil {
		t.Errorf("it belongs to type %d, %v; want %d", owner, err, found.Type)
	}

	// A map is no program, and what is not there is neither.
	pin := kerneltest.BPFFS(t) + "/m"
	if err := m.Pin(pin, false); err != nil {
		t.Fatal(err)
	}
	if _, _, err := e.ProgramPin(pin); err == nil || !strings.Contains(err.Error(), "another kind of object") {
		t.Errorf("a map's pin: %v", err)
	}
	if _, _, err := e.ProgramPin(pin + "x"); err != unix.ENOENT {
		t.Errorf("no pin: %v, want ENOENT", err)
	}
	if _, _, err := e.Program(1<<32 - 1); err != unix.ENOENT {
		t.Errorf("no program: %v, want ENOENT", err)
	}
}

// TestObjects opens what keys and values refer to beside maps and programs.
func TestObjects(t *testing.T) {
	e := kerneltest.Engine(t)
	h, err := e.Process(uint32(os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if _, err := e.Process(1 << 30); err != unix.ESRCH && err != unix.EINVAL {
		t.Errorf("no process: %v, want ESRCH", err)
	}
	fd, err := e.Descriptor(uint32(os.Getpid()), h.Value())
	if err != nil {
		t.Fatal(err)
	}
	fd.Close()
	if _, err := e.Descriptor(uint32(os.Getpid()), 1<<20); err != unix.EBADF {
		t.Errorf("no descriptor: %v, want EBADF", err)
	}
	dir, err := e.Path("/proc")
	if err != nil {
		t.Fatal(err)
	}
	dir.Close()
	if _, err := e.Path("/none/such"); err != unix.ENOENT {
		t.Errorf("no path: %v, want ENOENT", err)
	}
}

// TestNested puts a map into another one by its value, and reads its id there.
func TestNested(t *testing.T) {
	e := kerneltest.Engine(t)
	inner := engine.Spec{Type: kerneltest.Type(t, "array"), KeySize: 4, ValueSize: 8, MaxEntries: 1}
	m := kerneltest.Map(t, e, inner)
	outer := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, "array_of_maps"), KeySize: 4, ValueSize: 4, MaxEntries: 2, Inner: &inner})
	if err := outer.Update(number(0), binary.NativeEndian.AppendUint32(nil, m.Value()), 0); err != nil {
		t.Fatal(err)
	}
	holds(t, outer, 0, int(m.Info().ID))
	got := make([]byte, 4)
	if err := outer.ProgramLookup(number(0), got, engine.AnyCPU); err != nil || binary.NativeEndian.Uint32(got) != m.Info().ID {
		t.Errorf("a program finds %x, %v; want %d", got, err, m.Info().ID)
	}
}
