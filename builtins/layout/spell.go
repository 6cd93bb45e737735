package layout

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/cilium/ebpf/btf"
)

// spell writes a type as it can be parsed again. Types that are the same get the same spelling, whichever
// typedefs lead to them.
func spell(t btf.Type) string {
	elem, dims := split(t)
	return elem + dims
}

// split writes what stands before and what stands behind the name of a field: "u32" and "[4]".
func split(t btf.Type) (elem, dims string) {
	if h, integer := hintOf(t); h != nil {
		return h.spell(integer), ""
	}
	if n := namedOf(t); n != nil {
		return n.name, ""
	}
	if oddSize(t) {
		size, _ := btf.Sizeof(t)
		return "bytes", fmt.Sprintf("[%d]", size)
	}
	switch u := btf.UnderlyingType(t).(type) {
	case *btf.Int:
		return spellInt(u), ""
	case *btf.Float:
		return fmt.Sprintf("f%d", 8*u.Size), ""
	case *btf.Pointer:
		return spellPointer(u), ""
	case *btf.Enum:
		return spellEnum(u), ""
	case *btf.Array:
		elem, dims = "bytes", ""
		if elementName(u.Type) != "bytes" {
			elem, dims = split(u.Type)
		}
		return elem, fmt.Sprintf("[%d]%s", u.Nelems, dims)
	case *btf.Struct, *btf.Union, *btf.Datasec:
		return spellComposite(compositeOf(u)), ""
	case *btf.Fwd:
		return u.Kind.String() + " " + u.Name, ""
	default:
		return strings.ToLower(fmt.Sprintf("%T", u)[len("*btf."):]), ""
	}
}

func spellInt(t *btf.Int) string {
	switch {
	case isBool(t):
		return "bool"
	case t.Name == "char" && t.Size == 1:
		return "char"
	default:
		return nativeInt(t.Size, isSigned(t)).name()
	}
}

func spellEnum(e *btf.Enum) string {
	var sb strings.Builder
	sb.WriteString(title("enum", e.Name))
	values := make([]*big.Int, len(e.Values))
	for i, v := range e.Values {
		if values[i] = new(big.Int).SetUint64(v.Value); e.Signed {
			values[i].SetInt64(int64(v.Value))
		}
	}
	integer := nativeInt(e.Size, e.Signed)
	if n, _ := naturalEnum(values, false); n != integer {
		sb.WriteString(" : " + integer.name())
	}
	sb.WriteString(" {")
	for i, v := range e.Values {
		if i > 0 {
			sb.WriteByte(',')
		}
		fmt.Fprintf(&sb, " %s = %s", quoteName(v.Name), values[i])
	}
	return sb.String() + " }"
}

// title is the word and the name of a struct, a union or an enum. A name that C does not allow is left out.
func title(word, name string) string {
	if isName(name) {
		return word + " " + name
	}
	return word
}

// Kept is the type for what is written out together with its spelling, to be read elsewhere: t itself where its spelling is
// read as the same type again, else bytes of its size.
func (t *Type) Kept() *Type {
	again, err := Parse(t.name)
	if err == nil && again.name == t.name && again.Fits(t) {
		return t
	}
	b := arrayType(bytesElem, uint32(t.size))
	return &Type{btf: b, name: spell(b), size: t.size, codec: bytesCodec{}, host: t.host}
}

// spellComposite writes a struct or a union. One that C would lay out in another way is written as packed, with the
// room between its fields as bit fields without a name. What cannot be said even so (a field that lies before the one
// declared before it) gets an "@" and its bit, which does not parse.
func spellComposite(c composite) string {
	if c.word == "struct" && c.name == spinLock.Name && c.size == int(spinLock.Size) {
		return "struct " + spinLock.Name
	}
	_, ok := natural(c)
	var sb strings.Builder
	lay := placer{union: c.word == "union", packed: !ok}
	for _, m := range c.members {
		trial := lay
		if gap := int(m.Offset) - lay.end; trial.member(m) != int(m.Offset) && gap > 0 && !lay.union {
			fmt.Fprintf(&sb, " u64 : %d;", gap)
			lay.end += gap
		}
		sb.WriteString(" " + spellMember(m))
		if lay.member(m) != int(m.Offset) {
			fmt.Fprintf(&sb, " @%d", m.Offset)
		}
		sb.WriteString(";")
	}
	if room := 8*c.size - lay.end; lay.size() < c.size {
		if lay.union {
			room = 8 * c.size
		}
		fmt.Fprintf(&sb, " u64 : %d;", room)
	}
	s := title(c.word, c.name) + " {" + sb.String() + " }"
	if !ok {
		s += " __attribute__((packed))"
	}
	return s
}

func spellMember(m btf.Member) string {
	elem, dims := split(m.Type)
	s := elem
	if m.Name != "" {
		name := quoteName(m.Name)
		if elem == charType.Name && basicWords[name] { // "char int" would be one type
			name = strconv.Quote(name)
		}
		s += " " + name
	}
	if m.BitfieldSize > 0 {
		return s + fmt.Sprintf(" : %d", m.BitfieldSize)
	}
	return s + dims
}
