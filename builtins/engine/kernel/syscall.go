package kernel

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The attributes of bpf(2), as the kernel's union bpf_attr has them on 64-bit machines.
const _ = uint(unsafe.Sizeof(uintptr(0)) - 8) // does not compile where a pointer has 4 bytes

type elementAttr struct {
	fd    uint32
	_     uint32
	key   unsafe.Pointer
	value unsafe.Pointer // or the next key
	flags uint64
}

type batchAttr struct {
	in     unsafe.Pointer
	out    unsafe.Pointer
	keys   unsafe.Pointer
	values unsafe.Pointer
	count  uint32
	fd     uint32
	flags  uint64 // of each element
	_      uint64 // of the batch: none exist
}

type infoAttr struct {
	fd     uint32
	length uint32
	info   unsafe.Pointer
}

type pinAttr struct {
	path      unsafe.Pointer
	_         uint32
	openFlags uint32
}

type idAttr struct {
	id        uint32
	next      uint32
	openFlags uint32
}

// mapInfo is the kernel's struct bpf_map_info.
type mapInfo struct {
	Type                  uint32
	ID                    uint32
	KeySize               uint32
	ValueSize             uint32
	MaxEntries            uint32
	Flags                 uint32
	Name                  [16]byte
	Ifindex               uint32
	BTFVmlinuxValueTypeID uint32
	NetnsDev              uint64
	NetnsIno              uint64
	BTFID                 uint32
	BTFKeyTypeID          uint32
	BTFValueTypeID        uint32
	BTFVmlinuxID          uint32
	MapExtra              uint64
}

// bpf makes the system call, once: EINTR is an answer here, and from a batch it may come with entries.
func bpf(cmd int, attr unsafe.Pointer, size uintptr) (uintptr, unix.Errno) {
	r, _, errno := unix.Syscall(unix.SYS_BPF, uintptr(cmd), uintptr(attr), size)
	return r, errno
}

// element runs one of the commands on one entry. It allocates nothing.
//
// A brief one is over in a microsecond or two and waits for nothing, so that the scheduler is not told of it: that
// would take a tenth of a microsecond more.
func element(cmd, fd int, key, value []byte, flags uint64, brief bool) error {
	attr := elementAttr{fd: uint32(fd), key: pointer(key), value: pointer(value), flags: flags}
	var errno unix.Errno
	if brief {
		_, _, errno = unix.RawSyscall(unix.SYS_BPF, uintptr(cmd), uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	} else {
		_, errno = bpf(cmd, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	}
	runtime.KeepAlive(key)
	runtime.KeepAlive(value)
	if errno != 0 {
		return errno
	}
	return nil
}

// batch runs one of the commands on n entries. It returns the kernel's count, which with an error may still be the
// n that was asked for.
func batch(cmd, fd int, in, out, keys, values []byte, n int, flags uint64) (int, error) {
	attr := batchAttr{in: pointer(in), out: pointer(out), keys: pointer(keys), values: pointer(values),
		count: uint32(n), fd: uint32(fd), flags: flags}
	_, errno := bpf(cmd, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	runtime.KeepAlive(in)
	runtime.KeepAlive(out)
	runtime.KeepAlive(keys)
	runtime.KeepAlive(values)
	done := int(attr.count)
	if errno == 0 {
		return done, nil
	}
	return done, errno
}

func pointer(b []byte) unsafe.Pointer {
	if len(b) == 0 {
		return nil
	}
	return unsafe.Pointer(&b[0])
}

// describe asks for everything the kernel tells of a map, of which cilium/ebpf passes on only a part.
func describe(fd int) (mapInfo, error) {
	var info mapInfo
	attr := infoAttr{fd: uint32(fd), length: uint32(unsafe.Sizeof(info)), info: unsafe.Pointer(&info)}
	if _, errno := bpf(unix.BPF_OBJ_GET_INFO_BY_FD, unsafe.Pointer(&attr), unsafe.Sizeof(attr)); errno != 0 {
		return info, errno
	}
	return info, nil
}

// openID opens a map by its id, with flags that cilium/ebpf does not take.
func openID(id, flags uint32) (int, error) {
	attr := idAttr{id: id, openFlags: flags}
	fd, errno := bpf(unix.BPF_MAP_GET_FD_BY_ID, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}

// openPin opens whatever is pinned at a path, with flags.
func openPin(path string, flags uint32) (int, error) {
	name, err := unix.BytePtrFromString(path)
	if err != nil {
		return -1, err
	}
	attr := pinAttr{path: unsafe.Pointer(name), openFlags: flags}
	fd, errno := bpf(unix.BPF_OBJ_GET, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}
