package memory

import (
	"errors"
	"fmt"
	"strings"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// operations are those that some types have and others lack.
type operations uint16

const (
	lookups operations = 1 << iota
	takes
	updates
	deletes
	percpus // lookups on another CPU
	pushes
	pops
	peeks
	counts
	entries
	adds
)

// row is what the engine knows of a map type.
type row struct {
	flags   uint32                   // that may be given at creation
	check   func(*engine.Spec) error // what else the type wants
	make    func(*object) table
	batches operations // what is there for many entries
	program operations // what programs can do
	types   typeRule
}

const (
	progFlags   = unix.BPF_F_RDONLY_PROG | unix.BPF_F_WRONLY_PROG
	accessFlags = unix.BPF_F_RDONLY | unix.BPF_F_WRONLY | progFlags
	hashFlags   = accessFlags | unix.BPF_F_NO_PREALLOC | unix.BPF_F_NUMA_NODE | unix.BPF_F_ZERO_SEED
	lruFlags    = hashFlags | unix.BPF_F_NO_COMMON_LRU

	hashPrograms  = lookups | updates | deletes | counts | entries | adds
	arrayPrograms = hashPrograms // deletes are there, and answer EINVAL
	queuePrograms = pushes | pops | peeks
)

// rows has one row for each map type that the engine has, at the kernel's number for it.
var rows = map[uint32]*row{
	unix.BPF_MAP_TYPE_HASH: {flags: hashFlags, check: checkHash, make: newHash,
		batches: lookups | takes | updates | deletes, program: hashPrograms, types: keyed},
	unix.BPF_MAP_TYPE_PERCPU_HASH: {flags: hashFlags, check: checkHash, make: newHash,
		batches: lookups | takes | updates | deletes, program: hashPrograms | percpus, types: keyed},
	unix.BPF_MAP_TYPE_LRU_HASH: {flags: lruFlags, check: checkLRU, make: newLRU,
		batches: lookups | takes | updates | deletes, program: hashPrograms, types: keyed},
	unix.BPF_MAP_TYPE_LRU_PERCPU_HASH: {flags: lruFlags, check: checkLRU, make: newLRU,
		batches: lookups | takes | updates | deletes, program: hashPrograms | percpus, types: keyed},
	unix.BPF_MAP_TYPE_HASH_OF_MAPS: {flags: hashFlags, check: checkNested(checkHash), make: newNestedHash,
		batches: lookups | takes | updates | deletes, program: lookups, types: untyped},
	unix.BPF_MAP_TYPE_ARRAY: {flags: accessFlags | unix.BPF_F_NUMA_NODE | unix.BPF_F_MMAPABLE | unix.BPF_F_INNER_MAP, check: checkArray, make: newArray,
		batches: lookups | updates, program: arrayPrograms, types: indexed},
	unix.BPF_MAP_TYPE_PERCPU_ARRAY: {flags: accessFlags | unix.BPF_F_NUMA_NODE, check: checkArray, make: newArray,
		batches: lookups | updates, program: arrayPrograms | percpus, types: indexed},
	unix.BPF_MAP_TYPE_ARRAY_OF_MAPS: {flags: accessFlags&^progFlags | unix.BPF_F_NUMA_NODE, check: checkNested(checkArray), make: newNestedArray,
		batches: lookups | updates, program: lookups, types: untyped},
	unix.BPF_MAP_TYPE_LPM_TRIE: {flags: accessFlags | unix.BPF_F_NO_PREALLOC | unix.BPF_F_NUMA_NODE, check: checkTrie, make: newTrie,
		batches: lookups | updates | deletes, program: lookups | updates | deletes | adds, types: prefixed},
	unix.BPF_MAP_TYPE_QUEUE: {flags: accessFlags | unix.BPF_F_NUMA_NODE, check: checkQueue, make: newQueue,
		program: queuePrograms, types: untyped},
	unix.BPF_MAP_TYPE_STACK: {flags: accessFlags | unix.BPF_F_NUMA_NODE, check: checkQueue, make: newStack,
		program: queuePrograms, types: untyped},
	unix.BPF_MAP_TYPE_BLOOM_FILTER: {flags: accessFlags | unix.BPF_F_NUMA_NODE | unix.BPF_F_ZERO_SEED, check: checkBloom, make: newBloom,
		program: pushes | peeks, types: keyless},
}

// ErrNoType is why a map was not made whose type only a kernel has.
var ErrNoType = errors.New("the memory engine has no such map type")

// noType is ErrNoType, and says which types there are.
func noType(typ uint32) error {
	var have []string
	for i := range engine.Kinds {
		if rows[uint32(i)] != nil {
			have = append(have, engine.Kinds[i].Name)
		}
	}
	return &noTypeError{fmt.Sprintf("the memory engine has no %s; it has %s", engine.KindOf(typ).Name, strings.Join(have, ", "))}
}

type noTypeError struct{ text string }

func (e *noTypeError) Error() string        { return e.text }
func (e *noTypeError) Is(target error) bool { return target == ErrNoType }
