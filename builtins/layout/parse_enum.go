package layout

import (
	"math/big"
	"slices"

	"github.com/cilium/ebpf/btf"
)

// enumIntegers are the integers that C makes of an enum: the first that holds all its values.
var enumIntegers = []intCodec{nativeInt(4, false), nativeInt(4, true), nativeInt(8, false), nativeInt(8, true)}

func naturalEnum(values []*big.Int) (intCodec, bool) {
	i := slices.IndexFunc(enumIntegers, func(c intCodec) bool { return c.holds(values) })
	if i < 0 {
		return intCodec{}, false
	}
	return enumIntegers[i], true
}

func (c intCodec) holds(values []*big.Int) bool {
	lo, hi := limits(8*uint(c.size), c.signed)
	return !slices.ContainsFunc(values, func(n *big.Int) bool { return n.Cmp(lo) < 0 || n.Cmp(hi) > 0 })
}

// enum reads "enum proto { TCP = 6, UDP = 17 }". "enum proto : u8 {" says which integer it is.
func (p *parser) enum() btf.Type {
	at := p.offset()
	p.next()
	e := &btf.Enum{Name: p.tag("enum", "the names")}
	given := p.enumInteger()
	names, values := p.enumerators()
	integer, ok := given, given.holds(values)
	if given.size == 0 {
		integer, ok = naturalEnum(values)
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
	at := p.offset()
	t, ok := p.baseType().(*btf.Int)
	if !ok || t.Size > 8 || t.Encoding == btf.Bool {
		p.failAt(at, "an enum is an integer of at most 8 bytes")
	}
	return nativeInt(t.Size, isSigned(t))
}

func (p *parser) enumerators() (names []string, values []*big.Int) {
	p.expect("{")
	next, one, seen := new(big.Int), big.NewInt(1), map[string]bool{}
	for p.tok != '}' {
		at := p.offset()
		name := p.ident("the name of a value")
		if seen[name] {
			p.failAt(at, "two values named %s", name)
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
