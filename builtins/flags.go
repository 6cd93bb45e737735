package builtins

import (
	"fmt"
	"math"
	"strings"

	"bpfsh/builtins/engine"
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

// flagRows are the flags of linux/bpf.h: those of updates, and those of creation.
var flagRows = []struct {
	name     string
	value    uint64
	doc      string
	creation bool // else of updates: the two have numbers in common
}{
	{"BPF_ANY", 0, "Update an entry, new or not.", false},
	{"BPF_NOEXIST", 1, "Update only a key that is new.", false},
	{"BPF_EXIST", 2, "Update only a key that is there; push: drop the oldest if it is full.", false},
	{"BPF_F_LOCK", 4, "Take the value's spin lock while it is copied.", false},
	{"BPF_F_CPU", engine.OneCPU, "Update one CPU's value: its number is in the upper 32 bits. Since " + engine.CPUFlagsSince + ".", false},
	{"BPF_F_ALL_CPUS", engine.AllCPUs, "Update all CPUs' values from one. Since " + engine.CPUFlagsSince + ".", false},
	{"BPF_F_NO_PREALLOC", 1 << 0, "Take memory for entries when they are made.", true},
	{"BPF_F_NO_COMMON_LRU", 1 << 1, "Give each CPU an LRU list of its own.", true},
	{"BPF_F_NUMA_NODE", 1 << 2, "Take memory of the node that numa_node says.", true},
	{"BPF_F_RDONLY", 1 << 3, "Make a handle that cannot write.", true},
	{"BPF_F_WRONLY", 1 << 4, "Make a handle that cannot read.", true},
	{"BPF_F_STACK_BUILD_ID", 1 << 5, "Keep build ids and offsets in a stack trace.", true},
	{"BPF_F_ZERO_SEED", 1 << 6, "Hash without a random seed: the same order each time.", true},
	{"BPF_F_RDONLY_PROG", 1 << 7, "Keep programs from writing.", true},
	{"BPF_F_WRONLY_PROG", 1 << 8, "Keep programs from reading.", true},
	{"BPF_F_CLONE", 1 << 9, "Let a socket's storage go to sockets that are made from it.", true},
	{"BPF_F_MMAPABLE", 1 << 10, "Let the map be mapped into memory.", true},
	{"BPF_F_PRESERVE_ELEMS", 1 << 11, "Keep perf events when the handle that set them is closed.", true},
	{"BPF_F_INNER_MAP", 1 << 12, "Let inner arrays have other sizes than the template.", true},
}

// flags are the kernel's, under its names.
var flags = func() starlark.StringDict {
	d := starlark.StringDict{}
	for _, f := range flagRows {
		d[f.name] = starlark.MakeUint64(f.value)
	}
	return d
}()

// flagNames are the names of the flags that a map was made with, as a script combines them.
func flagNames(set uint32) string {
	var names []string
	for _, f := range flagRows {
		if f.creation && f.value&uint64(set) != 0 {
			names = append(names, f.name)
			set &^= uint32(f.value)
		}
	}
	if set != 0 { // of a newer kernel
		names = append(names, fmt.Sprintf("%#x", set))
	}
	return strings.Join(names, " | ")
}

// flagEntries is what the flags say about themselves.
func flagEntries() []method.Entry {
	var entries []method.Entry
	for _, f := range flagRows {
		entries = append(entries, method.Entry{Kind: "constant", Name: f.name, Doc: f.doc})
	}
	return entries
}

// flagsOf reads a flags argument; left out, it is 0.
func flagsOf(c method.Call, i int) (uint64, error) {
	if _, ok := c.Args[i].(starlark.Int); c.Args[i] != nil && !ok {
		return 0, c.Bad("flags", c.Args[i], "flags such as BPF_NOEXIST, combined with |")
	}
	return c.Uint(i, "flags", math.MaxUint64)
}
