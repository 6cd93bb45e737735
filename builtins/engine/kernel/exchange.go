package kernel

import (
	"runtime"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// exchange is memory that programs and this process share: an array, mapped. A program addresses its first element
// directly, which needs no lookup and no room on its stack.
type exchange struct {
	m      *ebpf.Map
	memory []byte
	stride int
	unmap  runtime.Cleanup
}

// newExchange makes room for n elements of size bytes each; 0 counts as 1.
func newExchange(name string, size, n uint32) (*exchange, error) {
	size = max(size, 1)
	m, err := ebpf.NewMap(&ebpf.MapSpec{Name: name, Type: ebpf.Array, KeySize: 4, ValueSize: size, MaxEntries: n, Flags: unix.BPF_F_MMAPABLE})
	if err != nil {
		return nil, makingFailed(err)
	}
	x := &exchange{m: m, stride: align8(int(size))}
	x.memory, err = unix.Mmap(m.FD(), 0, int(n)*x.stride, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		m.Close()
		return nil, err
	}
	x.unmap = runtime.AddCleanup(x, func(memory []byte) { _ = unix.Munmap(memory) }, x.memory)
	return x, nil
}

// at is element i. Only the programs of one map, run by one goroutine, use it.
func (x *exchange) at(i int) []byte { return x.memory[i*x.stride : (i+1)*x.stride] }

func (x *exchange) close() {
	x.unmap.Stop()
	_ = unix.Munmap(x.memory) // it is mapped
	x.m.Close()
}

// align8 is the distance of two elements of n bytes in an array.
func align8(n int) int { return (max(n, 1) + 7) &^ 7 }
