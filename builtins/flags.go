package builtins

import (
	"math"

	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

// flagBits are the flags of linux/bpf.h: those of updates, and those of creation.
var flagBits = []struct {
	name  string
	value uint64
}{
	{"BPF_ANY", 0}, {"BPF_NOEXIST", 1}, {"BPF_EXIST", 2}, {"BPF_F_LOCK", 4}, {"BPF_F_CPU", 8}, {"BPF_F_ALL_CPUS", 16},
	{"BPF_F_NO_PREALLOC", 1 << 0}, {"BPF_F_NO_COMMON_LRU", 1 << 1}, {"BPF_F_NUMA_NODE", 1 << 2},
	{"BPF_F_RDONLY", 1 << 3}, {"BPF_F_WRONLY", 1 << 4}, {"BPF_F_STACK_BUILD_ID", 1 << 5}, {"BPF_F_ZERO_SEED", 1 << 6},
	{"BPF_F_RDONLY_PROG", 1 << 7}, {"BPF_F_WRONLY_PROG", 1 << 8}, {"BPF_F_CLONE", 1 << 9}, {"BPF_F_MMAPABLE", 1 << 10},
	{"BPF_F_PRESERVE_ELEMS", 1 << 11}, {"BPF_F_INNER_MAP", 1 << 12},
}

// flags are the kernel's, under its names.
var flags = func() starlark.StringDict {
	d := starlark.StringDict{}
	for _, f := range flagBits {
		d[f.name] = starlark.MakeUint64(f.value)
	}
	return d
}()

// flagsOf reads a flags argument; left out, it is 0.
func flagsOf(c method.Call, i int) (uint64, error) {
	if _, ok := c.Args[i].(starlark.Int); c.Args[i] != nil && !ok {
		return 0, c.Bad("flags", c.Args[i], "flags such as BPF_NOEXIST, combined with |")
	}
	return c.Uint(i, "flags", math.MaxUint64)
}
