package memory

import (
	"slices"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// many is enter for a batch that the type must have. ok says that there is work to do.
func (h *handle) many(does access, op operations, n int) (o *object, ok bool, err error) {
	if o, err = h.enter(does); err != nil {
		return nil, false, err
	}
	if o.row.batches&op == 0 {
		return nil, false, engine.NotSupported
	}
	return o, n > 0, nil
}

// entries is entry for n of them.
func (o *object) entries(keys, values []byte, n int) error {
	if len(keys) < n*int(o.info.KeySize) || len(values) < n*o.info.Stride() {
		return unix.EFAULT
	}
	return nil
}

func (h *handle) LookupBatch(cur *engine.Cursor, keys, values []byte, n int) (int, error) {
	h.engine.mu.Lock()
	defer h.engine.mu.Unlock()
	o, ok, err := h.many(access{read: true}, lookups, n)
	if !ok {
		return 0, err
	}
	if err := o.entries(keys, values, n); err != nil {
		return 0, err
	}
	return o.table.lookupBatch(cur, keys, values, n)
}

func (h *handle) LookupAndDeleteBatch(cur *engine.Cursor, keys, values []byte, n int) (int, error) {
	h.engine.mu.Lock()
	defer h.engine.mu.Unlock()
	o, ok, err := h.many(access{read: true, write: true}, takes, n)
	if !ok {
		return 0, err
	}
	if err := o.entries(keys, values, n); err != nil {
		return 0, err
	}
	return o.table.takeBatch(cur, keys, values, n)
}

func (h *handle) UpdateBatch(keys, values []byte, n int, flags uint64) (int, error) {
	h.engine.mu.Lock()
	defer h.engine.mu.Unlock()
	o, ok, err := h.many(access{write: true}, updates, n)
	switch {
	case err != nil:
		return 0, err
	case flags&^unix.BPF_F_LOCK != 0, flags != 0 && !o.kept.lock:
		return 0, unix.EINVAL
	case !ok:
		return 0, nil
	}
	if err := o.entries(keys, values, n); err != nil {
		return 0, err
	}
	k, v := int(o.info.KeySize), o.info.Stride()
	for i := range n {
		if err := o.table.update(keys[i*k:(i+1)*k], values[i*v:(i+1)*v], flags, allCPUs); err != nil {
			return i, err
		}
	}
	return n, nil
}

func (h *handle) DeleteBatch(keys []byte, n int) (int, error) {
	h.engine.mu.Lock()
	defer h.engine.mu.Unlock()
	o, ok, err := h.many(access{write: true}, deletes, n)
	if !ok {
		return 0, err
	}
	k := int(o.info.KeySize)
	if len(keys) < n*k {
		return 0, unix.EFAULT
	}
	for i := range n {
		if err := o.table.delete(keys[i*k : (i+1)*k]); err != nil {
			return i, err
		}
	}
	return n, nil
}

// lookupKeys is a batch of entries behind the last key, as all tables without buckets do it: the cursor is that key,
// and where it has gone the walk starts over. A slot without an entry is passed over.
func lookupKeys(t table, info *engine.Info, cur *engine.Cursor, keys, values []byte, n int) (int, error) {
	k, v := int(info.KeySize), info.Stride()
	var at []byte
	if cur.Opaque != nil {
		if len(cur.Opaque) < k {
			return 0, unix.EFAULT
		}
		at = cur.Opaque[:k]
	}
	next, done := make([]byte, k), 0
	for done < n {
		if err := t.nextKey(at, next); err != nil {
			return done, err // ENOENT, the end; the cursor stays
		}
		switch err := t.lookup(next, values[done*v:(done+1)*v]); err {
		case nil:
			copy(keys[done*k:], next)
			done++
		case unix.ENOENT:
		default:
			return done, err
		}
		at = slices.Clone(next)
	}
	cur.Opaque = at
	return done, nil
}
