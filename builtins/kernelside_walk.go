package builtins

import (
	"fmt"
	"strings"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/runtime"
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

var kernelWalkMethods = []method.Row[*KernelSide]{{
	Name:   "kernel.items",
	Params: "cpu=None",
	Doc: "All entries, read in one go by a program (bpf_for_each_map_elem).\n" +
		"A batch: a sequence of (key, value), with .keys and .values. Of a per-CPU map: the values of one CPU. Hashes and arrays have it, since Linux 5.13. " +
		"It cannot be interrupted, and the CPU does nothing else meanwhile, some 0.2 s for a million entries: more are refused, and so is a map with room for " +
		"more than 16 million. items() reads any map.",
	Example: `total = sum(m.kernel.items(), by="bytes")
one = drops.kernel.items(cpu=0).values    # of CPU 0 alone`,
	Run: func(k *KernelSide, c method.Call) (starlark.Value, error) {
		cpu, err := k.cpu(c, 0)
		if err != nil {
			return nil, err
		}
		if err := k.mayWalk(c); err != nil {
			return nil, err
		}
		var b engine.Batch
		err = k.run(func() (err error) { b, err = k.m.raw.ProgramEntries(cpu); return err })
		if err != nil {
			return nil, k.m.fail(c.Name, nil, err)
		}
		return &Batch{k.m, layout.Slot{Type: k.m.value.Type}, string(b.Keys), string(b.Values), b.N}, nil
	},
}, {
	Name: "kernel.count",
	Doc: "The number of entries that a program goes through.\n" +
		"It is bpf_for_each_map_elem, with the limits of kernel.items; count() is faster.",
	Example: `if m.kernel.count() != m.count():
    print("m changed meanwhile")`,
	Run: func(k *KernelSide, c method.Call) (starlark.Value, error) {
		if err := k.mayWalk(c); err != nil {
			return nil, err
		}
		var n int
		err := k.run(func() (err error) { n, err = k.m.raw.ProgramCount(); return err })
		if err != nil {
			return nil, k.m.fail(c.Name, nil, err)
		}
		return starlark.MakeInt(n), nil
	},
}, {
	Name:   "kernel.next_key",
	Params: "key=None",
	Doc:    "An error: programs have no such helper.\nIt says what to use instead.",
	Example: `_, err = catch(lambda: m.kernel.next_key("10.0.0.1"))
print(err)`,
	Run: func(k *KernelSide, c method.Call) (starlark.Value, error) {
		return nil, k.has(c.Name, c.Args[0])
	},
}}

// What one run goes through at most: it cannot be interrupted, and the CPU's other work waits meanwhile. An empty bucket
// of a hash takes some time too.
const (
	maxWalk = 1 << 20 // entries
	maxRoom = 1 << 24 // for entries
)

// mayWalk refuses a run that would take too long.
func (k *KernelSide) mayWalk(c method.Call) error {
	if err := k.has(c.Name, nil); err != nil {
		return err
	}
	m, n := k.m, int(k.m.info.MaxEntries)
	if n > maxRoom {
		return k.tooMany(c.Name, fmt.Sprintf("it has room for %d entries, and one run of a program goes through room for %d", n, maxRoom))
	}
	if n > maxWalk && m.kind.Shape != engine.Indexed {
		var err error
		if n, err = m.count(runtime.Context(c.Thread), c.Name); err != nil {
			return err
		}
	}
	if n > maxWalk {
		return k.tooMany(c.Name, fmt.Sprintf("it has %d entries, and one run of a program goes through %d", n, maxWalk))
	}
	return nil
}

func (k *KernelSide) tooMany(op, text string) error {
	return &Error{Op: op, Map: k.m, Count: -1, Err: fmt.Errorf("%s at most: %s() has no such limit", text, strings.TrimPrefix(op, kernelPrefix))}
}
