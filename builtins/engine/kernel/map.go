package kernel

import (
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

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
	// reading is held while a batch is read, which another goroutine may do: Close waits for it, or the descriptor's
	// number could be another file's by then.
	reading  sync.RWMutex
	info     engine.Info
	brief    bool   // operations on one entry copy some bytes, and wait for nothing
	openedBy string // its pin; "" where it was not opened by one
	// The types that the handle was made with, if the kernel took them: to read them back wants a capability more.
	key, value btf.Type

	programs *programs // nil until one is wanted
}

var _ engine.Map = (*kernelMap)(nil)

// wrap takes over m.
func (e *Engine) wrap(m *ebpf.Map, readonly bool, key, value btf.Type) (engine.Map, error) {
	km := &kernelMap{engine: e, m: m, fd: m.FD(), key: key, value: value}
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
		Flags: raw.Flags, MapExtra: raw.MapExtra, BTF: raw.BTFID != 0, ReadOnly: readonly,
	}
	if engine.KindOf(raw.Type).PerCPU {
		if m.info.CPUs, err = m.engine.CPUs(); err != nil {
			return err
		}
	}
	m.brief = isBrief(&m.info)
	return nil
}

// isBrief says whether an operation on an entry copies some bytes and no more: not where it opens a file, waits until no
// program sees an inner map any more, or copies for long.
func isBrief(i *engine.Info) bool {
	const most = 4096
	k := engine.KindOf(i.Type)
	return k.Since != "" && k.Keys == engine.Nothing && k.Values == engine.Nothing && !k.Programmed && (k.Shape == engine.Hashed || k.Shape == engine.Indexed) &&
		int(i.KeySize)+i.Stride() <= most && k.Has("update")
}

// Types reads the map's BTF, unless the handle was made with it.
func (m *kernelMap) Types() (key, value btf.Type) {
	if m.fd >= 0 && m.info.BTF && m.value != nil {
		return m.key, m.value
	}
	raw, err := describe(m.fd)
	runtime.KeepAlive(m)
	switch {
	case err != nil, raw.BTFKeyTypeID == 0 && raw.BTFValueTypeID == 0 && raw.BTFVmlinuxValueTypeID == 0:
		return nil, nil
	case raw.BTFVmlinuxValueTypeID != 0: // of a struct_ops
		if spec, err := btf.LoadKernelSpec(); err == nil {
			return nil, typeOf(spec, raw.BTFVmlinuxValueTypeID)
		}
		return nil, nil
	}
	spec := m.engine.types.of(raw.BTFID)
	return typeOf(spec, raw.BTFKeyTypeID), typeOf(spec, raw.BTFValueTypeID)
}

// Spec reads the map's BTF. With a map of records the kernel keeps none, and it is that of a program
// which uses the map.
func (m *kernelMap) Spec() *btf.Spec {
	raw, err := describe(m.fd)
	runtime.KeepAlive(m)
	if err != nil {
		return nil
	}
	if raw.BTFID == 0 && engine.KindOf(raw.Type).Streams {
		return m.engine.types.of(programBTF(ebpf.MapID(raw.ID)))
	}
	return m.engine.types.of(raw.BTFID)
}

// programBTF is the id of the BTF of the first program that has one and uses a map; 0 where there is none, or where this
// process may not look.
func programBTF(user ebpf.MapID) uint32 {
	for id := ebpf.ProgramID(0); ; {
		next, err := ebpf.ProgramGetNextID(id)
		if err != nil {
			return 0
		}
		id = next
		if btf := btfOfUser(id, user); btf != 0 {
			return btf
		}
	}
}

// btfOfUser is the id of a program's BTF, if it uses a map.
func btfOfUser(id ebpf.ProgramID, user ebpf.MapID) uint32 {
	p, err := ebpf.NewProgramFromID(id)
	if err != nil { // it has gone
		return 0
	}
	defer p.Close()
	info, err := p.Info()
	if err != nil {
		return 0
	}
	used, _ := info.MapIDs()
	if own, ok := info.BTFID(); ok && slices.Contains(used, user) {
		return uint32(own)
	}
	return 0
}

// latestTypes are those of the BTF object that was read last: the maps of one program have one, and ids close to each
// other.
type latestTypes struct {
	mu   sync.Mutex
	id   uint32
	spec *btf.Spec
}

// of reads a BTF object of the kernel; 0 is none.
func (t *latestTypes) of(id uint32) *btf.Spec {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch id {
	case 0:
		return nil
	case t.id:
		return t.spec
	}
	handle, err := btf.NewHandleFromID(btf.ID(id))
	if err != nil {
		return nil
	}
	defer handle.Close()
	spec, err := handle.Spec(nil)
	if err != nil {
		return nil
	}
	t.id, t.spec = id, spec
	return spec
}

// typeOf is a type of spec. 0 is void, which stands for none.
func typeOf(spec *btf.Spec, id uint32) btf.Type {
	if id == 0 || spec == nil {
		return nil
	}
	t, err := spec.TypeByID(btf.TypeID(id))
	if err != nil {
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

func (m *kernelMap) Owner() (uint32, error) {
	n, err := m.fdinfo("owner_prog_type:")
	return uint32(n), err
}

// fdinfo reads a number that the kernel tells nowhere else. A line that is not there counts as 0.
func (m *kernelMap) fdinfo(label string) (uint64, error) {
	if m.fd < 0 {
		return 0, unix.EBADF
	}
	text, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(m.fd))
	runtime.KeepAlive(m)
	if err != nil {
		return 0, err
	}
	return numberIn(text, label)
}

// numberIn is the number behind a label in an fdinfo. A line that is not there counts as 0.
func numberIn(fdinfo []byte, label string) (uint64, error) {
	for line := range strings.Lines(string(fdinfo)) {
		if rest, ok := strings.CutPrefix(line, label); ok {
			return strconv.ParseUint(strings.TrimSpace(rest), 10, 64)
		}
	}
	return 0, nil
}

func (m *kernelMap) Close() error {
	if m.fd < 0 {
		return unix.EBADF
	}
	m.reading.Lock()
	defer m.reading.Unlock()
	m.fd = -1
	if m.programs != nil {
		m.programs.close() // they hold the map
		m.programs = nil
	}
	return m.m.Close()
}
