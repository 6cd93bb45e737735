package kernel

import (
	"errors"
	"os"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"bpfsh/builtins/engine"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// ring is the memory of a ring buffer, as the kernel lets a process map it.
//
// Two positions count the bytes that were produced and consumed since the map was made. They never go back; a place in
// the ring is a position without its upper bits. A program that reserves a record writes its header, which says that it
// is busy, and then moves the producer's position behind it, both in one critical section. The record's bytes follow,
// and then the header says that it is there, or discarded. A reservation is refused that would come further than the
// ring's size before the consumer's position, and so nothing is written over that was not consumed.
type ring struct {
	fd                 int // to wait on
	consumer, producer *uintptr
	// data is the ring twice in a row, so that a record at its end is in one piece.
	data     []byte
	size     uintptr
	mappings [][]byte

	idle    time.Duration // how long Wait sleeps where nothing wakes it
	barrier uint32
}

// ringWrites says that the consumer's position is mapped for writing.
type ringWrites bool

// mapRing maps the map behind fd, which is not needed afterwards. wake is a descriptor of the map to wait on.
func mapRing(fd, wake int, size uint32, writes ringWrites) (r *ring, err error) {
	page := os.Getpagesize()
	r = &ring{size: uintptr(size)}
	if r.fd, err = unix.FcntlInt(uintptr(wake), unix.F_DUPFD_CLOEXEC, 0); err != nil {
		return nil, err
	}
	position := unix.PROT_READ
	if writes {
		position |= unix.PROT_WRITE
	}
	for _, part := range []struct{ offset, length, protection int }{{0, page, position}, {page, page + 2*int(size), unix.PROT_READ}} {
		memory, err := unix.Mmap(fd, int64(part.offset), part.length, part.protection, unix.MAP_SHARED)
		if err != nil {
			_ = r.close() // what there is of it
			return nil, err
		}
		r.mappings = append(r.mappings, memory)
	}
	r.consumer = (*uintptr)(unsafe.Pointer(&r.mappings[0][0]))
	r.producer = (*uintptr)(unsafe.Pointer(&r.mappings[1][0]))
	r.data = r.mappings[1][page:]
	return r, nil
}

func (r *ring) close() (err error) {
	if r.fd < 0 {
		return nil
	}
	for _, memory := range r.mappings {
		err = errors.Join(err, unix.Munmap(memory))
	}
	err = errors.Join(err, unix.Close(r.fd))
	r.fd, r.mappings, r.data = -1, nil, nil
	return err
}

// at is the place of a position in data.
func (r *ring) at(position uintptr) uintptr { return position & (r.size - 1) }

// unconsumed is how far the producer's position is before the consumer's: 0 where a consumer has left that anywhere.
func (r *ring) unconsumed() uint64 {
	if r.fd < 0 {
		return 0
	}
	n := atomic.LoadUintptr(r.consumer)
	if n = atomic.LoadUintptr(r.producer) - n; n > r.size {
		return 0
	}
	return uint64(n)
}

// record is what a header says.
type record struct {
	length          uintptr // of its bytes, behind the header
	next            uintptr // the position behind it: records begin at multiples of 8
	busy, discarded bool
}

// header reads the header at a position. The bytes of a record that is not busy are read after it.
func (r *ring) header(position uintptr) record {
	word := atomic.LoadUint32((*uint32)(unsafe.Pointer(&r.data[r.at(position)])))
	length := uintptr(word &^ (unix.BPF_RINGBUF_BUSY_BIT | unix.BPF_RINGBUF_DISCARD_BIT))
	return record{
		length: length, next: position + (length+unix.BPF_RINGBUF_HDR_SZ+7)&^7,
		busy: word&unix.BPF_RINGBUF_BUSY_BIT != 0, discarded: word&unix.BPF_RINGBUF_DISCARD_BIT != 0,
	}
}

// bytes are those of the record at a position.
func (r *ring) bytes(position uintptr, rec record) []byte {
	from := r.at(position) + unix.BPF_RINGBUF_HDR_SZ
	return r.data[from : from+rec.length]
}

// afterReads lets what is loaded next be loaded after all that was read before. A load alone does not: it keeps what
// follows it behind itself. In Go it takes a store, behind which neither may move.
func (r *ring) afterReads() { atomic.StoreUint32(&r.barrier, 1) }

// Between two looks where nothing tells that there is a record.
const leastIdle, mostIdle = 100 * time.Microsecond, 4 * time.Millisecond

// wait waits for a record behind a position. The kernel wakes who waits for the first record behind the consumer's
// position, if the program lets it. It is no help where there are records that nobody consumes, or one that is busy: to
// poll is to be told of these. There we look every few milliseconds.
func (r *ring) wait(d time.Duration) error {
	if r.fd < 0 {
		return unix.EBADF
	}
	if atomic.LoadUintptr(r.consumer) != atomic.LoadUintptr(r.producer) {
		r.idle = min(max(2*r.idle, leastIdle), mostIdle)
		return poll(nil, min(d, r.idle)) // which costs a third of what time.Sleep does
	}
	return poll([]unix.PollFd{{Fd: int32(r.fd), Events: unix.POLLIN}}, d)
}

// poll waits until one of the descriptors has something to read, and d at most.
func poll(fds []unix.PollFd, d time.Duration) error {
	timeout := unix.NsecToTimespec(max(0, d.Nanoseconds()))
	_, err := unix.Ppoll(fds, &timeout, nil)
	if err == unix.EINTR { // by a signal of the Go runtime, or of one that ends the run
		return nil
	}
	return err
}

// mapRing maps the ring of m.
func (m *kernelMap) mapRing(writes ringWrites) (*ring, error) {
	defer runtime.KeepAlive(m)
	if !m.info.ReadOnly {
		return mapRing(m.fd, m.fd, m.info.MaxEntries, writes)
	}
	// The kernel maps nothing through a descriptor that was opened for reading, not even for reading. Another one is
	// open for as long as it takes.
	free, err := openID(m.info.ID, 0)
	if err == unix.EPERM && m.openedBy != "" { // which takes no more than the mode of the file
		return m.mapPinned()
	}
	if err != nil {
		return nil, err
	}
	defer unix.Close(free)
	return mapRing(free, m.fd, m.info.MaxEntries, writes)
}

// mapPinned maps the ring by the pin that it was opened by, if that is still its pin.
func (m *kernelMap) mapPinned() (*ring, error) {
	free, err := ebpf.LoadPinnedMap(m.openedBy, nil)
	if err != nil {
		return nil, unix.EPERM
	}
	defer free.Close()
	if info, err := describe(free.FD()); err != nil || info.ID != m.info.ID {
		return nil, unix.EPERM
	}
	return mapRing(free.FD(), m.fd, m.info.MaxEntries, false)
}

func (m *kernelMap) isRing() bool { return m.info.Type == unix.BPF_MAP_TYPE_RINGBUF }

// streams is nil for an open map with records.
func (m *kernelMap) streams() error {
	switch {
	case m.fd < 0:
		return unix.EBADF
	case !engine.KindOf(m.info.Type).Streams:
		return engine.NotSupported
	}
	return nil
}
