package memory

import (
	"encoding/binary"
	"os"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// array is the entries of an array: those from 0 to max_entries, always.
type array struct {
	lacking
	o     *object
	pages map[int][]byte // of perPage values each; where there is none, all are zero
	// perPage is small enough that a few values do not cost much.
	perPage int
	size    int // from one value to the next
}

const pageBytes = 1 << 12

func newArray(o *object) table {
	size := align8(o.info.Stride())
	return &array{o: o, pages: map[int][]byte{}, perPage: max(1, pageBytes/size), size: size}
}

// index is the number that a key is, and whether there is such an entry.
func (o *object) index(key []byte) (int, bool) {
	i := binary.NativeEndian.Uint32(key)
	return int(i), i < o.info.MaxEntries
}

// at is the place of a value; nil where it is zero and has none.
func (t *array) at(i int) []byte {
	page := t.pages[i/t.perPage]
	if page == nil {
		return nil
	}
	return page[i%t.perPage*t.size:][:t.o.info.Stride()]
}

// place is at, and makes the place.
func (t *array) place(i int) []byte { return t.memoryAt(i * t.size)[:t.o.info.Stride()] }

// memoryAt is the memory from an offset to the end of the page, which is made.
func (t *array) memoryAt(offset int) []byte {
	size := t.perPage * t.size
	if t.pages[offset/size] == nil {
		t.pages[offset/size] = make([]byte, size)
	}
	return t.pages[offset/size][offset%size:]
}

// mappable is how much memory can be mapped: whole pages of the machine.
func (t *array) mappable() int {
	page := os.Getpagesize()
	return (int(t.o.info.MaxEntries)*t.size + page - 1) / page * page
}

func (t *array) lookup(key, value []byte) error {
	i, ok := t.o.index(key)
	if !ok {
		return unix.ENOENT
	}
	clear(value)
	copy(value, t.at(i))
	return nil
}

func (t *array) update(key, value []byte, flags uint64, cpu int) error {
	mode := flags &^ unix.BPF_F_LOCK
	i, ok := t.o.index(key)
	switch {
	case mode > unix.BPF_EXIST:
		return unix.EINVAL
	case !ok:
		return unix.E2BIG
	case mode == unix.BPF_NOEXIST:
		return unix.EEXIST
	case flags != mode && !t.o.kept.lock:
		return unix.EINVAL
	}
	to := t.place(i)
	if cpu != allCPUs {
		to = t.o.of(cpu, to)
	}
	copy(to, value)
	t.o.kept.clear(to)
	return nil
}

func (t *array) delete(key []byte) error { return unix.EINVAL }

func (t *array) nextKey(key, next []byte) error { return t.o.nextIndex(key, next) }

// nextIndex is the index behind key; 0, if key is none.
func (o *object) nextIndex(key, next []byte) error {
	n := 0
	if len(key) > 0 {
		if i, ok := o.index(key); ok {
			n = i + 1
		}
	}
	if n == int(o.info.MaxEntries) {
		return unix.ENOENT
	}
	binary.NativeEndian.PutUint32(next, uint32(n))
	return nil
}

func (t *array) lookupBatch(cur *engine.Cursor, keys, values []byte, n int) (int, error) {
	return lookupKeys(t, &t.o.info, cur, keys, values, n)
}

func (t *array) slot(key []byte) []byte {
	i, ok := t.o.index(key)
	if !ok {
		return nil
	}
	return t.place(i)
}

func (t *array) each(f func(key, value []byte)) {
	var key [4]byte
	zero := make([]byte, t.o.info.Stride())
	for i := range int(t.o.info.MaxEntries) {
		binary.NativeEndian.PutUint32(key[:], uint32(i))
		if value := t.at(i); value != nil {
			f(key[:], value)
		} else {
			f(key[:], zero)
		}
	}
}

func (t *array) count() int { return int(t.o.info.MaxEntries) }

func (t *array) memory() uint64 {
	return uint64(t.o.info.MaxEntries) * uint64(t.size)
}
