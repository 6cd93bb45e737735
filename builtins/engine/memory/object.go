package memory

import (
	"runtime"
	"slices"

	"bpfsh/builtins/engine"

	"github.com/cilium/ebpf/btf"
)

// object is a map. Handles, pins and outer maps hold it; it goes with the last of them.
type object struct {
	engine     *Engine
	row        *row
	info       engine.Info // as a handle that reads and writes shows it
	key, value btf.Type    // nil where none are kept
	kept       fields
	template   *engine.Spec // what the values of a map of maps must be like
	nested     fields       // what the template's values have of it
	table      table
	frozen     bool
	handles    int // of the holders, those that are handles
	holders    int
}

// table is the entries of a map. Keys and values have the map's sizes; who may do what is not its concern.
type table interface {
	// lookup copies the value, of all CPUs.
	lookup(key, value []byte) error
	// update writes the value of one CPU, or for allCPUs of all.
	update(key, value []byte, flags uint64, cpu int) error
	delete(key []byte) error
	// take is lookup and delete.
	take(key, value []byte) error
	nextKey(key, next []byte) error
	lookupBatch(cur *engine.Cursor, keys, values []byte, n int) (int, error)
	takeBatch(cur *engine.Cursor, keys, values []byte, n int) (int, error)

	// slot is the place of a value, of all CPUs, that a program has looked up; nil: there is none.
	slot(key []byte) []byte
	// each calls f with each entry, in the order of a program that goes through them.
	each(f func(key, value []byte))
	// count is the number of entries.
	count() int

	// memory is about what the kernel would take, in bytes.
	memory() uint64
	// close gives up what the entries hold.
	close()
}

// allCPUs stands for the CPU of an update by user space.
const allCPUs = -1

// stride is the number of bytes between the values of two CPUs.
func (o *object) stride() int { return align8(int(o.info.ValueSize)) }

func align8(n int) int { return (n + 7) &^ 7 }

// of is the part of a value that belongs to a CPU.
func (o *object) of(cpu int, value []byte) []byte {
	if o.info.CPUs == 0 {
		return value
	}
	return value[cpu*o.stride():][:o.info.ValueSize]
}

// open makes one more handle. One that nobody holds any more closes itself, as a descriptor does.
func (o *object) open(may access, readonly bool) *handle {
	h := &handle{object: o, engine: o.engine, info: o.info, may: may}
	h.info.ReadOnly = readonly
	o.handles++
	o.holders++
	h.dropped = runtime.AddCleanup(h, func(o *object) {
		o.engine.mu.Lock()
		defer o.engine.mu.Unlock()
		o.close()
	}, o)
	return h
}

// close gives one handle up.
func (o *object) close() {
	o.handles--
	o.engine.release(o)
}

// release gives a map up for one of its holders.
func (e *Engine) release(o *object) {
	if o.holders--; o.holders > 0 {
		return
	}
	if i, found := e.search(o.info.ID); found {
		e.maps = slices.Delete(e.maps, i, i+1)
	}
	o.table.close()
}
