package layout

import (
	"math/big"
	"slices"

	"github.com/cilium/ebpf/btf"
)

// naturalEnum is the integer that C makes of an enum: the first that holds all its values, of at least an int's size
// where it is not packed.
func naturalEnum(values []*big.Int, packed bool) (intCodec, bool) {
	least := uint32(4)
	if packed {
		least = 1
	}
	for size := least; size <= 8; size *= 2 {
		for _, signed := range []bool{false, true} {
			if c := nativeInt(size, signed); c.holds(values) {
				return c, true
			}
		}
	}
	return intCodec{}, false
}

func (c intCodec) holds(values []*big.Int) bool {
	lo, hi := limits(8*uint(c.size), c.signed)
	return !slices.ContainsFunc(values, func(n *big.Int) bool { return n.Cmp(lo) < 0 || n.Cmp(hi) > 0 })
}

// enum reads "enum proto { TCP = 6, UDP = 17 }". "enum proto : u8 {" says which integer it is.
func (p *parser) enum() btf.Type {
	at := p.tok.at
	p.next()
	attr := p.attributes()
	e := &btf.Enum{Name: p.tag()}
	if e.Name != "" && p.tok.text != "{" && p.tok.text != ":" {
		return p.incomplete(at, "enum", e.Name)
	}
	given := p.enumInteger()
	names, values := p.enumerators()
	attr = attr.and(p.attributes())
	integer, ok := given, given.holds(values)
	if given.size == 0 {
		integer, ok = naturalEnum(values, attr.packed)
	}
	if !ok {
		p.failAt(at, "no integer of the enum holds all its values")
	}
	e.Size, e.Signed = uint32(integer.size), integer.signed
	for i, n := range values {
		value := n.Uint64()
		if n.Sign() < 0 {
			value = uint64(n.Int64())
		}
		e.Values = append(e.Values, btf.EnumValue{Name: names[i], Value: value})
	}
	return e
}

// enumInteger reads the integer behind the colon; its size is 0 where there is none.
func (p *parser) enumInteger() intCodec {
	if !p.has(":") {
		return intCodec{}
	}
	at := p.tok.at
	t, ok := p.baseType().(*btf.Int)
	if !ok || t.Size > 8 || t.Encoding == btf.Bool {
		p.failAt(at, "an enum is an integer of at most 8 bytes")
	}
	return nativeInt(t.Size, isSigned(t))
}

func (p *parser) enumerators() (names []string, values []*big.Int) {
	p.expect("{")
	next, one, seen := new(big.Int), big.NewInt(1), map[string]bool{}
	for p.tok.text != "}" {
		at := p.tok.at
		name := p.name("the name of a value")
		if seen[name] {
			p.failAt(at, "two values named %s", quoteName(name))
		}
		seen[name] = true
		if p.has("=") {
			next = p.signedNumber()
		}
		names, values = append(names, name), append(values, next)
		next = new(big.Int).Add(next, one)
		if !p.has(",") {
			break
		}
	}
	p.expect("}")
	return names, values
}

func (p *parser) signedNumber() *big.Int {
	negative := p.has("-")
	n := new(big.Int).SetUint64(p.number("a number", 1<<64-1))
	if negative {
		n.Neg(n)
	}
	return n
}
