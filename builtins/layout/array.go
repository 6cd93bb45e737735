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

// maxElements bounds the arrays that are shown element by element.
const maxElements = 1 << 24

func (t *Type) compileArray(a *btf.Array, depth int) error {
	switch elementName(a.Type) {
	case "char":
		t.codec = textCodec{}
		return nil
	case "bytes":
		return nil
	}
	elem, err := t.host.compile(a.Type, depth+1)
	if err != nil || a.Nelems > maxElements {
		return err
	}
	t.codec, t.padded, t.shown = arrayCodec{elem, int(a.Nelems)}, elem.padded, elem.shown
	return nil
}

// elementName tells text ("char") and plain bytes ("bytes") from arrays of small numbers. Compilers give char and
// signed char one encoding, so that only the name says which is text.
func elementName(t btf.Type) string {
	i, ok := btf.UnderlyingType(t).(*btf.Int)
	if !ok || i.Size != 1 {
		return ""
	}
	for ok := true; ok; t, ok = unwrap(t) {
		if d, isDef := t.(*btf.Typedef); isDef && d.Name == "bytes" {
			return "bytes"
		}
		if h, _ := hintOf(t); h != nil {
			return ""
		}
	}
	if i.Name == "char" {
		return "char"
	}
	return ""
}

func (c arrayCodec) decode(b []byte) starlark.Value {
	values := make(starlark.Tuple, c.n)
	for i := range values {
		values[i] = c.elem.Decode(c.at(b, i))
	}
	return values
}

func (c arrayCodec) encode(b []byte, v starlark.Value) error {
	if raw(b, v) {
		return nil
	}
	seq, ok := listed(v)
	if !ok {
		return badf("got %s, want %d of %s", method.Describe(v), c.n, c.elem.short())
	}
	if n := seq.Len(); n != c.n {
		return badf("got %s, want %d of %s", method.Counted(n, "element"), c.n, c.elem.short())
	}
	for i := range c.n {
		if err := c.elem.Encode(c.at(b, i), seq.Index(i)); err != nil {
			return within(fmt.Sprintf("[%d]", i), err)
		}
	}
	return nil
}

// listed is v as a list. Text and bytes are none, though they can be indexed.
func listed(v starlark.Value) (list starlark.Indexable, ok bool) {
	switch v.(type) {
	case starlark.String, starlark.Bytes:
		return nil, false
	}
	list, ok = v.(starlark.Indexable)
	return list, ok
}

func (c arrayCodec) copyFields(dst, b []byte) {
	for i := range c.n {
		c.elem.copyFields(c.at(dst, i), c.at(b, i))
	}
}

// at is element i of the array in b.
func (c arrayCodec) at(b []byte, i int) []byte { return b[i*c.elem.size : (i+1)*c.elem.size] }
