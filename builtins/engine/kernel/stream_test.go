package kernel_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"golang.org/x/sys/unix"
)

// upTo are the numbers from one to before another.
func upTo(from, to int) (numbers []uint64) {
	for n := from; n < to; n++ {
		numbers = append(numbers, uint64(n))
	}
	return numbers
}

// TestTapTakesNothing looks at a ring that nobody consumes: as often as it likes, from where it likes, until the ring is
// full, and a consumer still finds all.
func TestTapTakesNothing(t *testing.T) {
	e := kerneltest.Engine(t)
	m := ringOf(t, e, 4096)
	p := newProducer(t, twin(t, m), true)
	p.send(t, 10)
	newest, backlog := tapOf(t, m, engine.Newest), tapOf(t, m, engine.Backlog)
	if got := all(t, newest); len(got) > 0 {
		t.Errorf("from the newest: %d", got)
	}
	if got := all(t, backlog); !slices.Equal(got, upTo(0, 10)) {
		t.Errorf("from the backlog: %d, want 0 to 9", got)
	}
	p.send(t, 1000)
	if p.counted(t, producerFull) == 0 {
		t.Fatal("the ring is not full")
	}
	came := all(t, newest)
	if sent := p.counted(t, producerSent); len(came) != sent-10 || !slices.IsSorted(came) {
		t.Errorf("what came: %d, want %d", came, sent-10)
	}
	if got := all(t, tapOf(t, m, backlog.Position())); !slices.Equal(got, came) {
		t.Errorf("from a position: %d, want %d", got, came)
	}
	if got, want := all(t, consumerOf(t, m)), append(upTo(0, 10), came...); !slices.Equal(got, want) {
		t.Errorf("the consumer has %d, want %d", got, want)
	}
	if got := all(t, tapOf(t, m, engine.Backlog)); len(got) > 0 {
		t.Errorf("when all is consumed: %d", got)
	}
	if missed := newest.Missed(); missed != (engine.Missed{}) {
		t.Errorf("missed %+v", missed)
	}
}

// TestTapMapsForReading looks at what a tap has mapped, also where the handle could write.
func TestTapMapsForReading(t *testing.T) {
	e := kerneltest.Engine(t)
	dir := kerneltest.BPFFS(t)
	m := ringOf(t, e, 4096)
	pin := filepath.Join(dir, "ring")
	if err := m.Pin(pin, false); err != nil {
		t.Fatal(err)
	}
	reader, err := e.OpenID(m.Info().ID, true)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	pinned, err := e.OpenPin(pin, true)
	if err != nil {
		t.Fatal(err)
	}
	defer pinned.Close()
	p := newProducer(t, twin(t, m), true)
	for name, h := range map[string]engine.Map{"as it was made": m, "read-only by id": reader, "read-only by pin": pinned} {
		before := mappings(t)
		s, err := h.Tap(engine.Newest)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, rights := range mappings(t)[len(before):] {
			if rights != "r--s" {
				t.Errorf("%s: memory is mapped %s, want r--s", name, rights)
			}
		}
		if n := len(mappings(t)) - len(before); n != 2 {
			t.Errorf("%s: %d mappings, want 2", name, n)
		}
		p.send(t, 3)
		if got := all(t, s); len(got) != 3 {
			t.Errorf("%s: %d records, want 3", name, len(got))
		}
		closed(t, s)
		closed(t, s)
		if n := len(mappings(t)); n != len(before) {
			t.Errorf("%s: %d mappings are left", name, n-len(before))
		}
		if _, err := s.Next(nil); err != unix.EBADF {
			t.Errorf("%s: next of a closed one: %v", name, err)
		}
		if err := s.Wait(time.Hour); err != unix.EBADF {
			t.Errorf("%s: waiting for a closed one: %v", name, err)
		}
	}
	for name, h := range map[string]engine.Map{"id": reader, "pin": pinned} {
		if s, err := h.Consume(0); err != unix.EPERM {
			t.Errorf("consuming through a read-only handle by %s: %v, %v", name, s, err)
		}
		if err := h.ProgramOutput([]byte("x"), engine.AnyCPU); err != unix.EPERM {
			t.Errorf("sending through a read-only handle by %s: %v", name, err)
		}
	}
}

// mappings are the rights of the mappings of maps.
func mappings(t *testing.T) (rights []string) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		if fields := bytes.Fields(line); len(fields) > 5 && bytes.Contains(fields[5], []byte("bpf-map")) {
			rights = append(rights, string(fields[1]))
		}
	}
	return rights
}

// TestConsumeLive takes every record once from programs that send as fast as they can, and gives their room back.
func TestConsumeLive(t *testing.T) {
	for _, copies := range []bool{true, false} {
		t.Run(fmt.Sprint("copies ", copies), func(t *testing.T) {
			e := kerneltest.Engine(t)
			m := ringOf(t, e, 1<<13)
			p := newProducer(t, twin(t, m), copies)
			s := consumerOf(t, m)
			done := make(chan error, 1)
			go func() { done <- p.runOnAll(2, 300, 100) }()
			var got []uint64
			running := true
			for {
				batch := all(t, s)
				got = append(got, batch...)
				if len(batch) > 0 {
					continue
				}
				if !running {
					break
				}
				select {
				case err := <-done:
					if err != nil {
						t.Fatal(err)
					}
					running = false
				default:
					if err := s.Wait(10 * time.Millisecond); err != nil {
						t.Fatal(err)
					}
				}
			}
			sent := p.counted(t, producerSent)
			if slices.Sort(got); len(got) != sent || len(slices.Compact(got)) != sent {
				t.Errorf("%d records, want each of %d once", len(got), sent)
			}
			if p.counted(t, producerFull) == 0 {
				t.Error("the programs were never faster than the consumer")
			}
			if !copies && p.counted(t, producerDropped) == 0 {
				t.Error("no record was discarded")
			}
		})
	}
}

