package layout

import (
	"cmp"
	"math"
	"math/big"
	"math/bits"

	"go.starlark.net/starlark"
)

// Total is an integer of 128 bits: a sum that cannot overflow, of less than 2^64 integers of 8 bytes. The zero value is 0.
type Total struct {
	low  uint64
	high int64
}

// TotalOf is an int as a Total. ok is false if it does not fit.
func TotalOf(i starlark.Int) (t Total, ok bool) {
	if n, ok := i.Int64(); ok {
		return Total{uint64(n), n >> 63}, true
	}
	if u, ok := i.Uint64(); ok {
		return Total{low: u}, true
	}
	n := i.BigInt()
	high := new(big.Int).Rsh(n, 64)
	if !high.IsInt64() {
		return Total{}, false
	}
	low := new(big.Int).And(n, new(big.Int).SetUint64(math.MaxUint64))
	return Total{low.Uint64(), high.Int64()}, true
}

// Add adds the numbers of the n entries of a column.
func (t *Total) Add(c Column, values []byte, n int) {
	if c.cpus > 0 {
		n *= c.cpus
	}
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
		*t = t.Plus(Total{u, high})
	}
}

// Plus is t + u, of 128 bits.
func (t Total) Plus(u Total) Total {
	low, carry := bits.Add64(t.low, u.low, 0)
	return Total{low, t.high + u.high + int64(carry)}
}

// Minus is t - u, of 128 bits.
func (t Total) Minus(u Total) Total {
	low, borrow := bits.Sub64(t.low, u.low, 0)
	return Total{low, t.high - u.high - int64(borrow)}
}

// Compare is less than 0, 0, or more, as t is less than u, equal, or greater.
func (t Total) Compare(u Total) int {
	if n := cmp.Compare(t.high, u.high); n != 0 {
		return n
	}
	return cmp.Compare(t.low, u.low)
}

// Sign is -1, 0 or 1.
func (t Total) Sign() int { return t.Compare(Total{}) }

// BitLen is how many bits it takes to write t without a sign, or -t-1 if t is negative.
func (t Total) BitLen() int {
	low, high := t.low, uint64(t.high)
	if t.high < 0 {
		low, high = ^low, ^high
	}
	if high > 0 {
		return 64 + bits.Len64(high)
	}
	return bits.Len64(low)
}

// Low is the low 64 bits.
func (t Total) Low() uint64 { return t.low }

// Float is t as nearly as a float has it.
func (t Total) Float() float64 {
	if t.high < 0 { // a small number must not be the difference of large ones
		return -Total{}.Minus(t).unsigned()
	}
	return t.unsigned()
}

func (t Total) unsigned() float64 { return math.Ldexp(float64(uint64(t.high)), 64) + float64(t.low) }

// Value is the number as scripts have it.
func (t Total) Value() starlark.Int {
	if t.high == 0 {
		return starlark.MakeUint64(t.low)
	}
	n := new(big.Int).Lsh(big.NewInt(t.high), 64)
	return starlark.MakeBigInt(n.Add(n, new(big.Int).SetUint64(t.low)))
}
