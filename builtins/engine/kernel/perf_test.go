package kernel_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"time"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"github.com/cilium/ebpf/perf"
	"golang.org/x/sys/unix"
)

// eventArray makes a perf_event_array for all CPUs.
func eventArray(t testing.TB, e *kernel.Engine, flags uint32) (m engine.Map, cpus int) {
	t.Helper()
	cpus, err := e.CPUs()
	if err != nil {
		t.Fatal(err)
	}
	return kerneltest.Map(t, e, engine.Spec{
		Type: kerneltest.Type(t, "perf_event_array"), KeySize: 4, ValueSize: 4, MaxEntries: uint32(cpus), Flags: flags}), cpus
}

// eventsOf takes the events with rings of so many pages.
func eventsOf(t testing.TB, m engine.Map, pages int) (s engine.Stream, replaced int) {
	t.Helper()
	s, err := m.Consume(pages * os.Getpagesize())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, s) })
	if replaced, err = s.Begin(); err != nil {
		t.Fatal(err)
	}
	return s, replaced
}

// TestEvents takes the events of all CPUs, in the order in which they were sent.
func TestEvents(t *testing.T) {
	e := kerneltest.Engine(t)
	m, cpus := eventArray(t, e, 0)
	if err := m.ProgramOutput([]byte("nobody"), 0); err != unix.ENOENT {
		t.Errorf("with nobody to read: %v, want ENOENT", err)
	}
	s, replaced := eventsOf(t, m, 1)
	if replaced != 0 {
		t.Errorf("%d were replaced in an empty array", replaced)
	}
	// More than a ring has room for, so that records go around its end.
	for round := range 50 {
		var sent [][]byte
		for n := range 20 {
			record := bytes.Repeat([]byte{byte(round), byte(n + 1), 7}, n)
			if err := m.ProgramOutput(record, n%cpus); err != nil {
				t.Fatalf("%d bytes: %v", len(record), err)
			}
			sent = append(sent, record)
		}
		for n, want := range sent {
			got, ok := take(t, s)
			if padding := len(got) - len(want); !ok || padding < 0 || padding > 7 || !bytes.Equal(got[:len(want)], want) {
				t.Fatalf("round %d, record %d: %x, %v, want %x, and at most 7 bytes behind it", round, n, got, ok, want)
			}
		}
		if b, ok := take(t, s); ok {
			t.Fatalf("one too many: %x", b)
		}
	}
	if missed := s.Missed(); missed != (engine.Missed{}) {
		t.Errorf("missed %+v", missed)
	}
}

// TestEventsLost sends more than there is room for: the kernel counts what it has dropped.
func TestEventsLost(t *testing.T) {
	e := kerneltest.Engine(t)
	m, _ := eventArray(t, e, 0)
	s, _ := eventsOf(t, m, 1)
	sent, lost := 0, 0
	for lost < 5 {
		switch err := m.ProgramOutput(make([]byte, 100), 0); err {
		case nil:
			sent++
		case unix.ENOSPC:
			lost++
		default:
			t.Fatal(err)
		}
	}
	if missed := s.Missed(); missed != (engine.Missed{Times: 1, Amount: uint64(lost)}) && !kerneltest.Older("6.0") {
		t.Errorf("missed, before the kernel tells: %+v, want 1 time %d", missed, lost)
	}
	for range sent {
		if _, ok := take(t, s); !ok {
			t.Fatalf("fewer than %d records", sent)
		}
	}
	if err := m.ProgramOutput([]byte("next"), 0); err != nil { // with it the kernel tells
		t.Fatal(err)
	}
	if b, ok := take(t, s); !ok || !bytes.HasPrefix(b, []byte("next")) {
		t.Errorf("the next one: %q, %v", b, ok)
	}
	if missed := s.Missed(); missed != (engine.Missed{Times: 1, Amount: uint64(lost)}) {
		t.Errorf("missed %+v, want 1 time %d", missed, lost)
	}
}

