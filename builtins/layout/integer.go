package layout

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"math/bits"
	"slices"

	"bpfsh/runtime/method"

	"github.com/cilium/ebpf/btf"
	"go.starlark.net/starlark"
)

// intCodec is an integer of 1, 2, 4, 8 or 16 bytes. Its values are ints, range-checked and never cut.
type intCodec struct {
	size   uint8
	signed bool
	big    bool // most significant byte first, on every machine
}

// hostBig says that this machine keeps the most significant byte first.
var hostBig = binary.NativeEndian.Uint16([]byte{0, 1}) == 1

// nativeInt is an integer in this machine's byte order.
func nativeInt(size uint32, signed bool) intCodec {
	return intCodec{size: uint8(size), signed: signed, big: hostBig}
}

func intCodecOf(t *btf.Int) codec {
	c := nativeInt(t.Size, isSigned(t))
	if isBool(t) {
		return boolCodec{c}
	}
	return c
}

func isSigned(t *btf.Int) bool { return t.Encoding == btf.Signed || t.Encoding == btf.Char }
func isBool(t *btf.Int) bool   { return t.Encoding == btf.Bool && t.Size == 1 }

func (c intCodec) decode(b []byte) starlark.Value {
	switch {
	case c.size == 16:
		return starlark.MakeBigInt(c.load128(b))
	case c.signed:
		return starlark.MakeInt64(signExtend(c.load(b), 8*int(c.size)))
	default:
		return starlark.MakeUint64(c.load(b))
	}
}

func (c intCodec) encode(b []byte, v starlark.Value) error {
	i, ok := v.(starlark.Int)
	if !ok {
		if raw(b, v) {
			return nil
		}
		return badf("got %s, want %s", method.Describe(v), c.name())
	}
	if c.size == 16 {
		return c.store128(b, i)
	}
	if c.signed {
		n, ok := i.Int64()
		if !ok || signExtend(uint64(n), 8*int(c.size)) != n {
			return c.outOfRange(i)
		}
		c.store(b, uint64(n))
		return nil
	}
	u, ok := i.Uint64()
	if !ok || c.size < 8 && u>>(8*uint(c.size)) != 0 {
		return c.outOfRange(i)
	}
	c.store(b, u)
	return nil
}

// signExtend reads the low width bits of u as a signed number.
func signExtend(u uint64, width int) int64 { return int64(u<<(64-width)) >> (64 - width) }

// load reads an integer of at most 8 bytes; the bits above them are zero.
func (c intCodec) load(b []byte) uint64 {
	switch c.size {
	case 1:
		return uint64(b[0])
	case 2:
		u := binary.NativeEndian.Uint16(b)
		if c.big != hostBig {
			u = bits.ReverseBytes16(u)
		}
		return uint64(u)
	case 4:
		u := binary.NativeEndian.Uint32(b)
		if c.big != hostBig {
			u = bits.ReverseBytes32(u)
		}
		return uint64(u)
	default:
		u := binary.NativeEndian.Uint64(b)
		if c.big != hostBig {
			u = bits.ReverseBytes64(u)
		}
		return u
	}
}

// store writes the low bits of u to an integer of at most 8 bytes.
func (c intCodec) store(b []byte, u uint64) {
	switch c.size {
	case 1:
		b[0] = byte(u)
	case 2:
		w := uint16(u)
		if c.big != hostBig {
			w = bits.ReverseBytes16(w)
		}
		binary.NativeEndian.PutUint16(b, w)
	case 4:
		w := uint32(u)
		if c.big != hostBig {
			w = bits.ReverseBytes32(w)
		}
		binary.NativeEndian.PutUint32(b, w)
	default:
		if c.big != hostBig {
			u = bits.ReverseBytes64(u)
		}
		binary.NativeEndian.PutUint64(b, u)
	}
}

func (c intCodec) load128(b []byte) *big.Int {
	digits := slices.Clone(b)
	if !c.big {
		slices.Reverse(digits)
	}
	n := new(big.Int).SetBytes(digits)
	if c.signed && digits[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), 128))
	}
	return n
}

func (c intCodec) store128(b []byte, i starlark.Int) error {
	n := i.BigInt()
	lo, hi := limits(128, c.signed)
	if n.Cmp(lo) < 0 || n.Cmp(hi) > 0 {
		return c.outOfRange(i)
	}
	if n.Sign() < 0 {
		n.Add(n, new(big.Int).Lsh(big.NewInt(1), 128))
	}
	n.FillBytes(b[:16])
	if !c.big {
		slices.Reverse(b[:16])
	}
	return nil
}

// limits are the least and the greatest integer of width bits.
func limits(width uint, signed bool) (lo, hi *big.Int) {
	one := big.NewInt(1)
	if signed {
		half := new(big.Int).Lsh(one, width-1)
		return new(big.Int).Neg(half), new(big.Int).Sub(half, one)
	}
	return new(big.Int), new(big.Int).Sub(new(big.Int).Lsh(one, width), one)
}

func (c intCodec) name() string {
	if c.signed {
		return fmt.Sprintf("i%d", 8*int(c.size))
	}
	order := "u"
	switch { // another order than the machine's is in the name
	case c.size == 1 || c.big == hostBig:
	case c.big:
		order = "be"
	default:
		order = "le"
	}
	return fmt.Sprintf("%s%d", order, 8*int(c.size))
}

func (c intCodec) outOfRange(i starlark.Int) error {
	lo, hi := limits(8*uint(c.size), c.signed)
	return badf("%s is out of range for %s (%s to %s)", method.Describe(i), c.name(), lo, hi)
}

// boolCodec shows 0 and 1 as False and True, and any other number as itself.
type boolCodec struct{ int intCodec }

func (c boolCodec) decode(b []byte) starlark.Value {
	if u := c.int.load(b); u <= 1 {
		return starlark.Bool(u == 1)
	}
	return c.int.decode(b)
}

func (c boolCodec) encode(b []byte, v starlark.Value) error {
	switch v := v.(type) {
	case starlark.Bool:
		if v {
			c.int.store(b, 1)
		}
		return nil
	case starlark.Int:
		return c.int.encode(b, v)
	default:
		if raw(b, v) {
			return nil
		}
		return badf("got %s, want True or False", method.Describe(v))
	}
}
