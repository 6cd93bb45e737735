package method

import (
	"math"

	"go.starlark.net/starlark"
)

// IsLiteral says whether a script can write v as v.String() does.
func IsLiteral(v starlark.Value) bool {
	switch v := v.(type) {
	case starlark.NoneType, starlark.Bool, starlark.Int, starlark.String, starlark.Bytes:
		return true
	case starlark.Float:
		return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0)
	case starlark.Tuple:
		for _, e := range v {
			if !IsLiteral(e) {
				return false
			}
		}
		return true
	}
	return false
}
