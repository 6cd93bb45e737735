package layout

import (
	"math/big"
	"math/bits"

	"go.starlark.net/starlark"
)

// Column reads one integer out of each of many values that lie one behind the other, without making values of them.
type Column struct {
	offset int // in a value
	stride int // from value to value
	int    intCodec
}

// Column finds the integer that a field of t is, or t itself if field is "". ok is false where it is no integer of at
// most 8 bytes: what is read of it must be decoded.
func (t *Type) Column(field string, stride int) (c Column, ok bool) {
	codec, offset := t.codec, 0
	if field != "" {
		if t.record == nil {
			return Column{}, false
		}
		i, found := t.record.index[field]
		if !found {
			return Column{}, false
		}
		f := &t.record.fields[i]
		codec, offset = f.codec, f.start/8
	}
	integer, ok := codec.(intCodec)
	return Column{offset, stride, integer}, ok && integer.size <= 8
}

// Total is a sum that cannot overflow: of less than 2^64 integers of 8 bytes. The zero value is 0.
type Total struct {
	low  uint64
	high int64
}

// Add adds the n integers of a column.
func (t *Total) Add(c Column, values []byte, n int) {
	if c.int.size == 8 && !c.int.signed && c.int.big == hostBig { // the one that is common, and worth a loop of its own
		for at := c.offset; n > 0; at, n = at+c.stride, n-1 {
			var carry uint64
			t.low, carry = bits.Add64(t.low, c.int.load(values[at:at+8]), 0)
			t.high += int64(carry)
		}
		return
	}
	for i := range n {
		u, high := c.at(values, i), int64(0)
		if c.int.signed {
			high = int64(u) >> 63
		}
		var carry uint64
		t.low, carry = bits.Add64(t.low, u, 0)
		t.high += high + int64(carry)
	}
}

// at is integer i, of a signed column with its sign in all bits above it.
func (c Column) at(values []byte, i int) uint64 {
	at := i*c.stride + c.offset
	u := c.int.load(values[at : at+int(c.int.size)])
	if c.int.signed {
		return uint64(signExtend(u, 8*int(c.int.size)))
	}
	return u
}

// Rank is a number for integer i that is in the order of the integers.
func (c Column) Rank(values []byte, i int) uint64 {
	u := c.at(values, i)
	if c.int.signed {
		return u ^ 1<<63
	}
	return u
}

// Value is the sum.
func (t Total) Value() starlark.Int {
	if t.high == 0 {
		return starlark.MakeUint64(t.low)
	}
	n := new(big.Int).Lsh(big.NewInt(t.high), 64)
	return starlark.MakeBigInt(n.Add(n, new(big.Int).SetUint64(t.low)))
}
