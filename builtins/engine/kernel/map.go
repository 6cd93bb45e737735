package kernel

import (
	"os"
	"strconv"
	"strings"

	"bpfsh/builtins/engine"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// kernelMap is a map behind a file descriptor.
type kernelMap struct {
	engine *Engine
	m      *ebpf.Map
	fd     int // -1 when closed
	info   engine.Info
}

var _ engine.Map = (*kernelMap)(nil)

// wrap takes over m.
func (e *Engine) wrap(m *ebpf.Map, readonly bool) (engine.Map, error) {
	km := &kernelMap{engine: e, m: m, fd: m.FD()}
	if err := km.describe(readonly); err != nil {
		m.Close()
		return nil, err
	}
	return km, nil
}

func (m *kernelMap) describe(readonly bool) error {
	raw, err := describe(m.fd)
	if err != nil {
		return err
	}
	m.info = engine.Info{
		ID: raw.ID, Type: raw.Type, Name: unix.ByteSliceToString(raw.Name[:]),
		KeySize: raw.KeySize, ValueSize: raw.ValueSize, MaxEntries: raw.MaxEntries,
		Flags: raw.Flags, MapExtra: raw.MapExtra, ReadOnly: readonly,
	}
	if engine.KindOf(raw.Type).PerCPU {
		if m.info.CPUs, err = m.engine.CPUs(); err != nil {
			return err
		}
	}
	return nil
}

// Types reads the map's BTF, anew at each call.
func (m *kernelMap) Types() (key, value btf.Type) {
	raw, err := describe(m.fd)
	if err != nil || raw.BTFID == 0 || raw.BTFKeyTypeID == 0 && raw.BTFValueTypeID == 0 {
		return nil, nil
	}
	handle, err := btf.NewHandleFromID(btf.ID(raw.BTFID))
	if err != nil {
		return nil, nil
	}
	defer handle.Close()
	spec, err := handle.Spec(nil)
	if err != nil {
		return nil, nil
	}
	return typeOf(spec, raw.BTFKeyTypeID, raw.KeySize), typeOf(spec, raw.BTFValueTypeID, raw.ValueSize)
}

// typeOf is a type of spec, if it has the size that it should.
func typeOf(spec *btf.Spec, id, size uint32) btf.Type {
	if id == 0 {
		return nil
	}
	t, err := spec.TypeByID(btf.TypeID(id))
	if err != nil {
		return nil
	}
	if n, err := btf.Sizeof(t); err != nil || uint32(n) != size {
		return nil
	}
	return t
}

func (m *kernelMap) Info() *engine.Info { return &m.info }

func (m *kernelMap) Frozen() (bool, error) {
	n, err := m.fdinfo("frozen:")
	return n == 1, err
}

func (m *kernelMap) Memory() (uint64, error) { return m.fdinfo("memlock:") }

// fdinfo reads a number that the kernel tells nowhere else. A line that is not there counts as 0.
func (m *kernelMap) fdinfo(label string) (uint64, error) {
	if m.fd < 0 {
		return 0, unix.EBADF
	}
	text, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(m.fd))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, label); ok {
			return strconv.ParseUint(strings.TrimSpace(rest), 10, 64)
		}
	}
	return 0, nil
}

func (m *kernelMap) Lookup(key, value []byte, flags uint64) error {
	return element(unix.BPF_MAP_LOOKUP_ELEM, m.fd, key, value, flags)
}

func (m *kernelMap) Update(key, value []byte, flags uint64) error {
	return element(unix.BPF_MAP_UPDATE_ELEM, m.fd, key, value, flags)
}

func (m *kernelMap) Delete(key []byte) error {
	return element(unix.BPF_MAP_DELETE_ELEM, m.fd, key, nil, 0)
}

func (m *kernelMap) LookupAndDelete(key, value []byte, flags uint64) error {
	return element(unix.BPF_MAP_LOOKUP_AND_DELETE_ELEM, m.fd, key, value, flags)
}

func (m *kernelMap) NextKey(key, next []byte) error {
	return element(unix.BPF_MAP_GET_NEXT_KEY, m.fd, key, next, 0)
}

func (m *kernelMap) LookupBatch(cur *engine.Cursor, keys, values []byte, n int) (int, error) {
	return m.walkBatch(unix.BPF_MAP_LOOKUP_BATCH, cur, keys, values, n)
}

func (m *kernelMap) LookupAndDeleteBatch(cur *engine.Cursor, keys, values []byte, n int) (int, error) {
	return m.walkBatch(unix.BPF_MAP_LOOKUP_AND_DELETE_BATCH, cur, keys, values, n)
}

func (m *kernelMap) walkBatch(cmd int, cur *engine.Cursor, keys, values []byte, n int) (int, error) {
	// The place is a u32 for a hash and a key for the rest.
	out := make([]byte, max(4, int(m.info.KeySize)))
	copy(out, cur.Opaque)
	done, err := batch(cmd, m.fd, cur.Opaque, out, keys, values, n, 0)
	switch err {
	case nil:
		cur.Opaque = out
	case unix.ENOENT: // the end: what came with it counts
	case unix.ENOSPC: // the place is now the bucket that did not fit
		cur.Opaque, done = out, 0
	default:
		done = 0
	}
	return done, err
}

func (m *kernelMap) UpdateBatch(keys, values []byte, n int, flags uint64) (int, error) {
	done, err := batch(unix.BPF_MAP_UPDATE_BATCH, m.fd, nil, nil, keys, values, n, flags)
	return trueCount(done, n, err), err
}

func (m *kernelMap) DeleteBatch(keys []byte, n int) (int, error) {
	done, err := batch(unix.BPF_MAP_DELETE_BATCH, m.fd, nil, nil, keys, nil, n, 0)
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

func (m *kernelMap) Freeze() error {
	if m.fd < 0 {
		return unix.EBADF
	}
	return errnoOf(m.m.Freeze())
}

func (m *kernelMap) Close() error {
	m.fd = -1
	return m.m.Close()
}
