package memory

import (
	"encoding/binary"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

func (t *hash) lookupBatch(cur *engine.Cursor, keys, values []byte, n int) (int, error) {
	return t.batch(cur, keys, values, n, func(*entry) {})
}

func (t *hash) takeBatch(cur *engine.Cursor, keys, values []byte, n int) (int, error) {
	return t.batch(cur, keys, values, n, t.remove)
}

// batch copies whole buckets, and does with each entry what is to be done.
func (t *hash) batch(cur *engine.Cursor, keys, values []byte, n int, visit func(*entry)) (int, error) {
	bucket, err := bucketOf(cur)
	if err != nil {
		return 0, err
	}
	k, v := int(t.o.info.KeySize), t.o.info.Stride()
	done := 0
	for {
		var e *entry
		if bucket < t.n {
			e = t.first(bucket)
		}
		if e == nil {
			return done, unix.ENOENT
		}
		bucket = e.bucket
		if size := length(e); size > n-done {
			cur.Opaque = binary.NativeEndian.AppendUint32(nil, bucket)
			if done == 0 {
				return 0, unix.ENOSPC
			}
			return done, nil
		}
		for next := e; e != nil; e = next {
			next = e.next
			copy(keys[done*k:], e.key)
			copy(values[done*v:(done+1)*v], e.value)
			visit(e)
			done++
		}
		bucket++
	}
}

// length is the number of entries from e on in its bucket.
func length(e *entry) (n int) {
	for ; e != nil; e = e.next {
		n++
	}
	return n
}

// bucketOf reads a cursor that is the number of a bucket.
func bucketOf(cur *engine.Cursor) (uint32, error) {
	switch {
	case cur.Opaque == nil:
		return 0, nil
	case len(cur.Opaque) < 4:
		return 0, unix.EFAULT
	}
	return binary.NativeEndian.Uint32(cur.Opaque), nil
}
