package kernel

import (
	"runtime"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

func (m *kernelMap) Lookup(key, value []byte, flags uint64) error {
	return m.element(unix.BPF_MAP_LOOKUP_ELEM, key, value, flags, m.brief)
}

func (m *kernelMap) Update(key, value []byte, flags uint64) error {
	return m.element(unix.BPF_MAP_UPDATE_ELEM, key, value, flags, m.brief)
}

func (m *kernelMap) Delete(key []byte) error {
	return m.element(unix.BPF_MAP_DELETE_ELEM, key, nil, 0, m.brief)
}

func (m *kernelMap) LookupAndDelete(key, value []byte, flags uint64) error {
	return m.element(unix.BPF_MAP_LOOKUP_AND_DELETE_ELEM, key, value, flags, m.brief)
}

func (m *kernelMap) NextKey(key, next []byte) error {
	return m.element(unix.BPF_MAP_GET_NEXT_KEY, key, next, 0, false) // which may go through many empty buckets
}

func (m *kernelMap) Freeze() error {
	if m.fd >= 0 && m.info.ReadOnly { // before Linux 6.5 such a descriptor can freeze
		return unix.EPERM
	}
	return m.element(unix.BPF_MAP_FREEZE, nil, nil, 0, false)
}

func (m *kernelMap) element(cmd int, key, value []byte, flags uint64, brief bool) error {
	err := element(cmd, m.fd, key, value, flags, brief)
	runtime.KeepAlive(m) // cilium/ebpf closes the descriptor of a map that nothing refers to
	return err
}

func (m *kernelMap) batch(cmd int, in, out, keys, values []byte, n int, flags uint64) (int, error) {
	done, err := batch(cmd, m.fd, in, out, keys, values, n, flags)
	runtime.KeepAlive(m)
	return done, err
}

func (m *kernelMap) LookupBatch(cur *engine.Cursor, keys, values []byte, n int) (int, error) {
	m.reading.RLock()
	defer m.reading.RUnlock()
	return m.walkBatch(unix.BPF_MAP_LOOKUP_BATCH, cur, keys, values, n)
}

func (m *kernelMap) LookupAndDeleteBatch(cur *engine.Cursor, keys, values []byte, n int) (int, error) {
	return m.walkBatch(unix.BPF_MAP_LOOKUP_AND_DELETE_BATCH, cur, keys, values, n)
}

func (m *kernelMap) walkBatch(cmd int, cur *engine.Cursor, keys, values []byte, n int) (int, error) {
	// The place is a u32 for a hash and a key for the rest.
	out := make([]byte, max(4, int(m.info.KeySize)))
	copy(out, cur.Opaque)
	done, err := m.batch(cmd, cur.Opaque, out, keys, values, n, 0)
	done, moved, err := place(done, n, err)
	if moved {
		cur.Opaque = out
	}
	return done, err
}

// place says what a batch that was to copy n entries has come to: how many it copied, and whether the kernel has
// written a new place.
func place(done, n int, err error) (int, bool, error) {
	switch {
	case err == nil:
		return done, true, nil
	case err == unix.ENOENT: // the end: what came with it counts
		return done, false, err
	case done > 0 && done < n: // what came before the error counts, and may be removed already: the next call meets it again
		return done, true, nil
	default: // of ENOSPC, the place is the bucket that did not fit
		return 0, err == unix.ENOSPC, err
	}
}

func (m *kernelMap) UpdateBatch(keys, values []byte, n int, flags uint64) (int, error) {
	done, err := m.batch(unix.BPF_MAP_UPDATE_BATCH, nil, nil, keys, values, n, flags)
	return trueCount(done, n, err), err
}

func (m *kernelMap) DeleteBatch(keys []byte, n int) (int, error) {
	done, err := m.batch(unix.BPF_MAP_DELETE_BATCH, nil, nil, keys, nil, n, 0)
	return trueCount(done, n, err), err
}

// trueCount is the number of entries done. With an error the full number means that the kernel failed before it
// wrote the count.
func trueCount(done, n int, err error) int {
	if err != nil && done >= n {
		return 0
	}
	return done
}
