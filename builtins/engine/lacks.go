package engine

import (
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// NotSupported is the kernel's own ENOTSUPP, which has no name in user space: the type has no such operation.
const NotSupported = unix.Errno(524)

// lacks is what types lack, and what to use instead: by operations, with spaces between, of which "" is any other. A later
// one overrides an earlier one.
type lacks []struct{ ops, instead string }

// without joins what a type lacks.
func without(parts ...lacks) lacks { return slices.Concat(parts...) }

// Of is what to use instead of an operation; "" if the type has it.
func (l lacks) Of(op string) string {
	for i := len(l) - 1; i >= 0; i-- {
		if ops := l[i].ops; ops == op || slices.Contains(strings.Fields(ops), op) {
			return l[i].instead
		}
	}
	return ""
}

var (
	noEnds = lacks{
		{"drain", "it has keys, and no order: items() reads, delete(key) removes"},
		{"push", "entries are written by key: m[key] = value"},
		{"peek", "entries are read by key: m[key]"},
	}
	// Of hashes all but hash_of_maps have it on newer kernels, see arrivals; their batch has it since there are batches.
	noPop      = lacks{{"pop", "the kernel has no such step for it: lookup, then delete"}}
	noPopBatch = without(noPop, lacks{{"pop_batch", "the kernel has no such step for it: lookup_batch, then delete_batch"}})
	noWalk     = lacks{
		{"next_key items keys values lookup_batch clear", "its entries belong to the objects that are its keys, and cannot be listed"},
		{"count", "its entries belong to the objects that are its keys, and cannot be counted"},
	}
	noRead = lacks{
		{"lookup items values lookup_batch pop pop_batch", "the kernel does not give its values back"},
		{"keys", "the kernel does not tell which indexes are in use: next_key gives all"},
		{"count", "the kernel does not tell which indexes are in use"},
		{"clear", "the kernel does not tell which indexes are in use: delete(index) empties one"},
	}

	hashLacks  = without(noEnds, noPop)
	keyedLacks = without(noEnds, noPopBatch)
	arrayLacks = lacks{
		{"drain", "an array has all its entries always: read with items()"},
		{"delete", "an array has all its entries always: write zeros with m[key] = 0"},
		{"delete_batch", "an array has all its entries always: write zeros with update_batch"},
		{"pop", "an array has all its entries always: read with m[key], then write zeros"},
		{"pop_batch", "an array has all its entries always: read with lookup_batch, then write zeros"},
		{"push", "an array is written by index: m[index] = value"},
		{"peek", "an array is read by index: m[index]"},
	}
	perCPUArrayLacks = without(arrayLacks, lacks{
		{"delete", "an array has all its entries always: write zeros with m[key] = [0] * cpus()"},
	})
	trieLacks = lacks{
		{"drain", "a trie has no such step: items(), then clear()"},
		{"pop", "a trie has no such step: lookup, then delete"},
		{"pop_batch", "a trie has no such step: lookup_batch, then delete_batch"},
		{"push", "entries are written by prefix: m[prefix] = value"},
		{"peek", "entries are read by prefix: m[prefix]"},
	}
	stackLacks = without(keyedLacks, lacks{
		{"update update_batch", "only a program adds stack traces"},
	})
	cgroupLacks = without(keyedLacks, lacks{
		{"delete delete_batch", "an entry lasts as long as its cgroup"},
	})
	storageLacks = without(keyedLacks, noWalk)
	handleLacks  = without(noEnds, noRead)
	queueLacks   = lacks{
		{"lookup", "peek() looks at the next value"},
		{"update", "push(value) adds one"},
		{"delete", "pop() removes the next value"},
		{"next_key", "pop() or drain() give the values"},
		{"items keys delete_batch", "drain() takes out all values"},
		{"values lookup_batch", "it cannot be read without taking out: drain() gives all values"},
		{"pop_batch", "drain() takes out all values, one by one"},
		{"update_batch", "push(value) adds one value at a time"},
		{"count", "the kernel does not tell how many values it holds: drain() takes them out"},
	}
	bloomLacks = lacks{
		{"lookup peek", "value in m asks whether a value may be a member"},
		{"update", "push(value) adds a member"},
		{"pop delete delete_batch", "members cannot be removed, only the whole map"},
		{"next_key items keys values lookup_batch pop_batch drain", "its members cannot be listed"},
		{"update_batch", "push(value) adds one member at a time"},
		{"count", "its members cannot be counted"},
	}
	eventLacks = without(handleLacks, lacks{
		{"items values", "its entries are perf events; events(m, consume=True) gives what programs send"},
		{"peek drain", "events(m, consume=True) gives what programs send"},
		{"push", "kernel.output(event) sends an event"},
	})
	ringLacks = lacks{
		{"", "it carries events from programs, and has no entries: events(m) reads them"},
		{"push update", "kernel.output(event) sends an event"},
		{"drain", "events(m, consume=True) takes them"},
	}
	userLacks = lacks{
		{"", "it carries events to programs, and has no entries"},
		{"events", "it carries events to programs, and these alone can read them"},
	}
	arenaLacks  = lacks{{"", "it is memory shared with programs, and has no entries"}}
	structLacks = without(keyedLacks, lacks{
		{"update update_batch", "only a loader of programs fills it: bpftool struct_ops register"},
		{"delete delete_batch clear", "only a loader of programs empties it: bpftool struct_ops unregister"},
	})
	structProgramLacks = lacks{{"", "it holds the functions of a kernel subsystem"}}
)
