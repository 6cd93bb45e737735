package layout

import (
	"math/bits"
	"strconv"
)

// attributes change where C puts a struct, a union or a field. BTF does not keep them, but the places.
type attributes struct {
	packed bool
	align  int // the least alignment, in bytes; 0 for none
}

func (a attributes) and(b attributes) attributes {
	return attributes{a.packed || b.packed, max(a.align, b.align)}
}

// attributes reads what C writes as __attribute__((packed, aligned(8))), or as __packed and __aligned(8) in the kernel.
func (p *parser) attributes() (a attributes) {
	for {
		switch {
		case p.has("__packed"):
			a.packed = true
		case p.has("__aligned"):
			a.align = max(a.align, p.alignment())
		case p.has("__attribute__"):
			p.expect("(")
			p.expect("(")
			for more := true; more; more = p.has(",") {
				a = a.and(p.attribute())
			}
			p.expect(")")
			p.expect(")")
		default:
			return a
		}
	}
}

func (p *parser) attribute() attributes {
	switch {
	case p.has("packed"), p.has("__packed__"):
		return attributes{packed: true}
	case p.has("aligned"), p.has("__aligned__"):
		return attributes{align: p.alignment()}
	default:
		p.fail("got %s, want packed or aligned(...)", p.tok)
		return attributes{}
	}
}

const maxAlign = 4096 // bytes

// alignment reads "(8)".
func (p *parser) alignment() int {
	p.expect("(")
	at := p.tok.at
	n := p.number("an alignment", maxAlign)
	if bits.OnesCount64(n) != 1 {
		p.failAt(at, "an alignment is a power of two, got %s", strconv.FormatUint(n, 10))
	}
	p.expect(")")
	return int(n)
}
