package layout

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/cilium/ebpf/btf"
	"go.starlark.net/starlark"
)

// hint is what a number stands for. It leaves the value an int, and shows it to people as what it is. In BTF it is a
// typedef of the hint's name, in a spelling the name alone, or around the integer: "ktime", "hex(u16)".
type hint struct {
	name  string
	btf   btf.Type // of the name alone; nil where the integer must be named
	sizes []int    // of the integers that it can stand around
	// show is the text of v, which is a value of t. ok is false for a number that the machine knows nothing of.
	show func(t *Type, v starlark.Int) (text string, ok bool)
}

// hintTable are the hints that numbers can have.
var hintTable = []*hint{
	{"ktime", uint64Type, []int{8}, showKtime},
	{"duration", uint64Type, []int{8}, showDuration},
	{"ifindex", uint32Type, []int{4}, showInterface},
	{"uid", uint32Type, []int{4}, showUser},
	{"errno", signedType("i32", 4), []int{4, 8}, showErrno},
	{"ksym", uint64Type, []int{8}, showSymbol},
	{"signal", uint32Type, []int{1, 2, 4}, showSignal},
	{"pid", uint32Type, []int{4}, showProcess},
	{"cgroup", uint64Type, []int{8}, showCgroup},
	{"dev", uint32Type, []int{4}, showDevice},
	{"proto", uint8Type, []int{1, 2, 4}, showProtocol},
	{"hex", nil, []int{1, 2, 4, 8, 16}, showHex},
}

func hintByName(name string) *hint {
	i := slices.IndexFunc(hintTable, func(h *hint) bool { return h.name == name })
	if i < 0 {
		return nil
	}
	return hintTable[i]
}

// hintOf finds the hint that the outermost typedef of t with such a name is, and the integer under it. A typedef of
// that name which is no integer of the hint's size is another program's, and means something else.
func hintOf(t btf.Type) (*hint, btf.Type) {
	for ok := true; ok; t, ok = unwrap(t) {
		if d, isDef := t.(*btf.Typedef); isDef {
			if h := hintByName(d.Name); h != nil && h.fits(d.Type) {
				inner := d.Type
				if _, under := hintOf(inner); under != nil {
					inner = under
				}
				return h, inner
			}
		}
		if slices.ContainsFunc(named, func(n *namedType) bool { return n.is(t) }) {
			break
		}
	}
	return nil, nil
}

// fits says that t is an integer that the hint can stand around.
func (h *hint) fits(t btf.Type) bool {
	size, err := btf.Sizeof(t)
	return err == nil && slices.Contains(h.sizes, size) && isNumber(t)
}

// isNumber says that the values of t are ints, and nothing else.
func isNumber(t btf.Type) bool {
	if n := namedOf(t); n != nil {
		_, ok := n.codec.(intCodec)
		return ok
	}
	switch u := btf.UnderlyingType(t).(type) {
	case *btf.Int:
		return !isBool(u) && !oddSize(u)
	case *btf.Pointer:
		return kernelObject(u) == ""
	default:
		return false
	}
}

// around is the hint as a type of t's bytes.
func (h *hint) around(t btf.Type) btf.Type { return &btf.Typedef{Name: h.name, Type: t} }

// spell writes the hint around the integer t, or alone where it is of that integer anyway.
func (h *hint) spell(t btf.Type) string {
	inner := spell(t)
	if h.btf != nil && spell(h.btf) == inner {
		return h.name
	}
	return h.name + "(" + inner + ")"
}

// want says which integers the hint can stand around.
func (h *hint) want() string {
	s := "an integer of "
	for i, size := range h.sizes {
		switch {
		case i == 0:
		case i == len(h.sizes)-1:
			s += " or "
		default:
			s += ", "
		}
		s += fmt.Sprint(size)
	}
	if s += " byte"; h.sizes[len(h.sizes)-1] != 1 {
		s += "s"
	}
	return s
}

// hinted reads a hint: "ktime", "hex(u16)".
func (p *parser) hinted(h *hint) btf.Type {
	name := p.tok.at
	p.next()
	if !p.has("(") {
		if h.btf == nil {
			p.failAt(name, "%s needs an integer, such as %[1]s(u32)", h.name)
		}
		return h.around(h.btf)
	}
	at := p.tok.at
	t := p.pointers(p.baseType())
	if !h.fits(t) {
		p.failAt(at, "%s is of %s, got %s", h.name, h.want(), outline(t))
	}
	p.expect(")")
	return h.around(t)
}

// uint is the bits of v, which is a value of t, as an unsigned number.
func (t *Type) uint(v starlark.Int) *big.Int {
	n := v.BigInt()
	if n.Sign() < 0 {
		n.Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*t.size)))
	}
	return n
}
