package kernel

import (
	"errors"
	"runtime"
	"unsafe"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// Holders looks at each program, at each bpffs and at each process once.
func (e *Engine) Holders() (h engine.Holders, err error) {
	if h.Programs, err = usedBy(); err != nil {
		return h, err
	}
	if h.Pins, err = e.pinnedAt(); err != nil {
		return h, err
	}
	h.Processes, h.Hidden, err = openIn()
	return h, err
}

// programInfo is the start of the kernel's struct bpf_prog_info.
type programInfo struct {
	Type          uint32
	ID            uint32
	Tag           [8]byte
	JITedLen      uint32
	TranslatedLen uint32
	JITed         uint64
	Translated    uint64
	LoadTime      uint64
	CreatedByUID  uint32
	MapCount      uint32
	MapIDs        unsafe.Pointer
	Name          [16]byte
}

// usedBy are the programs that use maps. cilium/ebpf would ask for each one's code and types too.
func usedBy() (held engine.Held[engine.Program], err error) {
	held.By = map[uint32][]engine.Program{}
	ids := make([]uint32, 64) // the most that a program may have
	for attr := (idAttr{}); ; attr.id = attr.next {
		switch _, errno := bpf(unix.BPF_PROG_GET_NEXT_ID, unsafe.Pointer(&attr), unsafe.Sizeof(attr)); {
		case errno == unix.ENOENT:
			return held, nil
		case errno == unix.EPERM:
			held.Partial = true
			return held, nil
		case errno != 0:
			return held, errno
		}
		info, used, err := programMaps(attr.next, ids)
		switch {
		case errors.Is(err, unix.ENOENT): // it has gone meanwhile
			continue
		case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
			held.Partial = true
			continue
		case err != nil:
			return held, err
		}
		p := engine.Program{ID: info.ID, Name: unix.ByteSliceToString(info.Name[:]), Type: info.Type}
		for _, id := range used {
			held.By[id] = append(held.By[id], p)
		}
	}
}

// programMaps describes the program with an id. The ids of its maps are in the room that is given, or in a larger one.
func programMaps(id uint32, room []uint32) (info programInfo, ids []uint32, err error) {
	open := idAttr{id: id}
	fd, errno := bpf(unix.BPF_PROG_GET_FD_BY_ID, unsafe.Pointer(&open), unsafe.Sizeof(open))
	if errno != 0 {
		return info, nil, errno
	}
	defer unix.Close(int(fd))
	for {
		info = programInfo{MapCount: uint32(len(room)), MapIDs: unsafe.Pointer(&room[0])}
		attr := infoAttr{fd: uint32(fd), length: uint32(unsafe.Sizeof(info)), info: unsafe.Pointer(&info)}
		_, errno = bpf(unix.BPF_OBJ_GET_INFO_BY_FD, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
		runtime.KeepAlive(room)
		switch n := int(info.MapCount); {
		case errno != 0:
			return info, nil, errno
		case n <= len(room):
			return info, room[:n], nil
		default:
			room = make([]uint32, n)
		}
	}
}
