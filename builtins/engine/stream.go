package engine

import "time"

// Stream is a cursor over the records that programs send through a map. It is used by one goroutine at a time. It holds
// what it needs by itself: the handle that it was made with may be closed.
type Stream interface {
	// Begin comes before the first Next of who consumes, and changes nothing for a Tap. A consumer goes on where the last
	// one has left a ring buffer. In a perf_event_array its events take the place of each CPU, until Close; replaced counts
	// the places where somebody else's was, which nobody can put back.
	Begin() (replaced int, err error)
	// Next appends the next record to b. Until Take it is the same one. EAGAIN: there is none yet.
	Next(b []byte) ([]byte, error)
	// Take goes on behind the record that Next has given. A consumer gives its room back to the programs. EBUSY: somebody
	// else has taken records, this one perhaps too.
	Take() error
	// Wait returns when there may be a next record, and after d at the latest. It may return early.
	Wait(d time.Duration) error
	// Missed is what did not come.
	Missed() Missed
	// Unconsumed is how many bytes of a ring buffer hold records that are not consumed, with their headers. A program finds
	// room for no more than what is left. It is 0 where records take the place of older ones, and of a perf_event_array.
	Unconsumed() uint64
	// Position is where the next record is, for another Tap.
	Position() uint64
	// Close gives the stream up; nothing else does. It may be called more than once.
	Close() error
}

// Where a Tap begins, beside a Position.
const (
	Newest  = 1<<64 - 1 // at the next record that a program sends
	Backlog = 1<<64 - 2 // at the first one that was not consumed
)

// RingOverwrites is BPF_F_RB_OVERWRITE, since Linux 6.19: a ring buffer where new records take the place of old ones,
// consumed or not.
const RingOverwrites = 1 << 19

// Missed counts what a stream has not given.
type Missed struct {
	Times  uint64
	Amount uint64 // bytes of a ring buffer, with the headers of records; records of a perf_event_array
}
