package kernel

import (
	"os"
	"runtime"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// ReadAt copies from the map's memory.
func (m *kernelMap) ReadAt(b []byte, offset int) error {
	if m.fd >= 0 && m.info.ReadOnly { // the kernel maps nothing through such a descriptor
		return engine.NotSupported
	}
	return m.mapped(unix.PROT_READ, len(b), offset, func(memory []byte) { copy(b, memory) })
}

// WriteAt copies to the map's memory.
func (m *kernelMap) WriteAt(b []byte, offset int) error {
	if m.fd >= 0 && m.info.ReadOnly {
		return unix.EPERM
	}
	return m.mapped(unix.PROT_READ|unix.PROT_WRITE, len(b), offset, func(memory []byte) { copy(memory, b) })
}

// mapped calls f with n bytes of the map's memory. They are mapped for as long alone: while somebody has a map mapped
// for writing, nobody can freeze it.
func (m *kernelMap) mapped(protection, n, offset int, f func([]byte)) error {
	switch {
	case m.fd < 0:
		return unix.EBADF
	case m.info.Flags&unix.BPF_F_MMAPABLE == 0:
		return engine.NotSupported
	}
	page := os.Getpagesize()
	start := offset / page * page
	memory, err := unix.Mmap(m.fd, int64(start), offset+n-start, protection, unix.MAP_SHARED)
	runtime.KeepAlive(m)
	if err != nil {
		return err
	}
	f(memory[offset-start:])
	return unix.Munmap(memory)
}
