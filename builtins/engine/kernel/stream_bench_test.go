package kernel_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"github.com/cilium/ebpf/perf"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"
)

// drained takes all that is there, and counts it.
func drained(b *testing.B, s engine.Stream, buf []byte) (n int) {
	for {
		var err error
		if buf, err = s.Next(buf[:0]); err == unix.EAGAIN {
			return n
		}
		if err == nil {
			err = s.Take()
		}
		if err != nil {
			b.Fatal(err)
		}
		n++
	}
}

// besideReader fills a ring with n records for each of two readers in turns, and reports how much longer ours takes.
func besideReader(b *testing.B, n int, fill func(ours bool), ours, raw func() int) {
	b.Helper()
	var tookOurs, tookRaw time.Duration
	timed := func(mine bool, read func() int) time.Duration {
		b.StopTimer()
		fill(mine)
		b.StartTimer()
		start := time.Now()
		got := read()
		took := time.Since(start)
		if got != n {
			b.Fatalf("%d records, want %d", got, n)
		}
		return took
	}
	b.ReportAllocs()
	for range b.N {
		tookOurs += timed(true, ours)
		tookRaw += timed(false, raw)
	}
	b.ReportMetric(float64(tookOurs)/float64(tookRaw), "x-raw")
	b.ReportMetric(float64(tookOurs.Nanoseconds())/float64(b.N*n), "ns/record")
}

// BenchmarkConsume takes records out of a ring buffer, beside cilium/ebpf's reader.
func BenchmarkConsume(b *testing.B) {
	e := kerneltest.Engine(b)
	const n = 5000
	m, other := ringOf(b, e, 1<<20), ringOf(b, e, 1<<20)
	mine, theirs := newProducer(b, twin(b, m), true), newProducer(b, twin(b, other), true)
	s := consumerOf(b, m)
	reader, err := ringbuf.NewReader(twin(b, other))
	if err != nil {
		b.Fatal(err)
	}
	defer reader.Close()
	var rec ringbuf.Record
	buf := make([]byte, 256)
	besideReader(b, n, func(ours bool) {
		if ours {
			mine.send(b, n)
		} else {
			theirs.send(b, n)
		}
	}, func() int { return drained(b, s, buf) }, func() (n int) {
		reader.SetDeadline(time.Unix(1, 0))
		for {
			if err := reader.ReadInto(&rec); errors.Is(err, os.ErrDeadlineExceeded) {
				return n
			} else if err != nil {
				b.Fatal(err)
			}
			n++
		}
	})
}

// BenchmarkTap reads records that stay, beside cilium/ebpf's reader, which takes them.
func BenchmarkTap(b *testing.B) {
	e := kerneltest.Engine(b)
	const n = 5000
	m := ringOf(b, e, 1<<20)
	p := newProducer(b, twin(b, m), true)
	s := tapOf(b, m, engine.Newest)
	reader, err := ringbuf.NewReader(twin(b, m))
	if err != nil {
		b.Fatal(err)
	}
	defer reader.Close()
	var rec ringbuf.Record
	buf := make([]byte, 256)
	besideReader(b, n, func(ours bool) {
		if ours {
			p.send(b, n)
		}
	}, func() int { return drained(b, s, buf) }, func() (n int) {
		reader.SetDeadline(time.Unix(1, 0))
		for {
			if err := reader.ReadInto(&rec); errors.Is(err, os.ErrDeadlineExceeded) {
				return n
			} else if err != nil {
				b.Fatal(err)
			}
			n++
		}
	})
}

// BenchmarkEvents takes the events of one CPU, beside cilium/ebpf's reader.
func BenchmarkEvents(b *testing.B) {
	e := kerneltest.Engine(b)
	const n, buffer = 500, 1 << 18
	m, _ := eventArray(b, e, 0)
	other, _ := eventArray(b, e, 0)
	s, err := m.Consume(buffer)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Begin(); err != nil {
		b.Fatal(err)
	}
	reader, err := perf.NewReader(twin(b, other), buffer)
	if err != nil {
		b.Fatal(err)
	}
	defer reader.Close()
	var rec perf.Record
	buf := make([]byte, 256)
	record := make([]byte, 100)
	besideReader(b, n, func(ours bool) {
		to := other
		if ours {
			to = m
		}
		for range n {
			if err := to.ProgramOutput(record, 0); err != nil {
				b.Fatal(err)
			}
		}
	}, func() int { return drained(b, s, buf) }, func() (n int) {
		reader.SetDeadline(time.Unix(1, 0))
		for {
			if err := reader.ReadInto(&rec); errors.Is(err, os.ErrDeadlineExceeded) {
				return n
			} else if err != nil {
				b.Fatal(err)
			}
			n++
		}
	})
}
