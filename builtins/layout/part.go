package layout

import (
	"fmt"
	"math"

	"github.com/cilium/ebpf/btf"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Part is what a value is made of, and has no parts of its own: a field, also of a struct within a struct, or an element
// of an array. A value that is no struct and no array is its own part.
type Part struct {
	Path string // "packets", "rx.slots[3]"; "" of a value that is its own part

	slot     Slot // of the whole value
	typ      *Type
	codec    codec // of typ, or of a bit field of it
	from, to int   // its bytes in one CPU's value
	number   bool  // differences of it mean something
}

// maxParts is where an array stays one part.
const maxParts = 256

// Parts are the parts of a value, in order. What the kernel keeps for itself is none.
func (s Slot) Parts() []Part {
	return s.parts(nil, Part{slot: s, typ: s.Type, codec: s.Type.codec, to: s.Type.size})
}

func (s Slot) parts(all []Part, p Part) []Part {
	switch c := p.codec.(type) {
	case *recordType:
		for i := range c.fields {
			f := &c.fields[i]
			if f.kernel != "" {
				continue
			}
			path := f.name
			if p.Path != "" {
				path = p.Path + "." + path
			}
			all = s.parts(all, Part{Path: path, slot: s, typ: f.typ, codec: f.codec, from: p.from + f.start/8, to: p.from + (f.end+7)/8})
		}
		return all
	case arrayCodec:
		one := s.parts(nil, Part{slot: s, typ: c.elem, codec: c.elem.codec, to: c.elem.size})
		if c.n == 0 || c.n*len(one) > maxParts {
			break
		}
		for i := range c.n {
			at := p.from + i*c.elem.size
			all = s.parts(all, Part{Path: fmt.Sprintf("%s[%d]", p.Path, i), slot: s, typ: c.elem, codec: c.elem.codec, from: at, to: at + c.elem.size})
		}
		return all
	}
	p.number = p.counted()
	return append(all, p)
}

// counted says that the part is a number, and not a name for something.
func (p *Part) counted() bool {
	if h := p.typ.hint; h != nil && h.name != "ktime" && h.name != "duration" {
		return false
	}
	if _, pointer := btf.UnderlyingType(p.typ.btf).(*btf.Pointer); pointer {
		return false
	}
	switch p.typ.codec.(type) {
	case intCodec, floatCodec:
		return true
	}
	return false
}

// Name says that the numbers of the part are names for something, whatever its type says.
func (p *Part) Name() { p.number = false }

// Number says whether the part is a number, whose differences mean something.
func (p *Part) Number() bool { return p.number }

// Moment says whether the part is a time on the clock, which goes on without anybody counting.
func (p *Part) Moment() bool { return p.typ.hint != nil && p.typ.hint.name == "ktime" }

// of are the part's bytes, of one CPU.
func (p *Part) of(value []byte, cpu int) []byte {
	at := 0
	if p.slot.CPUs > 0 {
		at = cpu * p.slot.Stride()
	}
	return value[at+p.from : at+p.to]
}

func (p *Part) cpus() int { return max(1, p.slot.CPUs) }

// Same says whether two values have the same part.
func (p *Part) Same(a, b []byte) bool {
	for cpu := range p.cpus() {
		x, y := p.of(a, cpu), p.of(b, cpu)
		switch c := p.codec.(type) {
		case bitCodec:
			if loadBits(x, c.shift, c.width) != loadBits(y, c.shift, c.width) {
				return false
			}
		default:
			if !p.typ.same(x, y) {
				return false
			}
		}
	}
	return true
}

// Value is the part of a value; of all CPUs their sum, or a tuple where it is no number.
func (p *Part) Value(value []byte) starlark.Value {
	if p.slot.CPUs == 0 {
		return p.codec.decode(p.of(value, 0))
	}
	all := make(starlark.Tuple, p.slot.CPUs)
	for cpu := range all {
		all[cpu] = p.codec.decode(p.of(value, cpu))
	}
	if !p.number {
		return all
	}
	total, err := sum(all)
	if err != nil { // numbers that are kept as bytes, such as odd NaNs, add up to nothing
		return all
	}
	return total
}

// Shown is what people see of a Value.
func (p *Part) Shown(v starlark.Value) starlark.Value {
	if _, each := v.(starlark.Tuple); each && p.slot.CPUs > 0 {
		return v
	}
	return p.typ.Shown(v)
}

// Delta is after less before, of a part that is a number; nil for one that is none. A nil value is one that is not
// there, and counts as 0. reset: it is a counter of 64 bits, on some CPU, that went down, so that the difference says
// nothing.
func (p *Part) Delta(before, after []byte) (delta starlark.Value, reset bool) {
	if !p.number {
		return nil, false
	}
	x, y := p.value(before), p.value(after)
	d, err := starlark.Binary(syntax.MINUS, y, x)
	if err != nil {
		return nil, false
	}
	if f, ok := d.(starlark.Float); ok && (math.IsNaN(float64(f)) || math.IsInf(float64(f), 0)) {
		return nil, false
	}
	return d, before != nil && after != nil && p.went(before, after)
}

func (p *Part) value(b []byte) starlark.Value {
	if b == nil {
		return starlark.MakeInt(0)
	}
	return p.Value(b)
}

// went says whether a counter went down.
func (p *Part) went(before, after []byte) bool {
	c, ok := p.codec.(intCodec)
	if !ok || c.size != 8 || c.signed || p.typ.hint != nil {
		return false
	}
	for cpu := range p.cpus() {
		if c.load(p.of(after, cpu)) < c.load(p.of(before, cpu)) {
			return true
		}
	}
	return false
}

// Weight is how far apart two values are in this part: the absolute difference, at most the greatest number there is.
// A nil value counts as 0, and so does what is no number, and a time beside other parts: nanoseconds would outweigh what
// they are the time of.
func (p *Part) Weight(before, after []byte) uint64 {
	c, plain := p.codec.(intCodec)
	if !p.number || p.Moment() && p.Path != "" {
		return 0
	}
	if plain && c.size <= 8 && p.slot.CPUs == 0 { // the one that is common, without making numbers
		var x, y uint64
		if before != nil {
			x = c.rank(p.of(before, 0))
		} else {
			x = c.rank(make([]byte, c.size))
		}
		if after != nil {
			y = c.rank(p.of(after, 0))
		} else {
			y = c.rank(make([]byte, c.size))
		}
		return max(x, y) - min(x, y)
	}
	d, _ := p.Delta(before, after)
	switch d := d.(type) {
	case starlark.Int:
		if n, ok := starlark.MakeInt(0).Sub(d).Uint64(); ok {
			return n
		}
		if n, ok := d.Uint64(); ok {
			return n
		}
		return math.MaxUint64
	case starlark.Float:
		if f := math.Abs(float64(d)); f < math.MaxUint64 {
			return uint64(f)
		}
		return math.MaxUint64
	}
	return 0
}

// rank is a number in the order of the integers.
func (c intCodec) rank(b []byte) uint64 {
	if c.signed {
		return uint64(signExtend(c.load(b), 8*int(c.size))) ^ 1<<63
	}
	return c.load(b)
}
