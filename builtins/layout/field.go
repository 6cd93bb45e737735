package layout

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"go.starlark.net/starlark"
)

// field is a member, or a member of an anonymous struct or union among the members.
type field struct {
	name   string
	typ    *Type
	codec  codec // of typ, or of a bit field of it
	start  int   // bits
	end    int
	kernel string // the object that the kernel keeps here for itself, as a lock or a timer is; "" for other fields
}

// errOpaque is a struct whose members cannot be told apart by bytes and names. It stays bytes.
var errOpaque = errors.New("not a record")

// compileRecord makes t the type of records, if c's members can be fields.
func (t *Type) compileRecord(c composite, depth int) error {
	rt := &recordType{typ: t, name: c.name, index: map[string]int{}}
	switch err := rt.add(c, 0, depth+1); {
	case err == errOpaque:
		return nil
	case err != nil:
		return err
	}
	t.codec, t.record = rt, rt
	rt.survey()
	return nil
}

// add makes fields of the members of c, which starts at bit base. The members of what has no name become c's.
func (rt *recordType) add(c composite, base, depth int) error {
	for _, m := range c.members {
		start, inner := base+int(m.Offset), compositeOf(m.Type)
		switch {
		case m.Name == "" && (inner.word == "" || kernelObject(m.Type) != ""): // nothing to name
			continue
		case m.Name == "" && depth <= maxNesting:
			if err := rt.add(inner, start, depth+1); err != nil {
				return err
			}
			continue
		}
		t, err := rt.typ.host.compile(m.Type, depth)
		if err != nil {
			return fmt.Errorf("field %s: %w", quoteName(m.Name), err)
		}
		f := field{m.Name, t, t.codec, start, start + 8*t.size, kernelObject(m.Type)}
		if !f.narrow(int(m.BitfieldSize)) {
			return errOpaque
		}
		if size := rt.typ.size; f.end > 8*size {
			return fmt.Errorf("%s: field %s ends at bit %d of %d", title(c.word, c.name), quoteName(m.Name), f.end, 8*size)
		}
		if _, twice := rt.index[m.Name]; twice {
			return errOpaque
		}
		rt.typ.shown = rt.typ.shown || t.shown
		if f.kernel == "" {
			rt.order = append(rt.order, len(rt.fields))
		}
		rt.index[m.Name] = len(rt.fields)
		rt.fields = append(rt.fields, f)
	}
	return nil
}

// narrow makes f a bit field of width bits; 0 leaves it whole. ok is false where f has no such bits, or is whole and
// does not start with a byte.
func (f *field) narrow(width int) (ok bool) {
	if width == 0 {
		return f.start%8 == 0
	}
	integer, ok := integerOf(f.codec)
	if !ok || width > 8*int(integer.size) {
		return false
	}
	f.codec, f.end = bitCodec{f.typ, integer, f.start % 8, width}, f.start+width
	return true
}

// survey finds bits that belong to several fields or to none.
func (rt *recordType) survey() {
	sorted := make([]*field, len(rt.fields))
	for i := range rt.fields {
		sorted[i] = &rt.fields[i]
	}
	slices.SortFunc(sorted, func(f, g *field) int { return cmp.Compare(f.start, g.start) })
	end := 0
	for _, f := range sorted {
		rt.shared = rt.shared || f.start < end
		rt.typ.padded = rt.typ.padded || f.start > end || f.typ.padded
		end = max(end, f.end)
	}
	rt.typ.padded = rt.typ.padded || end < 8*rt.typ.size
}

// bytes are those of b that hold the field.
func (f *field) bytes(b []byte) []byte { return b[f.start/8 : (f.end+7)/8] }

func (f *field) encode(b []byte, v starlark.Value) error {
	b = f.bytes(b)
	if _, ok := f.codec.(bitCodec); !ok {
		clear(b)
	}
	return f.codec.encode(b, v)
}
