package kernel

import (
	"encoding/binary"
	"errors"
	"os"
	"sync/atomic"
	"unsafe"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// perfRing is the ring of the perf event that takes one CPU's records.
type perfRing struct {
	cpu, fd int
	entered bool // it is in the map
	counts  bool // the event can be asked how many were lost
	memory  []byte
	page    *unix.PerfEventMmapPage
	data    []byte
	tail    uint64 // where we are
	next    uint64 // behind the sample at tail; 0 if it was not looked at
	time    uint64 // of that sample
	missed  engine.Missed
}

// openPerfRing opens the event and maps its ring, of so many bytes.
func openPerfRing(cpu, buffer int) (*perfRing, error) {
	attr := unix.PerfEventAttr{
		Type: unix.PERF_TYPE_SOFTWARE, Config: unix.PERF_COUNT_SW_BPF_OUTPUT, Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{})),
		Sample: 1, Sample_type: unix.PERF_SAMPLE_RAW | unix.PERF_SAMPLE_TIME, Wakeup: 1,
		Bits: unix.PerfBitUseClockID, Clockid: unix.CLOCK_MONOTONIC, // one clock for all CPUs
	}
	attr.Read_format = unix.PERF_FORMAT_LOST // since Linux 6.0
	fd, err := unix.PerfEventOpen(&attr, -1, cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err == unix.EINVAL {
		attr.Read_format = 0
		fd, err = unix.PerfEventOpen(&attr, -1, cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
	}
	if err != nil {
		return nil, err
	}
	head := os.Getpagesize()
	memory, err := unix.Mmap(fd, 0, head+buffer, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	r := &perfRing{cpu: cpu, fd: fd, counts: attr.Read_format != 0, memory: memory, data: memory[head:]}
	r.page = (*unix.PerfEventMmapPage)(unsafe.Pointer(&memory[0]))
	return r, nil
}

// The places in a record: its header, and what the kinds have behind it that we ask for.
const (
	perfType    = 0  // u32
	perfSize    = 6  // u16, of the whole record
	perfTime    = 8  // u64, of a sample
	perfRawSize = 16 // u32
	perfRaw     = 20
	perfLost    = 16 // u64, of a record that tells of lost ones
)

// peek looks for the next sample, and counts the records that were lost before it.
func (r *perfRing) peek() bool {
	for r.next == 0 {
		if atomic.LoadUint64(&r.page.Data_head) == r.tail {
			return false
		}
		// Records begin at multiples of 8, and so does the ring: no number of theirs is cut in two.
		next := r.tail + uint64(binary.NativeEndian.Uint16(r.at(perfSize)))
		switch binary.NativeEndian.Uint32(r.at(perfType)) {
		case unix.PERF_RECORD_SAMPLE:
			r.next, r.time = next, binary.NativeEndian.Uint64(r.at(perfTime))
			return true
		case unix.PERF_RECORD_LOST:
			r.missed.Times++
			r.missed.Amount += binary.NativeEndian.Uint64(r.at(perfLost))
		}
		r.move(next)
	}
	return true
}

// lost is what was missed: by the records that tell of it, and where the event can be asked, also since the last of them.
func (r *perfRing) lost() engine.Missed {
	var answer [16]byte // its value, and the number
	if !r.counts {
		return r.missed
	}
	if n, err := unix.Read(r.fd, answer[:]); err != nil || n < len(answer) {
		return r.missed
	}
	m := r.missed
	if n := binary.NativeEndian.Uint64(answer[8:]); n > m.Amount {
		m.Times++
		m.Amount = n
	}
	return m
}

// at are the bytes behind an offset in the record at the tail, up to the ring's end.
func (r *perfRing) at(offset uint64) []byte {
	return r.data[(r.tail+offset)&uint64(len(r.data)-1):]
}

// sample appends the bytes of the sample that peek has found.
func (r *perfRing) sample(b []byte) []byte {
	n := int(binary.NativeEndian.Uint32(r.at(perfRawSize)))
	first := r.at(perfRaw)
	if n <= len(first) {
		return append(b, first[:n]...)
	}
	b = append(b, first...)
	return append(b, r.data[:n-len(first)]...)
}

func (r *perfRing) free() {
	if r.next != 0 {
		r.move(r.next)
	}
}

// move gives the room up to a place back.
func (r *perfRing) move(to uint64) {
	r.tail, r.next = to, 0
	atomic.StoreUint64(&r.page.Data_tail, to)
}

// close gives the event up. What was missed is known afterwards too.
func (r *perfRing) close() error {
	r.missed, r.counts = r.lost(), false
	return errors.Join(unix.Munmap(r.memory), unix.Close(r.fd))
}

// index is a number as an entry of an array has it.
func index(n int) []byte { return binary.NativeEndian.AppendUint32(nil, uint32(n)) }
