package engine

import (
	"fmt"
	"strings"
)

// Kind is what bpfsh knows of one map type.
type Kind struct {
	Name  string // bpftool's
	Since string // the first kernel that has it

	Shape  Shape
	PerCPU bool // one value for each CPU
	// Handles says that values are written as file descriptors, which are not what is read.
	Handles bool

	// Instead says, for what the type lacks, what to use. Keys are operations ("delete", "items", "pop" …). "pop"
	// may be there for a type that lacks it on older kernels only.
	Instead map[string]string

	Flags     uint32 // added at creation: the kernel wants them always
	NoEntries bool   // max_entries is 0
	Trie      bool   // keys are prefixes: the order of a walk is that of the trie
}

// Shape is how the entries of a map are found.
type Shape uint8

const (
	// Hashed maps have the keys that were put in.
	Hashed Shape = iota
	// Indexed maps have the keys from 0 to max_entries, always; they have a u32 for a key.
	Indexed
	// Slots are indexed, but a slot may be empty.
	Slots
	// Ordered maps have no keys: a queue, a stack.
	Ordered
	// Members answers only whether a value is in it: a bloom filter.
	Members
	// Opaque maps have no entries that user space can reach.
	Opaque
)

// Keyed says whether an entry is found by a key.
func (k *Kind) Keyed() bool { return k.Shape <= Slots }

// Has says whether newer kernels have an operation on entries for the type.
func (k *Kind) Has(op string) bool {
	switch op {
	case "drain", "peek":
		return k.Shape == Ordered
	case "clear": // arrays are set to zero
		if k.Shape == Ordered || k.Shape == Indexed {
			return true
		}
		return k.Has("delete") && k.Instead[op] == ""
	case "pop":
		// Hashes have had it for long; what stands instead is for kernels before that.
		if k.Shape == Hashed && k.Instead["pop_batch"] == "" && !k.Handles {
			return true
		}
	}
	return k.Instead[op] == "" && k.Instead[""] == ""
}

const noPrealloc = 1 // BPF_F_NO_PREALLOC

// Kinds has one row for each map type, at the kernel's number for it.
var Kinds = []Kind{
	{Name: "unspec", Shape: Opaque},
	{Name: "hash", Since: "3.19", Instead: hashLacks},
	{Name: "array", Since: "3.19", Shape: Indexed, Instead: arrayLacks},
	{Name: "prog_array", Handles: true, Since: "4.2", Shape: Slots, Instead: keyedLacks},
	{Name: "perf_event_array", Handles: true, Since: "4.3", Shape: Slots, Instead: handleLacks},
	{Name: "percpu_hash", Since: "4.6", PerCPU: true, Instead: hashLacks},
	{Name: "percpu_array", Since: "4.6", Shape: Indexed, PerCPU: true, Instead: arrayLacks},
	{Name: "stack_trace", Since: "4.6", Instead: stackLacks},
	{Name: "cgroup_array", Handles: true, Since: "4.8", Shape: Slots, Instead: handleLacks},
	{Name: "lru_hash", Since: "4.10", Instead: hashLacks},
	{Name: "lru_percpu_hash", Since: "4.10", PerCPU: true, Instead: hashLacks},
	{Name: "lpm_trie", Since: "4.11", Trie: true, Flags: noPrealloc, Instead: trieLacks},
	{Name: "array_of_maps", Handles: true, Since: "4.12", Shape: Slots, Instead: keyedLacks},
	{Name: "hash_of_maps", Handles: true, Since: "4.12", Instead: hashLacks},
	{Name: "devmap", Since: "4.14", Shape: Slots, Instead: keyedLacks},
	{Name: "sockmap", Handles: true, Since: "4.14", Shape: Slots, Instead: keyedLacks},
	{Name: "cpumap", Since: "4.15", Shape: Slots, Instead: keyedLacks},
	{Name: "xskmap", Handles: true, Since: "4.18", Shape: Slots, Instead: handleLacks},
	{Name: "sockhash", Handles: true, Since: "4.18", Instead: keyedLacks},
	{Name: "cgroup_storage", Since: "4.19", NoEntries: true, Instead: cgroupLacks},
	{Name: "reuseport_sockarray", Handles: true, Since: "4.19", Shape: Slots, Instead: keyedLacks},
	{Name: "percpu_cgroup_storage", Since: "4.20", PerCPU: true, NoEntries: true, Instead: cgroupLacks},
	{Name: "queue", Since: "4.20", Shape: Ordered, Instead: queueLacks},
	{Name: "stack", Since: "4.20", Shape: Ordered, Instead: queueLacks},
	{Name: "sk_storage", Since: "5.2", Flags: noPrealloc, NoEntries: true, Instead: storageLacks},
	{Name: "devmap_hash", Since: "5.4", Instead: keyedLacks},
	{Name: "struct_ops", Since: "5.6", Instead: structLacks},
	{Name: "ringbuf", Since: "5.8", Shape: Opaque, Instead: ringLacks},
	{Name: "inode_storage", Since: "5.10", Flags: noPrealloc, NoEntries: true, Instead: storageLacks},
	{Name: "task_storage", Since: "5.11", Flags: noPrealloc, NoEntries: true, Instead: storageLacks},
	{Name: "bloom_filter", Since: "5.16", Shape: Members, Instead: bloomLacks},
	{Name: "user_ringbuf", Since: "6.1", Shape: Opaque, Instead: userLacks},
	{Name: "cgrp_storage", Since: "6.2", Flags: noPrealloc, NoEntries: true, Instead: storageLacks},
	{Name: "arena", Since: "6.9", Shape: Opaque, Flags: 1 << 10, Instead: arenaLacks}, // BPF_F_MMAPABLE
	{Name: "insn_array", Since: "6.19", Shape: Indexed, Instead: arrayLacks},
	{Name: "rhash", Since: "7.3", Flags: noPrealloc, Instead: hashLacks},
}

// KindOf is the row of a map type. A type that is newer than the table gets a row that promises nothing.
func KindOf(typ uint32) *Kind {
	if int(typ) < len(Kinds) {
		return &Kinds[typ]
	}
	return &Kind{Name: fmt.Sprintf("type_%d", typ), Shape: Hashed}
}

// TypeByName is the kernel's number for a type's name.
func TypeByName(name string) (uint32, bool) {
	for i, k := range Kinds {
		if k.Name == strings.ToLower(name) && i > 0 {
			return uint32(i), true
		}
	}
	return 0, false
}

// TypeNames are the names of all types, in the kernel's order.
func TypeNames() []string {
	var names []string
	for _, k := range Kinds[1:] {
		names = append(names, k.Name)
	}
	return names
}
