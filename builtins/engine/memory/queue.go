package memory

import (
	"golang.org/x/sys/unix"
)

// queue is the values of a queue or a stack, the oldest first.
type queue struct {
	lacking
	o      *object
	values [][]byte
	newest bool // the newest comes out first: a stack
}

func newQueue(o *object) table { return &queue{o: o} }

func newStack(o *object) table { return &queue{o: o, newest: true} }

// next is the place of the value that comes out next.
func (t *queue) next() int {
	if t.newest {
		return len(t.values) - 1
	}
	return 0
}

func (t *queue) lookup(_, value []byte) error {
	if len(t.values) == 0 {
		return unix.ENOENT
	}
	copy(value, t.values[t.next()])
	return nil
}

func (t *queue) take(_, value []byte) error {
	if err := t.lookup(nil, value); err != nil {
		return err
	}
	t.values[t.next()] = nil // the slice keeps its place for a while
	if t.newest {
		t.values = t.values[:len(t.values)-1]
	} else {
		t.values = t.values[1:]
	}
	return nil
}

// update pushes. BPF_EXIST makes room in a full map: the oldest goes, of a stack too.
func (t *queue) update(_, value []byte, flags uint64, _ int) error {
	if flags != unix.BPF_ANY && flags != unix.BPF_EXIST {
		return unix.EINVAL
	}
	if len(t.values) == int(t.o.info.MaxEntries) {
		if flags == unix.BPF_ANY {
			return unix.E2BIG
		}
		t.values[0] = nil
		t.values = t.values[1:]
	}
	t.values = append(t.values, append([]byte(nil), value...))
	return nil
}

func (t *queue) delete([]byte) error { return unix.EINVAL }

func (t *queue) nextKey(key, next []byte) error { return unix.EINVAL }

func (t *queue) memory() uint64 {
	return (uint64(t.o.info.MaxEntries) + 1) * uint64(t.o.info.ValueSize)
}
