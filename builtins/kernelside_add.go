package builtins

import (
	"encoding/binary"
	"fmt"
	"math/big"

	"bpfsh/builtins/layout"
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

var kernelAddMethods = []method.Row[*KernelSide]{{
	Name:   "kernel.add",
	Params: "key, n, field=None, cpu=None",
	Doc: "Add n to a number in a value, in one step (an atomic add).\n" +
		"Nothing that programs or other processes add meanwhile is lost, which user space cannot do. field names the number in a struct (\"bytes\", \"tcp.bytes\"); it has 4 or 8 bytes. " +
		"It returns the sum; None before Linux 5.12. A sum that does not fit wraps around as in C, and is no error: 0xffffffff + 1 is 0 in a u32. ENOENT: there is no entry under key. Of a per-CPU map one CPU's value grows; in a trie, that under the longest prefix that covers key.",
	Example: `m.kernel.add("10.0.0.1", 1, "packets")
m.kernel.add("10.0.0.1", -60, "bytes")    # it returns the new number
drops.kernel.add(1, 1, cpu=0)             # a value that is no struct`,
	Run: (*KernelSide).add,
}}

func (k *KernelSide) add(c method.Call) (starlark.Value, error) {
	if err := k.has(c.Name, c.Args[0]); err != nil {
		return nil, err
	}
	field := ""
	if given(c, 2) {
		var err error
		if field, err = c.String(2, "field"); err != nil {
			return nil, err
		}
	}
	cpu, err := k.cpu(c, 3)
	if err != nil {
		return nil, err
	}
	offset, number, err := k.m.value.Counter(field)
	if err != nil {
		return nil, k.m.bad(c.Name, "value", err)
	}
	n, err := addend(c, number)
	if err != nil {
		return nil, err
	}
	key, err := k.m.encodeKey(c.Name, c.Args[0])
	if err != nil {
		return nil, err
	}
	var sum uint64
	var told bool
	err = k.run(func() (err error) {
		sum, told, err = k.m.raw.ProgramAdd(key, offset, number.Size(), n, cpu)
		return err
	})
	if err != nil {
		return nil, k.m.fail(c.Name, c.Args[0], err)
	}
	if !told {
		return starlark.None, nil
	}
	b := make([]byte, 8)
	if number.Size() == 4 {
		binary.NativeEndian.PutUint32(b, uint32(sum))
	} else {
		binary.NativeEndian.PutUint64(b, sum)
	}
	return number.Decode(b[:number.Size()]), nil
}

// addend reads n, which may be negative whether or not the number is, as two's complement.
func addend(c method.Call, number *layout.Type) (uint64, error) {
	n, ok := c.Args[1].(starlark.Int)
	if !ok {
		return 0, c.Bad("n", c.Args[1], "int")
	}
	width := uint(8 * number.Size())
	least, most := new(big.Int).Lsh(big.NewInt(-1), width-1), new(big.Int).Lsh(big.NewInt(1), width)
	if i := n.BigInt(); i.Cmp(least) < 0 || i.Cmp(most) >= 0 {
		return 0, c.Bad("n", n, fmt.Sprintf("a number of %d bits", width))
	}
	if u, ok := n.Uint64(); ok {
		return u, nil
	}
	i, _ := n.Int64() // it is negative, and fits
	return uint64(i), nil
}
