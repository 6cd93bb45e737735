package kernel_test

import (
	"errors"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"
)

// TestTapLive reads a ring beside a consumer of cilium/ebpf's, while programs fill it as fast as they can: the consumer
// gets every record, as without the tap. What the tap gives is whole, in order, and was sent; and with what it counts as
// missed it is all that was sent, byte for byte.
func TestTapLive(t *testing.T) {
	for _, test := range []struct {
		name    string
		size    int // of the ring
		threads int // that run the program
		copies  bool
		edge    int // the tap reads a record when so many bytes are left until it is written over; 0: at once
	}{
		{"one page", 4096, 1, true, 0},
		{"64 KiB", 1 << 16, 1, true, 0},
		{"64 KiB, in place", 1 << 16, 2, false, 0},
		{"1 MiB", 1 << 20, 1, true, 0},
		{"one page, at its edge", 4096, 1, true, 200},
		{"8 KiB, close to its edge", 8192, 1, true, 400},
		{"64 KiB, at its edge", 1 << 16, 1, true, 100},
		{"64 KiB, in place, at its edge", 1 << 16, 1, false, 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := kerneltest.Engine(t)
			m := ringOf(t, e, test.size)
			ring := twin(t, m)
			p := newProducer(t, ring, test.copies)
			reader, err := ringbuf.NewReader(ring)
			if err != nil {
				t.Fatal(err)
			}
			s := tapOf(t, m, engine.Newest)
			start, produced := s.Position(), producerOf(t, ring)
			const each = 300
			runs := 2000 / test.threads
			done := make(chan error)
			go func() { done <- p.runOnAll(test.threads, runs, each) }()
			var consumed []uint64
			var consumer sync.WaitGroup
			consumer.Go(func() {
				var rec ringbuf.Record
				for {
					if err := reader.ReadInto(&rec); err != nil {
						if !errors.Is(err, os.ErrClosed) && !errors.Is(err, ringbuf.ErrFlushed) {
							t.Error(err)
						}
						return
					}
					n, err := recordNumber(rec.RawSample)
					if err != nil {
						t.Error("the consumer:", err)
					}
					consumed = append(consumed, n)
				}
			})
			var given []uint64
			var bytes uint64
			var b []byte
			running := true
			for torn := 0; torn < 10; {
				for end := time.Now().Add(time.Millisecond); test.edge > 0 && running && produced()-s.Position() < uint64(test.size-test.edge) && time.Now().Before(end); {
				}
				b, err = s.Next(b[:0])
				if err == unix.EAGAIN {
					if !running {
						break
					}
					select {
					case err := <-done:
						if err != nil {
							t.Fatal(err)
						}
						running = false
						p.send(t, 5) // one at least is for a tap that could not keep up
					default:
						if err := s.Wait(time.Millisecond); err != nil {
							t.Fatal(err)
						}
					}
					continue
				}
				if err == nil {
					err = s.Take()
				}
				if err != nil {
					t.Fatal(err)
				}
				n, err := recordNumber(b)
				if err != nil {
					torn++
					t.Errorf("%v (%d given, %+v)", err, len(given), s.Missed())
				}
				given = append(given, n)
				bytes += uint64(len(b)+8+7) &^ 7
			}
			if running {
				<-done
			}
			if err := reader.Flush(); err != nil {
				t.Fatal(err)
			}
			consumer.Wait()
			if err := reader.Close(); err != nil {
				t.Fatal(err)
			}
			sent := p.counted(t, producerSent)
			if slices.Sort(consumed); len(consumed) != sent || len(slices.Compact(consumed)) != sent {
				t.Errorf("the consumer has %d records, want each of %d once", len(consumed), sent)
			}
			for _, n := range given {
				if _, ok := slices.BinarySearch(consumed, n); !ok {
					t.Fatalf("the tap has given record %d, which the consumer does not have", n)
				}
			}
			missed := s.Missed()
			t.Logf("%d sent, %d given, missed %+v", sent, len(given), missed)
			dropped := p.counted(t, producerDropped)
			if left := s.Position() - start - bytes - missed.Amount; left > uint64(dropped*(recordMost+8)) || (missed.Amount == 0 || dropped == 0) && left != uint64(dropped*(recordMost+8)) {
				t.Errorf("of %d bytes it gave %d and missed %d, and %d records were discarded", s.Position()-start, bytes, missed.Amount, dropped)
			}
			if len(given) == 0 {
				t.Error("it has given nothing")
			}
			if (missed.Times == 0) != (missed.Amount == 0) || (missed.Amount == 0) != (len(given) == sent) {
				t.Errorf("it has missed %+v, and given %d of %d", missed, len(given), sent)
			}
			if slices.Sort(given); len(slices.Compact(given)) != len(given) {
				t.Error("a record came twice")
			}
		})
	}
}
