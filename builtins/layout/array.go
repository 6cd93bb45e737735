package layout

import (
	"fmt"

	"bpfsh/runtime/method"

	"github.com/cilium/ebpf/btf"
	"go.starlark.net/starlark"
)

// arrayCodec is n elements of one type, shown as a tuple.
type arrayCodec struct {
	elem *Type
	n    int
}

func arrayCodecOf(t *btf.Array) (codec, error) {
	switch elementName(t.Type) {
	case "char":
		return textCodec{}, nil
	case "bytes":
		return bytesCodec{}, nil
	}
	elem, err := Of(t.Type)
	if err != nil {
		return nil, err
	}
	return arrayCodec{elem, int(t.Nelems)}, nil
}

// elementName tells text and plain bytes from arrays of small numbers. Compilers give char and signed char one
// encoding, so that only the name says which is text.
func elementName(t btf.Type) string {
	for {
		switch u := t.(type) {
		case *btf.Typedef:
			if u.Name == "bytes" {
				return "bytes"
			}
			t = u.Type
		case *btf.Const:
			t = u.Type
		case *btf.Volatile:
			t = u.Type
		case *btf.Int:
			if u.Size == 1 && u.Name == "char" {
				return "char"
			}
			return ""
		default:
			return ""
		}
	}
}

func (c arrayCodec) decode(b []byte) starlark.Value {
	values := make(starlark.Tuple, c.n)
	for i := range values {
		values[i] = c.elem.Decode(b[i*c.elem.size : (i+1)*c.elem.size])
	}
	return values
}

func (c arrayCodec) encode(b []byte, v starlark.Value) error {
	if raw(b, v) {
		return nil
	}
	seq, ok := v.(starlark.Indexable)
	if _, text := v.(starlark.String); !ok || text {
		return badf("got %s, want %d × %s", method.Describe(v), c.n, c.elem.name)
	}
	if n := seq.Len(); n != c.n {
		return badf("got %d elements, want %d × %s", n, c.n, c.elem.name)
	}
	for i := range c.n {
		if err := c.elem.Encode(b[i*c.elem.size:(i+1)*c.elem.size], seq.Index(i)); err != nil {
			return within(fmt.Sprintf("[%d]", i), err)
		}
	}
	return nil
}
