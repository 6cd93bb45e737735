package layout

import (
	"encoding/binary"
	"math"
	"math/big"

	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

// floatCodec is an IEEE 754 number of 4 or 8 bytes. Of all the NaNs only C's NAN is a float, the others stay bytes.
type floatCodec struct{ size uint32 }

const (
	nan32 = 0x7fc00000
	nan64 = 0x7ff8000000000000
)

func (c floatCodec) decode(b []byte) starlark.Value {
	f, plain := c.load(b)
	if math.IsNaN(f) && !plain {
		return starlark.Bytes(b)
	}
	return starlark.Float(f)
}

// load reads a number. plain says that it is C's NAN.
func (c floatCodec) load(b []byte) (f float64, plain bool) {
	if c.size == 4 {
		u := binary.NativeEndian.Uint32(b)
		return float64(math.Float32frombits(u)), u == nan32
	}
	u := binary.NativeEndian.Uint64(b)
	return math.Float64frombits(u), u == nan64
}

func (c floatCodec) encode(b []byte, v starlark.Value) error {
	switch v := v.(type) {
	case starlark.Float:
		if !c.store(b, float64(v)) {
			return badf("%s is out of range for f%d", v, 8*c.size)
		}
	case starlark.Int:
		if f := float64(v.Float()); math.IsInf(f, 0) || !c.store(b, f) {
			return badf("%s is out of range for f%d", method.Describe(v), 8*c.size)
		}
		if kept, _ := c.load(b); new(big.Float).SetFloat64(kept).Cmp(new(big.Float).SetInt(v.BigInt())) != 0 {
			return badf("%s is not exact in f%d: float(...) takes the nearest number", method.Describe(v), 8*c.size)
		}
	default:
		if !raw(b, v) {
			return badf("got %s, want a float", method.Describe(v))
		}
	}
	return nil
}

// store writes f, and says whether it is in range.
func (c floatCodec) store(b []byte, f float64) bool {
	if c.size == 4 {
		u := math.Float32bits(float32(f))
		if math.IsNaN(f) {
			u = nan32
		}
		binary.NativeEndian.PutUint32(b, u)
		return math.IsInf(f, 0) || !math.IsInf(float64(float32(f)), 0)
	}
	u := math.Float64bits(f)
	if math.IsNaN(f) {
		u = nan64
	}
	binary.NativeEndian.PutUint64(b, u)
	return true
}
