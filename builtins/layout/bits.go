package layout

import (
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

// bitCodec is a bit field: width bits of an integer of type base. Its bytes are those that hold one of the bits,
// and the bits of others among them stay as they are.
type bitCodec struct {
	base  *Type
	int   intCodec
	shift int // of the first bit in the first byte: from the low end, on big-endian machines from the high one
	width int
}

// integerOf is the integer that a codec shows as a number, a name or a bool. ok is false for any other codec and
// for integers that have no bit fields.
func integerOf(c codec) (_ intCodec, ok bool) {
	var i intCodec
	switch c := c.(type) {
	case intCodec:
		i = c
	case boolCodec:
		i = c.int
	case enumCodec:
		i = c.int
	}
	return i, i.size >= 1 && i.size <= 8
}

func (c bitCodec) decode(b []byte) starlark.Value {
	u := loadBits(b, c.shift, c.width)
	if c.int.signed {
		u = uint64(signExtend(u, c.width))
	}
	whole := make([]byte, c.base.size)
	c.int.store(whole, u)
	return c.base.Decode(whole)
}

func (c bitCodec) encode(b []byte, v starlark.Value) error {
	whole := make([]byte, c.base.size)
	if err := c.base.Encode(whole, v); err != nil {
		return err
	}
	u := c.int.load(whole)
	fits := u>>c.width == 0
	if c.int.signed {
		n := signExtend(u, 8*c.base.size)
		fits = signExtend(u, c.width) == n
	}
	if !fits {
		lo, hi := limits(uint(c.width), c.int.signed)
		return badf("%s is out of range for %s (%s to %s)", method.Describe(v), method.Counted(c.width, "bit"), lo, hi)
	}
	storeBits(b, c.shift, c.width, u)
	return nil
}

func (c bitCodec) copyFields(dst, b []byte) {
	storeBits(dst, c.shift, c.width, loadBits(b, c.shift, c.width))
}

// loadBits reads the n bits of b from bit at on, as this machine's C compiler counts them.
func loadBits(b []byte, at, n int) (u uint64) {
	for i := range n {
		bit := uint64(b[(at+i)/8] >> bitInByte(at+i) & 1)
		if hostBig {
			u = u<<1 | bit
		} else {
			u |= bit << i
		}
	}
	return u
}

// storeBits writes the low n bits of u where loadBits reads them.
func storeBits(b []byte, at, n int, u uint64) {
	for i := range n {
		bit := byte(u >> i & 1)
		if hostBig {
			bit = byte(u >> (n - 1 - i) & 1)
		}
		where := bitInByte(at + i)
		b[(at+i)/8] = b[(at+i)/8]&^(1<<where) | bit<<where
	}
}

func bitInByte(at int) int {
	if hostBig {
		return 7 - at%8
	}
	return at % 8
}
