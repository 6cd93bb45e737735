package kernel

import (
	"errors"
	"strings"
	"sync"

	"bpfsh/builtins/engine"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"
	"golang.org/x/sys/unix"
)

// Engine is the running kernel. The zero value is ready for use.
type Engine struct {
	// Mounted is told of a bpffs that was mounted for a pin. nil: a pin where none is mounted is an error.
	Mounted func(dir string)

	prepared    sync.Once
	asked       sync.Once
	counterOnce sync.Once
	counter     counter
	pinnedIn    elsewhere
	types       latestTypes
}

var _ engine.Engine = (*Engine)(nil)

// Create makes a map.
func (e *Engine) Create(spec engine.Spec) (engine.Map, error) {
	s, err := mapSpec(&spec)
	if err != nil {
		return nil, err
	}
	if err := e.bearable(&spec); err != nil {
		return nil, err
	}
	e.prepare()
	if spec.Flags != 0 {
		e.askForFeatures()
	}
	if spec.Value != nil && !keeps(spec.Value) {
		s.Key, s.Value = nil, nil
	}
	m, err := ebpf.NewMap(s)
	if _, refused := errors.AsType[*ebpf.VerifierError](err); refused {
		// The kernel does not take such types at all. Where it does not take them for this map, cilium/ebpf has
		// tried again without.
		for t := s; t != nil; t = t.InnerMap {
			t.Key, t.Value = nil, nil
		}
		m, err = ebpf.NewMap(s)
	}
	if err != nil {
		return nil, withoutPrefix(refusedMap(&spec, makingFailed(err)))
	}
	return e.wrap(m, false, spec.Key, spec.Value)
}

// prepare does once what must be done before maps and programs are made.
func (e *Engine) prepare() {
	e.prepared.Do(func() {
		// Before Linux 5.11 they count against a limit that is too low. Where it may not be raised it is mostly not in
		// force either, and otherwise the kernel says so.
		if v, err := features.LinuxVersionCode(); err != nil || v < 5<<16|11<<8 {
			_ = unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY})
		}
	})
}

// askForFeatures lets cilium/ebpf find out once what the kernel has, while there are descriptors to find out with. It asks
// when a map with flags cannot be made, and takes a lack of descriptors for a lack of the feature, from then on.
func (e *Engine) askForFeatures() {
	e.asked.Do(func() {
		const tooLarge = 1 << 31
		for _, s := range []*ebpf.MapSpec{
			{Type: ebpf.Array, KeySize: 4, ValueSize: tooLarge, MaxEntries: 1, Flags: unix.BPF_F_MMAPABLE | unix.BPF_F_INNER_MAP | unix.BPF_F_RDONLY_PROG},
			{Type: ebpf.Hash, KeySize: 4, ValueSize: tooLarge, MaxEntries: 1, Flags: unix.BPF_F_NO_PREALLOC},
		} {
			if m, err := ebpf.NewMap(s); err == nil {
				m.Close()
			}
		}
	})
}

// bearable refuses maps that would take the machine down. Where there is one value for each CPU the kernel asks for the
// memory piece by piece, as long as there is any, and Linux 6.18 does not survive to free 2^31 entries of an array.
func (e *Engine) bearable(spec *engine.Spec) error {
	kind := engine.KindOf(spec.Type)
	const widest = 32 << 10 // the kernel refuses larger values itself
	if !kind.PerCPU || kind.NoEntries || spec.Flags&unix.BPF_F_NO_PREALLOC != 0 || spec.ValueSize > widest {
		return nil
	}
	if spec.MaxEntries >= 1<<31 {
		return unix.E2BIG
	}
	cpus, err := e.CPUs()
	if err != nil {
		return err
	}
	var machine unix.Sysinfo_t
	if err := unix.Sysinfo(&machine); err != nil {
		return err
	}
	const pointer = 8
	value := (uint64(spec.ValueSize) + 7) &^ 7
	if uint64(spec.MaxEntries)*(pointer+uint64(cpus)*value) > uint64(machine.Totalram)*uint64(machine.Unit) {
		return unix.ENOMEM
	}
	return nil
}

