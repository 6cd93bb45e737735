package kernel

import (
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// Tap reads a ring buffer through mappings that cannot write.
func (m *kernelMap) Tap(from uint64) (engine.Stream, error) {
	if err := m.streams(); err != nil {
		return nil, err
	}
	if !m.isRing() {
		return nil, engine.NotSupported
	}
	r, err := m.mapRing(false)
	if err != nil {
		return nil, err
	}
	t := &tap{ring: r, overwrites: m.info.Flags&engine.RingOverwrites != 0}
	switch from {
	case engine.Newest:
		t.at = atomic.LoadUintptr(r.producer)
	case engine.Backlog:
		t.at = t.oldest()
	default:
		t.at = uintptr(from)
	}
	return t, nil
}

// tap follows the producer of a ring buffer, and takes nothing. The consumer knows nothing of it, so that a record may
// be written over while it is read.
type tap struct {
	ring       *ring
	at         uintptr // the position of the next record, always one where a record begins
	next       uintptr // behind the record that was given; 0 where none was
	missed     engine.Missed
	overwrites bool
}

func (t *tap) Next(b []byte) ([]byte, error) {
	if t.ring.fd < 0 {
		return b, unix.EBADF
	}
	r := t.ring
	for {
		t.next = 0
		end := atomic.LoadUintptr(r.producer)
		if t.at == end {
			return b, unix.EAGAIN
		}
		if end-t.at > r.size { // also where it is behind the end, which a position of another map may be
			t.resume()
			continue
		}
		rec := r.header(t.at)
		if !t.intact() {
			t.resume()
			continue
		}
		// Now the header is one, and the producer's position was behind its record all along, unless a consumer has left
		// its position in the middle of a record.
		switch {
		case rec.next-t.at > end-t.at:
			t.skip(end)
			continue
		case rec.busy: // no later one is given before it, as no consumer gets it before
			return b, unix.EAGAIN
		case rec.discarded:
			t.at = rec.next
			continue
		}
		before := len(b)
		b = append(b, r.bytes(t.at, rec)...)
		if !t.intact() {
			b = b[:before]
			t.resume()
			continue
		}
		t.next, r.idle = rec.next, 0
		return b, nil
	}
}

// reach is how far behind the producer a record is intact that was consumed, in a ring of size bytes.
//
// Who reserves a record writes its header, of 8 bytes, before the producer's position says so: these are not safe. The
// bytes behind it are written after the position. A machine that keeps the order of stores shows them in that order, and
// so a record is intact if, after it was read, the position had not come to within 8 bytes of it again. Others may show
// bytes of the record that is reserved last before the position that reserves it. There we trust half of the ring, which
// a record of more than half the ring's size alone could break.
func reach(size uintptr) uintptr {
	switch runtime.GOARCH {
	case "amd64", "386", "s390x":
		return size - unix.BPF_RINGBUF_HDR_SZ
	}
	return size / 2
}

// intact says that what was read up to now of the record at t.at was not written over. Two reasons are enough, each alone:
// the producer has not come round to it; or it was not consumed, for which no producer writes there.
//
// Both positions are loaded after the record was read. Had a byte of another record been read, then who wrote it had
// before that seen the consumer's position behind t.at, and had, on machines as above, moved the producer's: so we
// would see them there too.
func (t *tap) intact() bool {
	r := t.ring
	r.afterReads()
	ahead := atomic.LoadUintptr(r.producer) - t.at
	if ahead <= reach(r.size) {
		return true
	}
	return !t.overwrites && ahead <= r.size && int(atomic.LoadUintptr(r.consumer)-t.at) <= 0
}

// oldest is where the first record begins that nobody has consumed. It is intact until somebody has.
func (t *tap) oldest() uintptr {
	at := atomic.LoadUintptr(t.ring.consumer)
	if t.overwrites {
		// Behind the producer's position are that of the oldest busy record, and that of the oldest record of all.
		positions := (*[3]uintptr)(unsafe.Pointer(t.ring.producer))
		if left := atomic.LoadUintptr(&positions[2]); int(left-at) > 0 {
			at = left
		}
	}
	return at
}

// resume goes on where a record is that is surely intact. Where other records begin cannot be known: the headers that
// would tell may be written over.
func (t *tap) resume() {
	to, end := t.oldest(), atomic.LoadUintptr(t.ring.producer)
	if to%8 != 0 || end-to > t.ring.size || int(to-t.at) <= 0 { // a consumer that has gone back: nothing is sure but what comes
		to = end
	}
	t.skip(to)
}

func (t *tap) skip(to uintptr) {
	t.missed.Times++
	t.missed.Amount += uint64(to - t.at)
	t.at = to
}

func (t *tap) Take() error {
	if t.next != 0 {
		t.at, t.next = t.next, 0
	}
	return nil
}

func (t *tap) Begin() (int, error) { return 0, nil }

// Unconsumed is nothing where the ring is never full.
func (t *tap) Unconsumed() uint64 {
	if t.overwrites {
		return 0
	}
	return t.ring.unconsumed()
}

func (t *tap) Wait(d time.Duration) error { return t.ring.wait(d) }
func (t *tap) Missed() engine.Missed      { return t.missed }
func (t *tap) Position() uint64           { return uint64(t.at) }
func (t *tap) Close() error               { return t.ring.close() }
