package kernel_test

import (
	"bytes"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"golang.org/x/sys/unix"
)

// TestMapped writes a part of an array's memory, far behind its start, and nothing beside it.
func TestMapped(t *testing.T) {
	e := kerneltest.Engine(t)
	spec := engine.Spec{Type: kerneltest.Type(t, "array"), KeySize: 4, ValueSize: 10000, MaxEntries: 1, Flags: unix.BPF_F_MMAPABLE}
	m := kerneltest.Map(t, e, spec)
	want := bytes.Repeat([]byte{7}, 10000)
	if err := m.Update(number(0), want, 0); err != nil {
		t.Fatal(err)
	}
	for _, offset := range []int{0, 4094, 4096, 9990} {
		part := []byte{1, 2, 3, byte(offset)}
		if err := m.WriteAt(part, offset); err != nil {
			t.Fatalf("at %d: %v", offset, err)
		}
		copy(want[offset:], part)
		got := make([]byte, 4)
		if err := m.ReadAt(got, offset); err != nil || !bytes.Equal(got, part) {
			t.Errorf("at %d: %x, %v; want %x", offset, got, err, part)
		}
	}
	got := make([]byte, 10000)
	if err := m.Lookup(number(0), got, 0); err != nil || !bytes.Equal(got, want) {
		t.Errorf("what is in the map differs from what was written: %v", err)
	}
	// Nothing stays mapped, so that it can be frozen; then it can be read.
	if err := m.Freeze(); err != nil {
		t.Error(err)
	}
	if err := m.WriteAt(got[:1], 0); err != unix.EPERM {
		t.Errorf("a frozen map: %v, want EPERM", err)
	}
	if err := m.ReadAt(got[:1], 4094); err != nil || got[0] != 1 {
		t.Errorf("a frozen map reads %d, %v", got[0], err)
	}

	ro, err := e.OpenID(m.Info().ID, true)
	if err != nil {
		t.Fatal(err)
	}
	defer ro.Close()
	if err := ro.WriteAt(got[:1], 0); err != unix.EPERM {
		t.Errorf("a handle that was opened read-only: %v, want EPERM", err)
	}
	spec.Flags = 0
	if err := kerneltest.Map(t, e, spec).ReadAt(got[:1], 0); err != unix.Errno(524) {
		t.Errorf("a map that cannot be mapped: %v, want ENOTSUPP", err)
	}
}
