package layout

import (
	"fmt"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// equality answers == and != for values that have no order.
func equality(op syntax.Token, equal bool, typ string) (bool, error) {
	switch op {
	case syntax.EQL:
		return equal, nil
	case syntax.NEQ:
		return !equal, nil
	default:
		return false, fmt.Errorf("%s %s %s not implemented", typ, op, typ)
	}
}

// order answers <, <=, > and >= from the three-way comparison.
func order(op syntax.Token, c int) bool {
	switch op {
	case syntax.LT:
		return c < 0
	case syntax.LE:
		return c <= 0
	case syntax.GT:
		return c > 0
	default:
		return c >= 0
	}
}

// compareValues is the three-way comparison of two values of one field, where they have an order.
func compareValues(x, y starlark.Value, depth int) (int, error) {
	if eq, err := starlark.EqualDepth(x, y, depth); err != nil || eq {
		return 0, err
	}
	lt, err := starlark.CompareDepth(syntax.LT, x, y, depth)
	if lt {
		return -1, err
	}
	return 1, err
}
