package memory

import (
	"encoding/binary"
	"maps"
	"slices"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// inner is the map that a value names, if it may be in this one.
func (o *object) inner(value []byte) (*object, error) {
	in := o.engine.find(binary.NativeEndian.Uint32(value))
	switch {
	case in == nil:
		return nil, unix.EBADF
	case !o.fits(in):
		return nil, unix.EINVAL
	}
	return in, nil
}

// fits says whether a map is like the template. The size of an array may be another one only where its template says
// so.
func (o *object) fits(in *object) bool {
	t, i := o.template, &in.info
	if i.Type != t.Type || i.KeySize != t.KeySize || i.ValueSize != t.ValueSize || i.Flags != t.Flags || !in.kept.equal(o.nested) {
		return false
	}
	return i.Type != unix.BPF_MAP_TYPE_ARRAY || i.Flags&unix.BPF_F_INNER_MAP != 0 || i.MaxEntries == t.MaxEntries
}

// drop gives up the map that a value names.
func (o *object) drop(value []byte) {
	if in := o.engine.find(binary.NativeEndian.Uint32(value)); in != nil {
		o.engine.release(in)
	}
}

// nestedHash is a hash_of_maps. Its values are ids, and hold their maps.
type nestedHash struct{ *hash }

func newNestedHash(o *object) table {
	t := nestedHash{newHash(o).(*hash)}
	t.gone, t.inPlace = o.drop, true
	return t
}

func (t nestedHash) update(key, value []byte, flags uint64, cpu int) error {
	in, err := t.o.inner(value)
	if err != nil {
		return err
	}
	in.holders++ // before the one that it replaces goes, which may be the same
	if err := t.hash.update(key, value, flags, cpu); err != nil {
		t.o.engine.release(in)
		return err
	}
	return nil
}

func (t nestedHash) take(key, value []byte) error { return engine.NotSupported }

func (t nestedHash) close() {
	t.each(func(_, value []byte) { t.o.drop(value) })
}

// nestedArray is an array_of_maps: ids by index, where there are any.
type nestedArray struct {
	lacking
	o   *object
	ids map[int][]byte
}

func newNestedArray(o *object) table { return &nestedArray{o: o, ids: map[int][]byte{}} }

func (t *nestedArray) lookup(key, value []byte) error {
	id := t.slot(key)
	if id == nil {
		return unix.ENOENT
	}
	copy(value, id)
	return nil
}

func (t *nestedArray) update(key, value []byte, flags uint64, _ int) error {
	i, ok := t.o.index(key)
	switch {
	case flags != unix.BPF_ANY:
		return unix.EINVAL
	case !ok:
		return unix.E2BIG
	}
	in, err := t.o.inner(value)
	if err != nil {
		return err
	}
	in.holders++
	if old := t.ids[i]; old != nil {
		t.o.drop(old)
	}
	t.ids[i] = append([]byte(nil), value...)
	return nil
}

func (t *nestedArray) delete(key []byte) error {
	i, ok := t.o.index(key)
	if !ok {
		return unix.E2BIG
	}
	old := t.ids[i]
	if old == nil {
		return unix.ENOENT
	}
	delete(t.ids, i)
	t.o.drop(old)
	return nil
}

func (t *nestedArray) nextKey(key, next []byte) error { return t.o.nextIndex(key, next) }

func (t *nestedArray) lookupBatch(cur *engine.Cursor, keys, values []byte, n int) (int, error) {
	// Only slots that hold a map are visited: there may be very many, and few in use.
	after := -1
	if cur.Opaque != nil {
		if len(cur.Opaque) < 4 {
			return 0, unix.EFAULT
		}
		if i, ok := t.o.index(cur.Opaque); ok { // behind the last index the kernel starts over
			after = i
		}
	}
	done := 0
	for _, i := range slices.Sorted(maps.Keys(t.ids)) {
		if i <= after {
			continue
		}
		binary.NativeEndian.PutUint32(keys[4*done:], uint32(i))
		copy(values[4*done:], t.ids[i])
		if done++; done == n {
			cur.Opaque = binary.NativeEndian.AppendUint32(nil, uint32(i))
			return done, nil
		}
	}
	return done, unix.ENOENT // the cursor stays
}

func (t *nestedArray) slot(key []byte) []byte {
	i, _ := t.o.index(key)
	return t.ids[i]
}

func (t *nestedArray) count() int { return len(t.ids) }

func (t *nestedArray) memory() uint64 { return uint64(t.o.info.MaxEntries) * 8 }

func (t *nestedArray) close() {
	for _, id := range t.ids {
		t.o.drop(id)
	}
}
