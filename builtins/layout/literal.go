package layout

import (
	"bytes"

	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

// Literal is the value in b as a script writes it, so that Encode gives the same bytes: a struct is a tuple of its fields in
// order. What has no such form, such as a struct with something in its padding, is its bytes. "": it has no form at all.
func (t *Type) Literal(b []byte) string {
	encoded := make([]byte, len(b))
	for _, v := range []starlark.Value{unnamed(t.Decode(b)), starlark.Bytes(b)} {
		if method.IsLiteral(v) && t.Encode(encoded, v) == nil && bytes.Equal(encoded, b) {
			return v.String()
		}
	}
	return ""
}

// unnamed is v with its records as tuples, but for those whose fields have bytes in common.
func unnamed(v starlark.Value) starlark.Value {
	switch v := v.(type) {
	case *Record:
		if v.rt.shared {
			return v
		}
		fields := make(starlark.Tuple, len(v.rt.order))
		for i, j := range v.rt.order {
			fields[i] = unnamed(v.Field(j))
		}
		return fields
	case starlark.Tuple: // decoded just now
		for i := range v {
			v[i] = unnamed(v[i])
		}
	}
	return v
}
