package layout

import (
	"encoding/binary"
	"math"
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

func intCodecOf(t *btf.Int) codec {
	switch t.Size {
	case 1, 2, 4, 8, 16:
	default:
		return bytesCodec{}
	}
	if t.Encoding == btf.Bool {
		return boolCodec{intCodec{size: uint8(t.Size)}}
	}
	return intCodec{size: uint8(t.Size), signed: t.Encoding == btf.Signed || t.Encoding == btf.Char, big: hostBig}
}

func (c intCodec) decode(b []byte) starlark.Value {
	if c.size == 16 {
		return starlark.MakeBigInt(c.load128(b))
	}
	u := c.load(b)
	if c.signed {
		shift := 64 - 8*uint(c.size)
		return starlark.MakeInt64(int64(u<<shift) >> shift)
	}
	return starlark.MakeUint64(u)
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
		if shift := 64 - 8*uint(c.size); !ok || n<<shift>>shift != n {
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
	lo, hi := c.limits()
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

// limits are the least and the greatest value.
func (c intCodec) limits() (lo, hi *big.Int) {
	width := 8 * uint(c.size)
	one := big.NewInt(1)
	if c.signed {
		half := new(big.Int).Lsh(one, width-1)
		return new(big.Int).Neg(half), new(big.Int).Sub(half, one)
	}
	return new(big.Int), new(big.Int).Sub(new(big.Int).Lsh(one, width), one)
}

func (c intCodec) name() string {
	return spell(&btf.Int{Size: uint32(c.size), Encoding: map[bool]btf.IntEncoding{true: btf.Signed}[c.signed]})
}

func (c intCodec) outOfRange(i starlark.Int) error {
	lo, hi := c.limits()
	return badf("%s is out of range for %s (%s to %s)", method.Describe(i), c.name(), lo, hi)
}

// boolCodec shows 0 and 1 as False and True, and any other number as itself.
type boolCodec struct{ int intCodec }

func (c boolCodec) decode(b []byte) starlark.Value {
	if c.int.size <= 8 {
		switch c.int.load(b) {
		case 0:
			return starlark.False
		case 1:
			return starlark.True
		}
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

// floatCodec is an IEEE 754 number of 4 or 8 bytes. A NaN that Starlark's own would not give back stays bytes.
type floatCodec struct{ size uint32 }

func (c floatCodec) decode(b []byte) starlark.Value {
	var f float64
	switch c.size {
	case 4:
		f = float64(math.Float32frombits(binary.NativeEndian.Uint32(b)))
	case 8:
		f = math.Float64frombits(binary.NativeEndian.Uint64(b))
	default:
		return starlark.Bytes(b)
	}
	if math.IsNaN(f) {
		again := make([]byte, len(b))
		if c.store(again, f) != nil || string(again) != string(b) {
			return starlark.Bytes(b)
		}
	}
	return starlark.Float(f)
}

func (c floatCodec) encode(b []byte, v starlark.Value) error {
	if raw(b, v) {
		return nil
	}
	switch v.(type) {
	case starlark.Float, starlark.Int:
		if f, ok := starlark.AsFloat(v); ok {
			return c.store(b, f)
		}
	}
	return badf("got %s, want a float", method.Describe(v))
}

func (c floatCodec) store(b []byte, f float64) error {
	switch c.size {
	case 4:
		if s := float32(f); math.IsInf(float64(s), 0) && !math.IsInf(f, 0) {
			return badf("%g is out of range for f32", f)
		}
		if math.IsNaN(f) { // converting a signalling NaN would change its bits
			binary.NativeEndian.PutUint32(b, math.Float32bits(float32(math.NaN())))
			return nil
		}
		binary.NativeEndian.PutUint32(b, math.Float32bits(float32(f)))
	case 8:
		if math.IsNaN(f) {
			f = math.NaN()
		}
		binary.NativeEndian.PutUint64(b, math.Float64bits(f))
	default:
		return badf("a float of %d bytes is written as bytes", c.size)
	}
	return nil
}

// enumCodec shows a number by its name where exactly one name has it.
type enumCodec struct {
	int    intCodec
	typ    *btf.Enum
	names  map[uint64]string
	values map[string]uint64
}

func newEnumCodec(t *btf.Enum) codec {
	c := enumCodec{intCodec{size: uint8(t.Size), signed: t.Signed, big: hostBig}, t, map[uint64]string{}, map[string]uint64{}}
	for _, v := range t.Values {
		value := v.Value & (1<<(8*t.Size) - 1) // what load gives; a shift of 64 leaves all ones
		if _, ok := c.names[value]; !ok {
			c.names[value] = v.Name // the first of several names, as a debugger does
		}
		c.values[v.Name] = value
	}
	return c
}

func (c enumCodec) decode(b []byte) starlark.Value {
	if name, ok := c.names[c.int.load(b)]; ok {
		return starlark.String(name)
	}
	return c.int.decode(b)
}

func (c enumCodec) encode(b []byte, v starlark.Value) error {
	name, ok := v.(starlark.String)
	if !ok {
		return c.int.encode(b, v)
	}
	value, ok := c.values[string(name)]
	if !ok {
		var names []string
		for _, v := range c.typ.Values {
			names = append(names, v.Name)
		}
		return badf("enum %s has no %s%s", c.typ.Name, name, method.DidYouMean(string(name), names))
	}
	c.int.store(b, value)
	return nil
}