// TestEventsPlace takes the place of a reader, and leaves that of whoever comes after it.
func TestEventsPlace(t *testing.T) {
	for _, flags := range []uint32{0, unix.BPF_F_PRESERVE_ELEMS} {
		t.Run(fmt.Sprintf("flags %#x", flags), func(t *testing.T) {
			e := kerneltest.Engine(t)
			m, cpus := eventArray(t, e, flags)
			owner, err := perf.NewReader(twin(t, m), os.Getpagesize())
			if err != nil {
				t.Fatal(err)
			}
			defer owner.Close()
			owns := func(text string) bool {
				t.Helper()
				if err := m.ProgramOutput([]byte(text), 0); err != nil && err != unix.ENOENT {
					t.Fatal(err)
				}
				owner.SetDeadline(time.Now().Add(20 * time.Millisecond))
				rec, err := owner.Read()
				return err == nil && bytes.HasPrefix(rec.RawSample, []byte(text))
			}
			if !owns("before") {
				t.Fatal("the owner has no events")
			}
			s, replaced := eventsOf(t, m, 1)
			if replaced != cpus {
				t.Errorf("%d were replaced, want %d", replaced, cpus)
			}
			if owns("ours") {
				t.Error("the owner has an event that is ours")
			}
			if b, ok := take(t, s); !ok || !bytes.HasPrefix(b, []byte("ours")) {
				t.Errorf("got %q, %v", b, ok)
			}
			closed(t, s)
			if err := m.ProgramOutput([]byte("nobody"), 0); err != unix.ENOENT {
				t.Errorf("when it is closed: %v, want ENOENT", err)
			}
			if _, err := s.Next(nil); err != unix.EBADF {
				t.Errorf("next of a closed one: %v", err)
			}
			if flags != 0 {
				return
			}
			first, _ := eventsOf(t, m, 1)
			second, replaced := eventsOf(t, m, 1)
			if replaced != cpus {
				t.Errorf("%d of the first were replaced, want %d", replaced, cpus)
			}
			closed(t, first)
			if err := m.ProgramOutput([]byte("second"), 0); err != nil {
				t.Errorf("when the first is closed: %v", err)
			}
			if b, ok := take(t, second); !ok || !bytes.HasPrefix(b, []byte("second")) {
				t.Errorf("got %q, %v", b, ok)
			}
		})
	}
}

// TestEventsBegin leaves the place of a reader alone until another one begins.
func TestEventsBegin(t *testing.T) {
	e := kerneltest.Engine(t)
	m, _ := eventArray(t, e, 0)
	s, _ := eventsOf(t, m, 1)
	other, err := m.Consume(os.Getpagesize())
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, other)
	send := func() {
		t.Helper()
		if err := m.ProgramOutput([]byte("x"), 0); err != nil {
			t.Fatal(err)
		}
	}
	send()
	if _, ok := take(t, s); !ok {
		t.Error("before the other begins, the reader gets nothing")
	}
	if _, ok := take(t, other); ok {
		t.Error("the other gets an event before it begins")
	}
	if replaced, err := other.Begin(); replaced == 0 || err != nil {
		t.Errorf("it replaces %d, %v", replaced, err)
	}
	send()
	if _, ok := take(t, other); !ok {
		t.Error("the other gets nothing")
	}
	if _, ok := take(t, s); ok {
		t.Error("the reader before gets an event still")
	}
	closed(t, other)
	if _, err := other.Begin(); err != unix.EBADF {
		t.Errorf("a closed one begins: %v", err)
	}
}

// TestEventsBuffer refuses rings of odd sizes, before anybody's place is taken.
func TestEventsBuffer(t *testing.T) {
	e := kerneltest.Engine(t)
	m, _ := eventArray(t, e, 0)
	s, _ := eventsOf(t, m, 1)
	for _, buffer := range []int{3 * os.Getpagesize(), 100} {
		if s, err := m.Consume(buffer); err == nil {
			t.Errorf("a ring of %d bytes", buffer)
			s.Close()
		}
	}
	if err := m.ProgramOutput([]byte("x"), 0); err != nil {
		t.Errorf("the reader before has lost its place: %v", err)
	}
	if _, ok := take(t, s); !ok {
		t.Error("the reader before gets nothing")
	}
}