// TestOutput sends records from a program that bpfsh has made: of no bytes, and of as many as the ring has room for.
func TestOutput(t *testing.T) {
	e := kerneltest.Engine(t)
	m := ringOf(t, e, 1<<14)
	s, consumer := tapOf(t, m, engine.Newest), consumerOf(t, m)
	for _, n := range []int{0, 1, 7, 8, 9, 4096, 4097, 1<<14 - 16, 3} {
		want := bytes.Repeat([]byte{byte(n), 2, 3, 4, 5}, n/5+1)[:n]
		if err := m.ProgramOutput(want, engine.AnyCPU); err != nil {
			t.Errorf("%d bytes: %v", n, err)
			continue
		}
		for name, s := range map[string]engine.Stream{"tap": s, "consumer": consumer} {
			if got, ok := take(t, s); !ok || !bytes.Equal(got, want) {
				t.Errorf("%s: of %d bytes came %d: %v", name, n, len(got), ok)
			}
		}
	}
	for range 2 {
		if err := m.ProgramOutput(make([]byte, 1<<14-16), engine.AnyCPU); err != nil && err != unix.EAGAIN {
			t.Error(err)
		}
	}
	for what, n := range map[string]int{"into a full ring": 1, "that never fit": 1 << 14} {
		if err := m.ProgramOutput(make([]byte, n), engine.AnyCPU); err != unix.EAGAIN {
			t.Errorf("%d bytes %s: %v, want EAGAIN", n, what, err)
		}
	}
	h := hash(t, e)
	if err := h.ProgramOutput([]byte("x"), engine.AnyCPU); err != engine.NotSupported {
		t.Errorf("to a hash: %v", err)
	}
}

// TestStreamWaits waits for a record in the three ways there are, and is woken or looks soon after it comes.
func TestStreamWaits(t *testing.T) {
	e := kerneltest.Engine(t)
	for _, test := range []struct {
		name string
		open func(t testing.TB, m engine.Map) engine.Stream
		left bool // something was not consumed
	}{
		{"consumer", consumerOf, false},
		{"tap, all is consumed", func(t testing.TB, m engine.Map) engine.Stream { return tapOf(t, m, engine.Newest) }, false},
		{"tap, not all is consumed", func(t testing.TB, m engine.Map) engine.Stream { return tapOf(t, m, engine.Newest) }, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := ringOf(t, e, 4096)
			if test.left {
				if err := m.ProgramOutput([]byte("left"), engine.AnyCPU); err != nil {
					t.Fatal(err)
				}
			}
			s := test.open(t, m)
			sent := make(chan error)
			go func() {
				time.Sleep(30 * time.Millisecond)
				sent <- m.ProgramOutput([]byte("x"), engine.AnyCPU)
			}()
			waits := 0
			for end := time.Now().Add(10 * time.Second); time.Now().Before(end); waits++ {
				if b, ok := take(t, s); ok {
					if string(b) != "x" {
						t.Errorf("got %q", b)
					}
					break
				}
				if err := s.Wait(time.Second); err != nil {
					t.Fatal(err)
				}
			}
			if err := <-sent; err != nil {
				t.Fatal(err)
			}
			if waits == 0 || waits > 1000 {
				t.Errorf("it has waited %d times", waits)
			}
		})
	}
}

// TestStreamTypes refuses maps that have no records, and those whose records cannot be read beside another.
func TestStreamTypes(t *testing.T) {
	e := kerneltest.Engine(t)
	for _, name := range []string{"hash", "user_ringbuf", "perf_event_array"} {
		spec := engine.Spec{Type: kerneltest.Type(t, name), MaxEntries: 4096}
		if name != "user_ringbuf" {
			spec.KeySize, spec.ValueSize = 4, 4
		}
		m := kerneltest.Map(t, e, spec)
		if s, err := m.Tap(engine.Newest); err != engine.NotSupported {
			t.Errorf("a tap on a %s: %v, %v", name, s, err)
		}
		if name == "perf_event_array" {
			continue
		}
		if s, err := m.Consume(0); err != engine.NotSupported {
			t.Errorf("a consumer of a %s: %v, %v", name, s, err)
		}
	}
	m := ringOf(t, e, 4096)
	if err := m.Freeze(); err != nil {
		t.Fatal(err)
	}
	if s, err := m.Consume(0); err != unix.EPERM {
		t.Errorf("a consumer of a frozen ring: %v, %v", s, err)
	}
	closed(t, tapOf(t, m, engine.Newest))
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	_, tapped := m.Tap(engine.Newest)
	_, consumed := m.Consume(0)
	if sent := m.ProgramOutput(nil, engine.AnyCPU); tapped != unix.EBADF || consumed != unix.EBADF || sent != unix.EBADF {
		t.Errorf("on a closed handle: %v, %v, %v", tapped, consumed, sent)
	}
}

// TestStreamOutlivesHandle reads on when the handle is closed: the map is there as long as the stream.
func TestStreamOutlivesHandle(t *testing.T) {
	e := &kernel.Engine{}
	m := ringOf(t, kerneltest.Engine(t), 4096)
	p := newProducer(t, twin(t, m), true)
	s := tapOf(t, m, engine.Newest)
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	p.send(t, 2)
	if got := all(t, s); !slices.Equal(got, upTo(0, 2)) {
		t.Errorf("got %d", got)
	}
	if err := errors.Join(e.Close()); err != nil {
		t.Error(err)
	}
}