func mapSpec(spec *engine.Spec) (*ebpf.MapSpec, error) {
	typ, err := ebpf.MapTypeForPlatform("linux", spec.Type)
	if err != nil {
		return nil, err
	}
	s := &ebpf.MapSpec{
		Name: spec.Name, Type: typ, KeySize: spec.KeySize, ValueSize: spec.ValueSize,
		MaxEntries: spec.MaxEntries, Flags: spec.Flags, MapExtra: spec.MapExtra, NumaNode: spec.NumaNode,
	}
	if spec.Value != nil { // a bloom filter's value has a type although there is no key
		s.Key, s.Value = spec.Key, spec.Value
	}
	if spec.Inner != nil {
		if s.InnerMap, err = mapSpec(spec.Inner); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// withoutPrefix leaves of what cilium/ebpf refuses itself what is wrong, and not that a map was to be made.
func withoutPrefix(err error) error {
	if text, ok := strings.CutPrefix(err.Error(), "creating map: "); ok {
		return errors.New(text)
	}
	return err
}

// errnoOf leaves of cilium/ebpf's errors what the kernel said; its texts guess at a cause.
func errnoOf(err error) error {
	if errno, ok := errors.AsType[unix.Errno](err); ok {
		return errno
	}
	return err
}

// makingFailed is the errno of a map that could not be made, nil if it could. cilium/ebpf looks for features that the
// kernel may lack, and says that it does where it could not look: what it looks for, all kernels have that bpfsh runs on.
func makingFailed(err error) error {
	if err == nil {
		return nil
	}
	if _, told := errors.AsType[unix.Errno](err); !told && errors.Is(err, ebpf.ErrNotSupported) {
		m, refused := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: 4, MaxEntries: 1})
		if refused == nil {
			m.Close()
			return unix.EMFILE // there is a descriptor again
		}
		err = refused
	}
	return errnoOf(err)
}

// refusedMap tells why a map could not be made where the kernel says only EINVAL: it has no such type, or the type wants to
// know what its values are, and this process may not tell.
func refusedMap(spec *engine.Spec, err error) error {
	if err != unix.EINVAL {
		return err
	}
	// Of the newest types cilium/ebpf does not know how to ask.
	kind := engine.KindOf(spec.Type)
	lacks := features.HaveMapType(ebpf.MapType(spec.Type))
	switch {
	case errors.Is(lacks, ebpf.ErrNotSupported) || lacks != nil && Older(kind.Since):
		return engine.ErrAbsent
	case kind.Keys != engine.Nothing && missing(engine.KeepingTypes) != "":
		return unix.EPERM
	}
	return err
}

// OpenID opens the map with an id.
func (e *Engine) OpenID(id uint32, readonly bool) (engine.Map, error) {
	var flags uint32
	if readonly {
		flags = unix.BPF_F_RDONLY
	}
	fd, err := openID(id, flags)
	if err != nil {
		return nil, err
	}
	m, err := ebpf.NewMapFromFD(fd)
	if err != nil {
		return nil, errnoOf(err)
	}
	return e.wrap(m, readonly, nil, nil)
}

// OpenPin opens the map that is pinned at path.
func (e *Engine) OpenPin(path string, readonly bool) (engine.Map, error) {
	m, err := ebpf.LoadPinnedMap(path, &ebpf.LoadPinOptions{ReadOnly: readonly})
	switch errno := errnoOf(err); {
	case err == nil:
		e.pinnedIn.note(path)
		opened, err := e.wrap(m, readonly, nil, nil)
		if err == nil {
			opened.(*kernelMap).openedBy = path
		}
		return opened, err
	case errno == unix.EACCES:
		return nil, notPinned(path)
	case errno == err:
		return nil, errors.New("another kind of object is pinned there, not a map")
	default:
		return nil, errno
	}
}

// notPinned is why path cannot be opened. EACCES is the kernel's answer for whatever is no pin, too.
func notPinned(path string) error {
	if err := onBPFFS(path); err != nil {
		return err
	}
	var st unix.Stat_t
	if unix.Stat(path, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR {
		return unix.EISDIR
	}
	return unix.EACCES
}

// NextID is the least id of a map that is greater than id.
func (e *Engine) NextID(id uint32) (uint32, error) {
	next, err := ebpf.MapGetNextID(ebpf.MapID(id))
	if err != nil {
		return 0, errnoOf(err)
	}
	return uint32(next), nil
}

// CPUs is the number of possible CPUs.
func (e *Engine) CPUs() (int, error) { return ebpf.PossibleCPU() }

// Clock reads CLOCK_MONOTONIC.
func (e *Engine) Clock() (uint64, error) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return 0, err
	}
	return uint64(now.Nano()), nil
}
