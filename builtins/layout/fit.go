package layout

import "bytes"

// Same says whether two values are the same but for bytes that belong to no field.
func (s Slot) Same(a, b []byte) bool {
	if s.CPUs == 0 {
		return s.Type.same(a, b)
	}
	for cpu := range s.CPUs {
		at := cpu * s.Stride()
		if !s.Type.same(a[at:at+s.Type.size], b[at:at+s.Type.size]) {
			return false
		}
	}
	return true
}

func (t *Type) same(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	return t.padded && bytes.Equal(t.WithoutPadding(a), t.WithoutPadding(b))
}

// Padded says whether some of a value's bits belong to no field.
func (t *Type) Padded() bool { return t.padded }

// WithoutPadding is b with zeros for what belongs to no field, or b itself where all does.
func (t *Type) WithoutPadding(b []byte) []byte {
	if !t.padded {
		return b
	}
	fields := make([]byte, t.size)
	t.copyFields(fields, b)
	return fields
}

// Fits says whether bytes of one type mean the same as one of the other: what is named, what is shown as an address
// or a time, and the sign of a number do not matter, but the sizes and places of what is in a struct, and the names of its fields,
// do. A type without fields, and none within its elements, fits whatever has its size.
func (t *Type) Fits(u *Type) bool {
	if t.size != u.size {
		return false
	}
	a, aList := t.codec.(arrayCodec)
	b, bList := u.codec.(arrayCodec)
	switch {
	case t.record != nil && u.record != nil:
		if len(t.record.fields) != len(u.record.fields) {
			return false
		}
		for i := range t.record.fields {
			f, g := &t.record.fields[i], &u.record.fields[i]
			if f.name != g.name || f.start != g.start || f.end != g.end || !f.typ.Fits(g.typ) {
				return false
			}
		}
		return true
	case aList && bList && t.record == nil && u.record == nil:
		return a.n == b.n && a.elem.Fits(b.elem)
	default:
		return true
	}
}
