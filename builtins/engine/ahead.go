package engine

import (
	"fmt"
	"runtime/debug"
)

// Ahead is a walk that reads its next batch while the caller looks at the last. It is for one goroutine.
//
// A batch is read by a goroutine that ends with it, so that there is nothing to give up: where a loop is left, what was
// read ahead is forgotten. The map may be closed meanwhile.
type Ahead struct {
	walk         *Walk
	keys, values []byte // the buffers that the walk does not use
	read         chan read
	reading      bool // a batch is being read, or waits in the channel
	larger       int  // what to ask for from the second batch on; 0: the same
}

// laterBatch is what is asked for when a loop goes on: one goroutine waits for the other less often.
const laterBatch = 4 * defaultBatch

// read is what reading a batch has come to.
type read struct {
	batch Batch
	err   error
	panic any // of the goroutine, with its stack; nil if there was none
}

// NewAhead starts a walk as NewWalk does.
func NewAhead(m Map, size int) *Ahead {
	a := &Ahead{walk: NewWalk(m, size), read: make(chan read, 1)}
	if size == 0 && a.walk.size == defaultBatch {
		a.larger = BatchLimit(m.Info(), laterBatch)
	}
	return a
}

// Restarts and Exact are Walk's, and for when Next has come to its end.
func (a *Ahead) Restarts() int { return a.walk.Restarts() }
func (a *Ahead) Exact() bool   { return a.walk.Exact() }

// Next is as Walk's.
func (a *Ahead) Next() (Batch, error) {
	r := read{}
	if a.reading {
		r, a.reading = <-a.read, false
	} else {
		r.batch, r.err = a.walk.Next()
	}
	if r.panic != nil {
		panic(r.panic)
	}
	if r.err == nil && a.walk.mayReadAhead() {
		a.walk.keys, a.keys = a.keys, a.walk.keys // what the caller has stays as it is
		a.walk.values, a.values = a.values, a.walk.values
		a.reading, a.walk.size = true, max(a.walk.size, a.larger)
		go a.fetch()
	}
	return r.batch, r.err
}

// fetch reads a batch.
func (a *Ahead) fetch() {
	var r read
	defer func() {
		if x := recover(); x != nil {
			r.panic = fmt.Sprintf("%v\n%s", x, debug.Stack())
		}
		a.read <- r
	}()
	r.batch, r.err = a.walk.Next()
}

// mayReadAhead says that there is more to read, and that it comes to the same when it is read early: a walk that
// removes what it returns, and one that the kernel may start over when the caller removes a key, are not such.
func (w *Walk) mayReadAhead() bool {
	return !w.done && !w.pop && !w.oneByOne && !w.kind.Trie && (w.kind.Shape == Hashed || w.kind.Shape == Indexed)
}
