package engine

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// Kind is what bpfsh knows of one map type.
type Kind struct {
	Name  string // bpftool's
	Since string // the first kernel that has it

	Shape  Shape
	PerCPU bool // one value for each CPU
	Evicts bool // a new entry takes the place of an old one where it is full
	// Keys and Values are what keys and values refer to. Where they do, they are written as descriptors, which are not
	// what is read.
	Keys, Values Object
	Nests        bool // values are maps
	Programmed   bool // values of 8 bytes end in a program: written as a descriptor, read as an id
	Streams      bool // programs send records through it, which user space reads
	Counted      bool // the kernel knows how many entries there are, see Engine.Counts

	// Instead says, for what the type lacks, what to use. Keys are operations ("delete", "items", "pop" …). "pop"
	// may be there for a type that lacks it on older kernels only.
	Instead lacks
	// Program says the same for what a program in the kernel does with the map.
	Program lacks

	Flags     uint32 // added at creation: the kernel wants them always
	Sets      uint32 // flags that the kernel sets itself, and does not take
	Unit      string // what max_entries counts, if that is no entries
	Clamped   bool   // max_entries is cut to the number of CPUs
	NoEntries bool   // max_entries is 0
	ByCgroup  bool   // keys have the id of a cgroup, which is the inode of its directory, alone or first
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

// Object is a kind of object that an entry refers to.
type Object uint8

const (
	Nothing Object = iota
	Maps
	Programs
	Cgroups
	Processes
	Files
	Sockets
	Events // perf events
)

// Bytes is the Unit of what has a size in bytes.
const Bytes = "byte"

// Keyed says whether an entry is found by a key.
func (k *Kind) Keyed() bool { return k.Shape <= Slots }

// Has says whether newer kernels have an operation on entries for the type.
func (k *Kind) Has(op string) bool {
	switch op {
	case "drain", "peek":
		return k.Shape == Ordered
	case "match":
		return k.Trie
	case "create_inner", "swap":
		return k.Nests
	case "events":
		return k.Streams
	case "clear": // arrays are set to zero
		if k.Shape == Ordered || k.Shape == Indexed {
			return true
		}
		return k.Has("delete") && k.Instead.Of(op) == ""
	case "pop":
		if k.Arrived(op) != "" { // what stands instead is for kernels before that
			return true
		}
	}
	return k.Instead.Of(op) == "" && k.Instead.Of("") == ""
}

// Missing says whether an error of a deletion means that there was nothing. An empty slot of a map of sockets answers
// EINVAL.
func (k *Kind) Missing(err error) bool {
	return errors.Is(err, unix.ENOENT) || k.Values == Sockets && errors.Is(err, unix.EINVAL)
}

// ProgramHas says whether newer kernels have an operation for the type on the kernel's side.
func (k *Kind) ProgramHas(op string) bool {
	if op == "output" {
		return k.Streams
	}
	return k.Program.Of(op) == "" && k.Program.Of("") == ""
}

const (
	noPrealloc      = 1      // BPF_F_NO_PREALLOC
	readOnlyProgram = 1 << 7 // BPF_F_RDONLY_PROG
)

// Kinds has one row for each map type, at the kernel's number for it.
var Kinds = []Kind{
	{Name: "unspec", Shape: Opaque},
	{Name: "hash", Since: "3.19", Counted: true, Instead: hashLacks, Program: hashProgramLacks},
	{Name: "array", Since: "3.19", Shape: Indexed, Instead: arrayLacks, Program: arrayProgramLacks},
	{Name: "prog_array", Values: Programs, Since: "4.2", Shape: Slots, Instead: keyedLacks, Program: tailCallProgramLacks},
	{Name: "perf_event_array", Streams: true, Clamped: true, Values: Events, Since: "4.3", Shape: Slots, Instead: eventLacks, Program: eventProgramLacks},
	{Name: "percpu_hash", Since: "4.6", PerCPU: true, Counted: true, Instead: hashLacks, Program: perCPUProgramLacks},
	{Name: "percpu_array", Since: "4.6", Shape: Indexed, PerCPU: true, Instead: perCPUArrayLacks, Program: perCPUArrayProgramLacks},
	{Name: "stack_trace", Since: "4.6", Instead: stackLacks, Program: stackProgramLacks},
	{Name: "cgroup_array", Values: Cgroups, Since: "4.8", Shape: Slots, Instead: handleLacks, Program: cgroupArrayProgramLacks},
	{Name: "lru_hash", Evicts: true, Since: "4.10", Counted: true, Instead: hashLacks, Program: hashProgramLacks},
	{Name: "lru_percpu_hash", Evicts: true, Since: "4.10", PerCPU: true, Counted: true, Instead: hashLacks, Program: perCPUProgramLacks},
	{Name: "lpm_trie", Since: "4.11", Trie: true, Flags: noPrealloc, Instead: trieLacks, Program: trieProgramLacks},
	{Name: "array_of_maps", Values: Maps, Since: "4.12", Shape: Slots, Nests: true, Instead: keyedLacks, Program: nestedProgramLacks},
	{Name: "hash_of_maps", Values: Maps, Since: "4.12", Nests: true, Counted: true, Instead: hashLacks, Program: nestedProgramLacks},
	{Name: "devmap", Programmed: true, Sets: readOnlyProgram, Since: "4.14", Shape: Slots, Instead: keyedLacks, Program: deviceProgramLacks},
	{Name: "sockmap", Values: Sockets, Since: "4.14", Shape: Slots, Instead: keyedLacks, Program: socketProgramLacks},
	{Name: "cpumap", Programmed: true, Clamped: true, Since: "4.15", Shape: Slots, Instead: keyedLacks, Program: redirectProgramLacks},
	{Name: "xskmap", Values: Sockets, Since: "4.18", Shape: Slots, Instead: handleLacks, Program: redirectProgramLacks},
	{Name: "sockhash", Values: Sockets, Since: "4.18", Instead: keyedLacks, Program: socketProgramLacks},
	{Name: "cgroup_storage", ByCgroup: true, Since: "4.19", NoEntries: true, Instead: cgroupLacks, Program: storageProgramLacks},
	{Name: "reuseport_sockarray", Values: Sockets, Since: "4.19", Shape: Slots, Instead: keyedLacks, Program: reuseportProgramLacks},
	{Name: "percpu_cgroup_storage", ByCgroup: true, Since: "4.20", PerCPU: true, NoEntries: true, Instead: cgroupLacks, Program: storageProgramLacks},
	{Name: "queue", Since: "4.20", Shape: Ordered, Instead: queueLacks, Program: queueProgramLacks},
	{Name: "stack", Since: "4.20", Shape: Ordered, Instead: queueLacks, Program: queueProgramLacks},
	{Name: "sk_storage", Keys: Sockets, Since: "5.2", Flags: noPrealloc, NoEntries: true, Instead: storageLacks, Program: storageProgramLacks},
	{Name: "devmap_hash", Programmed: true, Sets: readOnlyProgram, Since: "5.4", Instead: keyedLacks, Program: deviceProgramLacks},
	{Name: "struct_ops", Since: "5.6", Instead: structLacks, Program: structProgramLacks},
	{Name: "ringbuf", Streams: true, Since: "5.8", Shape: Opaque, Unit: Bytes, Instead: ringLacks, Program: ringProgramLacks},
	{Name: "inode_storage", Keys: Files, Since: "5.10", Flags: noPrealloc, NoEntries: true, Instead: storageLacks, Program: storageProgramLacks},
	{Name: "task_storage", Keys: Processes, Since: "5.11", Flags: noPrealloc, NoEntries: true, Instead: storageLacks, Program: storageProgramLacks},
	{Name: "bloom_filter", Since: "5.16", Shape: Members, Instead: bloomLacks, Program: bloomProgramLacks},
	{Name: "user_ringbuf", Since: "6.1", Shape: Opaque, Unit: Bytes, Instead: userLacks, Program: userLacks},
	{Name: "cgrp_storage", Keys: Cgroups, Since: "6.2", Flags: noPrealloc, NoEntries: true, Instead: storageLacks, Program: storageProgramLacks},
	{Name: "arena", Since: "6.9", Shape: Opaque, Unit: "page", Flags: 1 << 10, Instead: arenaLacks, Program: arenaLacks}, // BPF_F_MMAPABLE
	{Name: "insn_array", Since: "6.19", Shape: Indexed, Instead: arrayLacks, Program: jumpProgramLacks},
	{Name: "rhash", Since: "7.3", Flags: noPrealloc, Instead: noEnds, Program: hashProgramLacks},
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
