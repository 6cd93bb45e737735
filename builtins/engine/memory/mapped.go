package memory

import (
	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// ReadAt copies from the memory of an array that can be mapped: its values, each at a multiple of 8 bytes, up to the
// end of the last page.
func (h *handle) ReadAt(b []byte, offset int) error {
	return h.mapped(access{read: true}, b, offset, func(part, memory []byte) int { return copy(part, memory) })
}

// WriteAt copies to it.
func (h *handle) WriteAt(b []byte, offset int) error {
	return h.mapped(access{read: true, write: true}, b, offset, func(part, memory []byte) int { return copy(memory, part) })
}

// mapped calls move with each part of b and of the memory that is in one piece. Errors are those of mmap.
func (h *handle) mapped(does access, b []byte, offset int, move func(part, memory []byte) int) error {
	h.engine.mu.Lock()
	defer h.engine.mu.Unlock()
	o := h.object
	switch {
	case o == nil:
		return unix.EBADF
	case does.write && h.info.ReadOnly:
		return unix.EPERM
	case o.info.Flags&unix.BPF_F_MMAPABLE == 0, h.info.ReadOnly:
		return engine.NotSupported
	case !h.may.read, does.write && !h.may.write:
		return unix.EACCES
	case len(o.kept.spans) > 0:
		return engine.NotSupported
	case !h.may.write: // the kernel takes the mapping for a private one
		return unix.EINVAL
	case does.write && o.frozen:
		return unix.EPERM
	case does.write && o.info.Flags&unix.BPF_F_RDONLY_PROG != 0:
		return unix.EACCES
	}
	t := o.table.(*array) // no other type takes the flag
	if offset < 0 || len(b) == 0 || offset > t.mappable()-len(b) {
		return unix.EINVAL
	}
	for len(b) > 0 {
		n := move(b, t.memoryAt(offset))
		b, offset = b[n:], offset+n
	}
	return nil
}
