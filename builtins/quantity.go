package builtins

import (
	"cmp"

	"bpfsh/builtins/layout"

	"go.starlark.net/starlark"
)

// quantity is an integer of at most 128 bits, exact, or a float.
type quantity struct {
	whole   layout.Total
	part    float64 // where it is no whole number
	isFloat bool
}

// numberOf is a value as a number; ok is false if it is none. An integer of more bits is as near as a float has it.
func numberOf(v starlark.Value) (n quantity, ok bool) {
	switch v := v.(type) {
	case starlark.Int:
		if whole, ok := layout.TotalOf(v); ok {
			return quantity{whole: whole}, true
		}
		return quantity{part: float64(v.Float()), isFloat: true}, true
	case starlark.Float:
		return quantity{part: float64(v), isFloat: true}, true
	default:
		return quantity{}, false
	}
}

func (n quantity) float() float64 {
	if n.isFloat {
		return n.part
	}
	return n.whole.Float()
}

// value is the number as scripts have it.
func (n quantity) value() starlark.Value {
	if n.isFloat {
		return starlark.Float(n.part)
	}
	return n.whole.Value()
}

func (n quantity) compare(o quantity) int {
	if n.isFloat || o.isFloat {
		return cmp.Compare(n.float(), o.float())
	}
	return n.whole.Compare(o.whole)
}

// plus is n + o.
func (n quantity) plus(o quantity) quantity {
	if n.near() || o.near() {
		return quantity{part: n.float() + o.float(), isFloat: true}
	}
	return quantity{whole: n.whole.Plus(o.whole)}
}

// near says that n is a float, or so large that a sum could overflow.
func (n quantity) near() bool { return n.isFloat || n.whole.BitLen() >= 126 }
