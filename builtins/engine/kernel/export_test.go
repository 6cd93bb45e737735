package kernel

import (
	"encoding/binary"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// EntriesIn copies the entries of a map that fit into a room, and says whether those are all.
func EntriesIn(m engine.Map, room int) (engine.Batch, bool, error) {
	p, err := m.(*kernelMap).program(false)
	if err != nil {
		return engine.Batch{}, false, err
	}
	return p.entries(room, engine.AnyCPU)
}

// Image is a ring buffer in memory of the test's own, where it plays the programs and the consumer.
type Image struct {
	Consumer uintptr
	Producer [3]uintptr // and the positions that stand behind it
	data     []byte     // twice the ring, as it is mapped
	size     uintptr
}

func NewImage(size int) *Image { return &Image{data: make([]byte, 2*size), size: uintptr(size)} }

// Reserve writes the header of a record and moves the producer's position behind it.
func (i *Image) Reserve(length int) (at uintptr) {
	at = i.Producer[0]
	i.Header(at, uint32(length)|unix.BPF_RINGBUF_BUSY_BIT)
	i.Producer[0] += uintptr(length+8+7) &^ 7
	return at
}

// Header is a header's first word.
func (i *Image) Header(at uintptr, word uint32) {
	i.write(at, binary.NativeEndian.AppendUint32(nil, word))
}

// Submit writes a record that was reserved.
func (i *Image) Submit(at uintptr, text string) {
	i.write(at+8, []byte(text))
	i.Header(at, uint32(len(text)))
}

// Send reserves and submits one.
func (i *Image) Send(text string) { i.Submit(i.Reserve(len(text)), text) }

func (i *Image) write(at uintptr, b []byte) {
	for n, c := range b {
		place := (at + uintptr(n)) & (i.size - 1)
		i.data[place], i.data[place+i.size] = c, c
	}
}

func (i *Image) ring() *ring {
	return &ring{consumer: &i.Consumer, producer: &i.Producer[0], data: i.data, size: i.size}
}

// Tap and Consumer read the image; they are not to be closed, nor to wait.
func (i *Image) Tap(at uintptr, overwrites bool) engine.Stream {
	return &tap{ring: i.ring(), at: at, overwrites: overwrites}
}

func (i *Image) Consume() engine.Stream { return &consumer{ring: i.ring(), at: i.Consumer} }

// Intact is whether a record at a position would be taken for whole.
func (i *Image) Intact(at uintptr) bool { return (&tap{ring: i.ring(), at: at}).intact() }

// Reach is how near the producer may have come.
var Reach = reach

// BPFFSMounts are the directories of the mounts that are looked through.
func BPFFSMounts(mountinfo string) (dirs []string) {
	for _, m := range bpffsMounts(mountinfo) {
		dirs = append(dirs, m.dir)
	}
	return dirs
}
