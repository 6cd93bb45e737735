package layout

import "github.com/cilium/ebpf/btf"

// placer gives the members of a struct or a union the offsets that C gives them on 64-bit machines. Its zero value is
// a struct without members.
type placer struct {
	union  bool
	packed bool // __attribute__((packed)): nothing is aligned
	end    int  // bits taken so far
	align  int  // bytes, of the whole; 0 is 1
}

// field takes room for a whole field and gives its offset in bits.
func (p *placer) field(size, align int, given attributes) int {
	if p.packed || given.packed {
		align = 1
	}
	align = max(align, given.align)
	p.align = max(p.align, align)
	return p.take(roundUp(p.end, 8*align), 8*size)
}

// bitField takes width bits of an integer of size bytes. A bit field does not cross the boundary of a whole integer;
// one without a name and without bits goes on to the next boundary.
func (p *placer) bitField(size, width int, named bool) int {
	at, unit := p.end, 8*size
	if width == 0 || !p.packed && at/unit != (at+width-1)/unit {
		at = roundUp(at, unit)
	}
	if named && !p.packed {
		p.align = max(p.align, size)
	}
	return p.take(at, width)
}

func (p *placer) member(m btf.Member) int {
	size, err := btf.Sizeof(m.Type)
	switch {
	case err != nil:
		return -1
	case m.BitfieldSize > 0:
		return p.bitField(size, int(m.BitfieldSize), m.Name != "")
	default:
		return p.field(size, alignOf(m.Type), attributes{})
	}
}

func (p *placer) take(at, bits int) int {
	if p.union {
		p.end = max(p.end, bits)
		return 0
	}
	p.end = at + bits
	return at
}

// size is the bytes of the whole, with what is left over at its end.
func (p *placer) size() int { return roundUp(p.end, 8*max(p.align, 1)) / 8 }

func roundUp(n, unit int) int { return (n + unit - 1) / unit * unit }

// alignOf is C's alignment of a type as it is spelled. BTF keeps no attributes: what lies as C would not lay it
// counts as packed.
func alignOf(t btf.Type) int {
	if n := namedOf(t); n != nil {
		return n.align
	}
	switch u := btf.UnderlyingType(t).(type) {
	case *btf.Array:
		return alignOf(u.Type)
	case *btf.Struct, *btf.Union, *btf.Datasec:
		align, ok := natural(compositeOf(u))
		if !ok {
			return 1
		}
		return align
	default:
		size, err := btf.Sizeof(u)
		if err != nil || size == 0 || oddSize(u) {
			return 1
		}
		return size
	}
}

// composite is a struct or a union, or a section of variables, which lies like a struct.
type composite struct {
	word    string // "struct" or "union"
	name    string
	size    int
	members []btf.Member
}

// compositeOf is the struct, union or section that t is under its typedefs; members is nil for any other type.
func compositeOf(t btf.Type) composite {
	switch u := btf.UnderlyingType(t).(type) {
	case *btf.Struct:
		return composite{"struct", u.Name, int(u.Size), u.Members}
	case *btf.Union:
		return composite{"union", u.Name, int(u.Size), u.Members}
	case *btf.Datasec:
		return composite{"struct", u.Name, int(u.Size), sectionMembers(u)}
	default:
		return composite{}
	}
}

// natural is the alignment of c, and whether its members lie where C puts them without any attribute.
func natural(c composite) (align int, ok bool) {
	p, ok := placer{union: c.word == "union"}, true
	for _, m := range c.members {
		ok = p.member(m) == int(m.Offset) && ok
	}
	return max(p.align, 1), ok && p.size() == c.size
}
