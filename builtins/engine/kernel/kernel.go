package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"bpfsh/builtins/engine"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/rlimit"
	"golang.org/x/sys/unix"
)

// Engine is the running kernel. The zero value is ready for use.
type Engine struct {
	// Mounted is told of a bpffs that was mounted for a pin. nil: a pin where none is mounted is an error.
	Mounted func(dir string)

	memlock sync.Once
}

var _ engine.Engine = (*Engine)(nil)

// Create makes a map.
func (e *Engine) Create(spec engine.Spec) (engine.Map, error) {
	s, err := mapSpec(&spec)
	if err != nil {
		return nil, err
	}
	// Before Linux 5.11 maps count against a limit that is too low. Where the limit may not be raised it is
	// mostly not in force either, and otherwise the map says so.
	e.memlock.Do(func() { _ = rlimit.RemoveMemlock() })
	m, err := ebpf.NewMap(s)
	if err != nil {
		return nil, errnoOf(err)
	}
	return e.wrap(m, false)
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
	if spec.Key != nil && spec.Value != nil {
		s.Key, s.Value = spec.Key, spec.Value
	}
	if spec.Inner != nil {
		if s.InnerMap, err = mapSpec(spec.Inner); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// errnoOf leaves of cilium/ebpf's errors what the kernel said; its texts guess at a cause.
func errnoOf(err error) error {
	var errno unix.Errno
	if errors.As(err, &errno) {
		return errno
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
	return e.wrap(m, readonly)
}

// OpenPin opens the map that is pinned at path.
func (e *Engine) OpenPin(path string, readonly bool) (engine.Map, error) {
	m, err := ebpf.LoadPinnedMap(path, &ebpf.LoadPinOptions{ReadOnly: readonly})
	if err != nil {
		var errno unix.Errno
		if !errors.As(err, &errno) {
			return nil, fmt.Errorf("%s holds another kind of object, not a map", path)
		}
		return nil, errno
	}
	return e.wrap(m, readonly)
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

// Missing names the capabilities that bpf() may want and this process lacks.
func (e *Engine) Missing() string {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return ""
	}
	has := func(c int) bool { return data[c/32].Effective&(1<<(c%32)) != 0 }
	var lacks []string
	for _, c := range []struct {
		number int
		name   string
	}{{unix.CAP_BPF, "CAP_BPF"}, {unix.CAP_SYS_ADMIN, "CAP_SYS_ADMIN"}, {unix.CAP_NET_ADMIN, "CAP_NET_ADMIN"}} {
		if !has(c.number) {
			lacks = append(lacks, c.name)
		}
	}
	return strings.Join(lacks, ", ")
}

// Unpin removes a pin.
func (e *Engine) Unpin(path string) error {
	if err := onBPFFS(filepath.Dir(path)); err != nil {
		return err
	}
	return pathErrno(os.Remove(path))
}

// pathErrno leaves the errno of a file operation: the caller names the path.
func pathErrno(err error) error {
	var pe *fs.PathError
	var le *os.LinkError
	switch {
	case errors.As(err, &pe):
		return pe.Err
	case errors.As(err, &le):
		return le.Err
	}
	return err
}
