package layout

import (
	"text/scanner"

	"github.com/cilium/ebpf/btf"
)

// declarator is one name in a declaration, before it has a place: "b[4]" in "u32 a, b[4];".
type declarator struct {
	btf.Member
	attributes
	isBits bool
	at     int // offset in the spelling
}

// composite reads a struct or a union.
func (p *parser) composite() btf.Type {
	if p.depth++; p.depth > maxDepth {
		p.fail("more than %d structs inside each other", maxDepth)
	}
	defer func() { p.depth-- }()
	at := p.tok.at
	word := p.ident("struct or union")
	given := p.attributes()
	name := p.tag()
	if name != "" && p.tok.text != "{" {
		return p.incomplete(at, word, name)
	}
	p.expect("{")
	var list []declarator
	seen := map[string]bool{}
	for !p.has("}") {
		for _, d := range p.declaration() {
			for _, name := range fieldNames(d.Member) {
				if seen[name] {
					p.failAt(d.at, "two fields named %s", quoteName(name))
				}
				seen[name] = true
			}
			list = append(list, d)
		}
	}
	given = given.and(p.attributes())
	members, size, align := p.place(list, placer{union: word == "union", packed: given.packed, align: given.align})
	var t btf.Type = &btf.Struct{Name: name, Size: size, Members: members}
	if word == "union" {
		t = &btf.Union{Name: name, Size: size, Members: members}
	}
	p.align[t] = align
	return t
}

// tag reads the name behind struct, union or enum, if there is one.
func (p *parser) tag() (name string) {
	if p.tok.kind == scanner.Ident {
		name = p.ident("a name")
	}
	return name
}

// declaration reads the names that one type is given: "u32 a, b[4];", "u8 v:4, :4;". char[16] name is the same as
// C's char name[16]. A struct or a union may have no name, and its fields then belong to what it is in.
func (p *parser) declaration() (list []declarator) {
	at, before := p.tok.at, p.repeated
	base := p.baseType()
	weight := p.tok.at - at + p.repeated - before
	front := p.dimensions()
	if compositeOf(base).word != "" && p.has(";") {
		return []declarator{{Member: btf.Member{Type: base}, at: at}}
	}
	for {
		d := p.declarator(at, base, front)
		list = append(list, d)
		if !p.has(",") {
			p.expect(";")
			return list
		}
		if p.repeated += weight; p.repeated > maxSpelling {
			p.fail("a type of more than %d bytes when it is written out is too large", 2*maxSpelling)
		}
	}
}

func (p *parser) declarator(at int, base btf.Type, front []uint32) (d declarator) {
	t := p.pointers(base)
	d.at = p.tok.at
	if p.tok.text != ":" {
		d.Name = p.name("the name of a field")
	}
	if p.tok.text == ":" {
		d.Type, d.isBits, d.BitfieldSize = t, true, p.width(t, d.Name)
		return d
	}
	dims := append(p.flexible(), front...)
	p.checkComplete(at, t, dims, "bytes "+d.Name+"[6]")
	d.Type = p.array(t, dims)
	d.attributes = p.attributes()
	return d
}

// width reads the number of bits of a bit field. One without a name only makes room, as much as is wanted.
func (p *parser) width(t btf.Type, name string) btf.Bits {
	p.expect(":")
	limit := uint64(8 * maxSize)
	whole, err := Of(t)
	if err != nil {
		p.fail("%v", err)
	}
	integer, ok := integerOf(whole.codec)
	if !ok {
		p.fail("%s has no bit fields", whole.short())
	}
	if _, isBool := whole.codec.(boolCodec); isBool {
		limit = 1
	} else if name != "" {
		limit = 8 * uint64(integer.size)
	}
	at := p.tok.at
	n := p.number("the number of bits", limit)
	if n == 0 && name != "" {
		p.failAt(at, "a bit field without bits has no name")
	}
	return btf.Bits(n)
}

// place lays the members out. Those without a name that only make room are gone then.
func (p *parser) place(list []declarator, to placer) (members []btf.Member, size uint32, align int) {
	for _, d := range list {
		n, err := btf.Sizeof(d.Type)
		if err != nil {
			p.fail("%v", err)
		}
		if d.isBits {
			d.Offset = btf.Bits(to.bitField(n, int(d.BitfieldSize), d.Name != ""))
		} else {
			d.Offset = btf.Bits(to.field(n, p.alignOf(d.Type), d.attributes))
		}
		if to.size() > maxSize {
			p.fail("a struct of more than %d bytes is too large", maxSize)
		}
		if d.isBits && d.Name == "" {
			continue
		}
		members = append(members, d.Member)
	}
	return members, uint32(to.size()), max(to.align, 1)
}

// fieldNames are the names that m brings into the struct it is in.
func fieldNames(m btf.Member) []string {
	if m.Name != "" {
		return []string{m.Name}
	}
	if kernelObject(m.Type) != "" {
		return nil
	}
	var names []string
	for _, inner := range compositeOf(m.Type).members {
		names = append(names, fieldNames(inner)...)
	}
	return names
}

// alignOf is the alignment of t, which knows the structs that were read here.
func (p *parser) alignOf(t btf.Type) int {
	elem := t
	for a, ok := elem.(*btf.Array); ok; a, ok = elem.(*btf.Array) {
		elem = a.Type
	}
	if align, ok := p.align[elem]; ok {
		return align
	}
	return alignOf(t)
}
