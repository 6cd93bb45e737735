package layout

import (
	"bpfsh/runtime/method"

	"github.com/cilium/ebpf/btf"
	"go.starlark.net/starlark"
)

// enumCodec shows a number by its name, by the first where it has several, and as a number where it has none.
type enumCodec struct {
	int    intCodec
	typ    *btf.Enum
	names  map[uint64]string
	values map[string]uint64
}

func enumCodecOf(t *btf.Enum) codec {
	c := enumCodec{nativeInt(t.Size, t.Signed), t, map[uint64]string{}, map[string]uint64{}}
	for _, v := range t.Values {
		value := v.Value & (1<<(8*t.Size) - 1) // what load gives; a shift of 64 leaves all ones
		if _, ok := c.names[value]; !ok {
			c.names[value] = v.Name
		}
		c.values[v.Name] = value
	}
	return c
}

func (c enumCodec) decode(b []byte) starlark.Value {
	if name, ok := c.names[c.int.load(b)]; ok {
		return starlark.String(name)
	}
	return c.int.decode(b)
}

func (c enumCodec) encode(b []byte, v starlark.Value) error {
	name, ok := v.(starlark.String)
	if !ok {
		return c.int.encode(b, v)
	}
	value, ok := c.values[string(name)]
	if !ok {
		names := make([]string, len(c.typ.Values))
		for i, v := range c.typ.Values {
			names[i] = quoteName(v.Name)
		}
		return badf("%s has no %s%s", title("enum", c.typ.Name), quoteName(string(name)), method.DidYouMean(string(name), names))
	}
	c.int.store(b, value)
	return nil
}
