package builtins

import (
	"errors"
	"fmt"
	"os"
	goruntime "runtime"
	"slices"
	"time"
	"weak"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// opened is the maps that scripts have opened, and what they hold in the kernel. A map that nobody holds any more closes
// itself, but only where the collector finds it: the collector sees the heap alone, and a map is small there.
type opened struct {
	maps     []weak.Pointer[Map] // to close at the end
	now      held
	kept     held // after the last collection, without what was closed since
	resident int  // bytes of memory that the process had of its own then
}

// held is what maps hold: those that scripts have, and those that they have closed or dropped since the last count.
type held struct {
	descriptors int
	memory      int // bytes of the maps that were made
}

func (h *held) add(more held) {
	h.descriptors += more.descriptors
	h.memory += more.memory
}

func (h *held) subtract(less held) {
	h.descriptors = max(0, h.descriptors-less.descriptors)
	h.memory = max(0, h.memory-less.memory)
}

// exceed says that n times what is held is so much that dropped maps are to be looked for. That takes as long as there is
// memory to look at, and may come often only where there is little.
func (o *opened) exceed(n int) bool {
	const (
		descriptors = 512
		memory      = 64 << 20
		worth       = 16 << 10 // bytes: to look at them takes a part of the time in which a map is opened
	)
	return n*o.now.descriptors > 2*o.kept.descriptors+descriptors+o.resident/worth || n*o.now.memory > 2*o.kept.memory+memory+o.resident/2
}

// count drops from the list what is gone, and adds up what is there.
func (o *opened) count() {
	o.now = held{}
	o.maps = slices.DeleteFunc(o.maps, func(p weak.Pointer[Map]) bool {
		m := p.Value()
		if m == nil || m.closed {
			return true
		}
		o.now.add(m.holds())
		return false
	})
}

// collect closes the maps that nobody holds any more, and says whether there were any. A goroutine does it, soon.
func (o *opened) collect() bool {
	before := o.now
	goruntime.GC()
	o.count()
	o.kept, o.resident = o.now, resident()
	return o.now != before
}

// resident is how many bytes of memory the process has of its own; 0 where that is not known.
func resident() int {
	b, _ := os.ReadFile("/proc/self/statm")
	var size, pages, shared int
	fmt.Sscan(string(b), &size, &pages, &shared)
	return (pages - shared) * os.Getpagesize()
}

// more counts what is held beside the rest.
func (o *opened) more(more held) {
	o.now.add(more)
	if !o.exceed(1) {
		return
	}
	o.count() // they may be closed, or the collector has been there
	if o.exceed(2) {
		o.collect()
	}
}

// add puts a map in the list.
func (o *opened) add(m *Map) {
	if len(o.maps) == cap(o.maps) { // before it grows, drop what is gone
		o.count()
	}
	o.maps = append(o.maps, weak.Make(m))
	o.more(m.holds())
}

// forPrograms is about what is open to run programs on a map.
var forPrograms = held{descriptors: 4}

// holds is about what the map holds.
func (m *Map) holds() held {
	h := held{descriptors: 1, memory: m.made}
	if m.kernel != nil {
		h.add(forPrograms)
	}
	for _, p := range m.streams {
		if e := p.Value(); e != nil && e.raw != nil {
			h.add(e.holds())
		}
	}
	return h
}

// holds is about what the stream holds beside its map.
func (e *Events) holds() held {
	if e.m.kind.Keyed() { // of each CPU
		n := int(e.m.info.MaxEntries)
		return held{descriptors: n, memory: n * e.buffer}
	}
	const mappings = 4
	return held{descriptors: mappings} // which are as scarce
}

// memoryOf is about how much memory a map takes when it is full.
func memoryOf(m *engine.Info) int {
	size := m.Stride()
	switch engine.KindOf(m.Type).Shape {
	case engine.Opaque: // rings
		size = 1
	case engine.Hashed:
		const entry = 48 // what a hash keeps of one
		size += entry + int(m.KeySize)
	}
	return int(m.MaxEntries) * size
}

// descriptor opens a map.
func (l *Library) descriptor(open func() (engine.Map, error)) (m engine.Map, err error) {
	err = l.retry(func() error {
		m, err = open()
		return err
	})
	return m, err
}

// retry calls f, which wants descriptors and memory. Where there are none left, those of maps that nobody holds any more
// come back first.
func (l *Library) retry(f func() error) error {
	err := f()
	if !errors.Is(err, unix.EMFILE) && !errors.Is(err, unix.ENOMEM) {
		return err
	}
	if gone := l.open.collect(); !gone && errors.Is(err, unix.ENOMEM) { // it wants too much
		return err
	}
	for wait := time.Millisecond; (errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENOMEM)) && wait < time.Second/10; wait *= 2 {
		time.Sleep(wait)
		err = f()
	}
	return err
}
