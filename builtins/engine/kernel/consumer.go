package kernel

import (
	"errors"
	"sync/atomic"
	"time"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// Consume takes records as the consumer that a map is meant to have.
func (m *kernelMap) Consume(buffer int) (engine.Stream, error) {
	if err := m.streams(); err != nil {
		return nil, err
	}
	if m.info.ReadOnly {
		return nil, unix.EPERM
	}
	if !m.isRing() {
		return m.openEvents(buffer)
	}
	r, err := m.mapRing(true)
	if err != nil {
		return nil, err
	}
	return &consumer{ring: r, at: atomic.LoadUintptr(r.consumer)}, nil
}

// consumer reads a ring buffer and frees what it has read. What is not freed is not written over, so that nothing is
// missed.
type consumer struct {
	ring *ring
	at   uintptr // the consumer's position, as it was left
	next uintptr // behind the record that was given; 0 where none was
}

var errNoRecord = errors.New("the consumer's position is not where a record begins: who has consumed here before left it so")

// Begin goes on where the consumer's position is now: another may have moved it since the ring was mapped.
func (c *consumer) Begin() (int, error) {
	if c.ring.fd < 0 {
		return 0, unix.EBADF
	}
	c.at, c.next = atomic.LoadUintptr(c.ring.consumer), 0
	return 0, nil
}

func (c *consumer) Next(b []byte) ([]byte, error) {
	if c.ring.fd < 0 {
		return b, unix.EBADF
	}
	r := c.ring
	for {
		c.next = 0
		if atomic.LoadUintptr(r.consumer) != c.at {
			return b, unix.EBUSY
		}
		end := atomic.LoadUintptr(r.producer)
		if c.at == end {
			return b, unix.EAGAIN
		}
		rec := r.header(c.at &^ 7)
		switch {
		case c.at%8 != 0, end-c.at > r.size, rec.next-c.at > end-c.at:
			return b, errNoRecord
		case rec.busy:
			return b, unix.EAGAIN
		}
		if c.next = rec.next; rec.discarded {
			if err := c.Take(); err != nil {
				return b, err
			}
			continue
		}
		r.idle = 0
		return append(b, r.bytes(c.at, rec)...), nil
	}
}

// Take moves the consumer's position, if it is where it was left: another consumer would have moved it.
func (c *consumer) Take() error {
	switch {
	case c.ring.fd < 0:
		return unix.EBADF
	case c.next == 0:
		return nil
	case !atomic.CompareAndSwapUintptr(c.ring.consumer, c.at, c.next):
		return unix.EBUSY
	}
	c.at, c.next = c.next, 0
	return nil
}

func (c *consumer) Wait(d time.Duration) error { return c.ring.wait(d) }
func (c *consumer) Missed() engine.Missed      { return engine.Missed{} }
func (c *consumer) Position() uint64           { return uint64(c.at) }
func (c *consumer) Unconsumed() uint64         { return c.ring.unconsumed() }
func (c *consumer) Close() error               { return c.ring.close() }
