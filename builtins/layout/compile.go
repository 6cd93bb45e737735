package layout

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cilium/ebpf/btf"
)

// maxNesting bounds the types within a type: BTF out of a file may have a struct that contains itself.
const maxNesting = 64

// compile chooses the codec of t, which lies within depth others.
func (h *Host) compile(t btf.Type, depth int) (*Type, error) {
	switch u := btf.UnderlyingType(t).(type) {
	case *btf.Void, *btf.Fwd:
		return nil, fmt.Errorf("%s has no size", spell(u))
	case *btf.FuncProto, *btf.Func:
		return nil, errors.New("a function has no size")
	}
	size, err := btf.Sizeof(t)
	if err != nil {
		return nil, err
	}
	if depth > maxNesting {
		return nil, fmt.Errorf("more than %d types inside each other", maxNesting)
	}
	typ := &Type{btf: t, size: size, codec: bytesCodec{}, host: h}
	if hint, integer := hintOf(t); hint != nil {
		under, err := h.compile(integer, depth+1)
		if err != nil {
			return nil, err
		}
		typ.name, typ.codec, typ.hint, typ.shown = spell(t), under.codec, hint, true
		return typ, nil
	}
	if n := namedOf(t); n != nil {
		typ.name, typ.codec = n.name, n.codec
		return typ, nil
	}
	if oddSize(t) {
		typ.name = spell(t)
		return typ, nil
	}
	switch u := btf.UnderlyingType(t).(type) {
	case *btf.Int:
		typ.codec, typ.shown = intCodecOf(u), isBool(u)
	case *btf.Float:
		typ.codec = floatCodec{u.Size}
	case *btf.Pointer:
		typ.codec, typ.hint, typ.shown = nativeInt(8, false), hintByName("hex"), true
	case *btf.Enum:
		typ.codec, typ.shown = enumCodecOf(u), true
	case *btf.Array:
		err = typ.compileArray(u, depth)
	case *btf.Struct, *btf.Union, *btf.Datasec:
		err = typ.compileRecord(compositeOf(u), depth)
	}
	if err != nil {
		return nil, err
	}
	if object := kernelObject(t); object != "" {
		*typ = Type{btf: t, size: size, codec: kernelCodec{object, typ.codec}, host: h}
	}
	typ.name = spell(t)
	return typ, nil
}

// oddSize says that t is a number of a size that no codec reads, such as a long double. It stays bytes.
func oddSize(t btf.Type) bool {
	switch u := btf.UnderlyingType(t).(type) {
	case *btf.Int:
		return !slices.Contains([]uint32{1, 2, 4, 8, 16}, u.Size)
	case *btf.Enum:
		return !slices.Contains([]uint32{1, 2, 4, 8}, u.Size)
	case *btf.Float:
		return u.Size != 4 && u.Size != 8
	default:
		return false
	}
}
