package engine

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// Outcome is what an operation on many entries has come to.
type Outcome struct {
	Done int   // entries written or removed
	At   int   // where it stopped: the entry that failed, or the number of entries
	Err  error // why it stopped; nil if it did not
}

// A call of the kernel for many entries is not interrupted by a signal, so that one is to take about this long.
const slice = 20 * time.Millisecond

// UpdateAll writes n entries in order, in as many system calls as it takes, and stops at the first that fails.
// next is told before each how many entries are behind it; its error ends the work.
//
// The kernel takes no BPF_NOEXIST and BPF_EXIST for a batch, and some types have no batches: entries are then
// written one by one, with the same outcome.
func UpdateAll(m Map, keys, values []byte, n int, flags uint64, next func(at int) error) Outcome {
	k, v := int(m.Info().KeySize), m.Info().Stride()
	work := chunked{
		n: n, limit: BatchLimit(m.Info(), maxBatchEntries), next: next,
		many: func(at, count int) (int, error) {
			return m.UpdateBatch(keys[at*k:(at+count)*k], values[at*v:(at+count)*v], count, flags)
		},
		one: func(at int) error { return m.Update(keys[at*k:(at+1)*k], values[at*v:(at+1)*v], flags) },
	}
	work.oneByOne = flags&^unix.BPF_F_LOCK != 0
	return work.run()
}

// DeleteAll removes n entries in order, as UpdateAll writes them. With missingOK a key that is not there is passed
// over and not counted.
func DeleteAll(m Map, keys []byte, n int, missingOK bool, next func(at int) error) Outcome {
	k := int(m.Info().KeySize)
	work := chunked{
		n: n, limit: BatchLimit(m.Info(), maxBatchEntries), next: next,
		many: func(at, count int) (int, error) { return m.DeleteBatch(keys[at*k:(at+count)*k], count) },
		one:  func(at int) error { return m.Delete(keys[at*k : (at+1)*k]) },
	}
	if missingOK {
		kind := KindOf(m.Info().Type)
		work.skip = func(err error) bool {
			return errors.Is(err, unix.ENOENT) || work.oneByOne && kind.Missing(err)
		}
	}
	return work.run()
}

// chunked does the work on n entries in pieces.
type chunked struct {
	n, limit int
	next     func(at int) error
	many     func(at, count int) (int, error)
	one      func(at int) error
	oneByOne bool
	skip     func(error) bool // says what is passed over; nil: nothing
}

func (c *chunked) run() (out Outcome) {
	size := min(1024, c.limit)
	for out.At < c.n {
		if out.Err = c.next(out.At); out.Err != nil {
			return out
		}
		count, start := min(size, c.n-out.At), time.Now()
		done, err := c.piece(out.At, count)
		out.Done, out.At = out.Done+done, out.At+done
		switch {
		case err == nil:
		case c.skip != nil && c.skip(err):
			out.At++
		case !c.oneByOne && (errors.Is(err, NotSupported) || errors.Is(err, unix.EINVAL)):
			c.oneByOne = true // no batches for this type or on this kernel; if it was the entry, it fails again
			continue
		default:
			out.Err = err
			return out
		}
		switch took := time.Since(start); {
		case took < slice/2:
			size = min(2*size, c.limit)
		case took > slice:
			size = max(1, size/2)
		}
	}
	return out
}

// piece does count entries from at on, and says how many it did before an error.
func (c *chunked) piece(at, count int) (int, error) {
	if !c.oneByOne {
		return c.many(at, count)
	}
	for i := range count {
		if err := c.one(at + i); err != nil {
			return i, err
		}
	}
	return count, nil
}
