package memory

import (
	"sync"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// room is what the kernel would allocate for a map at once, in bytes.
func room(o *object) uint64 {
	i := &o.info
	n, value := uint64(i.MaxEntries), uint64(align8(i.Stride()))
	switch kind := engine.KindOf(i.Type); {
	case kind.Shape == engine.Indexed:
		return n * value
	case kind.Shape == engine.Slots:
		return n * 8
	case kind.Shape == engine.Ordered:
		return n * uint64(i.ValueSize)
	case kind.Shape == engine.Hashed && i.Flags&unix.BPF_F_NO_PREALLOC == 0:
		const header = 48
		return n * (header + uint64(align8(int(i.KeySize))) + value)
	}
	return 0
}

// memoryOfMachine is the memory that the machine has. The kernel gives no map more.
var memoryOfMachine = sync.OnceValue(func() uint64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 1 << 40
	}
	return uint64(info.Totalram) * uint64(info.Unit)
})
