package layout

import (
	"fmt"
	"strings"

	"github.com/cilium/ebpf/btf"
)

// Outline writes the type as in C, each field on a line of its own, with its place behind it: its offset and its size
// in bytes, of a bit field its first bit and its bits ("4:3 5"). A type without fields is its spelling.
func (t *Type) Outline() string {
	var o lines
	o.add(0, t.btf, "", 0, "")
	if len(o) == 1 {
		return o[0].code
	}
	width := 0
	for _, l := range o {
		width = max(width, len(l.code))
	}
	var sb strings.Builder
	for i, l := range o {
		const most = 100
		if i == most {
			fmt.Fprintf(&sb, "... %d more lines\n", len(o)-most)
			break
		}
		fmt.Fprintf(&sb, "%-*s", width, l.code)
		fmt.Fprintf(&sb, "  /* %s */\n", l.place)
	}
	return strings.TrimSuffix(sb.String(), "\n")
}

// lines are code with the places of what they declare.
type lines []struct{ code, place string }

func (o *lines) line(depth int, code, place string) {
	*o = append(*o, struct{ code, place string }{strings.Repeat("    ", depth) + code, place})
}

// add declares a name of type t that begins at a byte. end follows it: a semicolon in a struct.
func (o *lines) add(depth int, t btf.Type, name string, at int, end string) {
	size, _ := btf.Sizeof(t) // of what was compiled
	inner, dims := t, ""
	for {
		a, ok := btf.UnderlyingType(inner).(*btf.Array)
		if !ok || namedOf(inner) != nil {
			break
		}
		inner, dims = a.Type, dims+fmt.Sprintf("[%d]", a.Nelems)
	}
	declared := ""
	if name != "" {
		declared = " " + quoteName(name)
	}
	place := fmt.Sprintf("%d %d", at, size)
	c := compositeOf(inner)
	if c.members == nil || namedOf(inner) != nil || c.name == spinLock.Name {
		elem, dims := split(t)
		o.line(depth, elem+declared+dims+end, place)
		return
	}
	packed := ""
	if _, ok := natural(c); !ok {
		packed = " __attribute__((packed))"
	}
	o.line(depth, title(c.word, c.name)+" {", fmt.Sprint(at))
	for _, m := range c.members {
		if m.BitfieldSize > 0 {
			bit := 8*at + int(m.Offset)
			o.line(depth+1, spellMember(m)+";", fmt.Sprintf("%d:%d %d", bit/8, bit%8, m.BitfieldSize))
			continue
		}
		o.add(depth+1, m.Type, m.Name, at+int(m.Offset)/8, ";")
	}
	o.line(depth, "}"+packed+declared+dims+end, place)
}
