package layout

import (
	"bytes"

	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

// recordType is the codec of a struct or a union.
type recordType struct {
	typ    *Type
	name   string // "" for a struct without one
	fields []field
	index  map[string]int
	order  []int // the fields that are written in order: all but the kernel's own
	shared bool  // some fields have bytes in common, as those of a union do
}

func (rt *recordType) decode(b []byte) starlark.Value { return &Record{rt, bytes.Clone(b)} }

func (rt *recordType) encode(b []byte, v starlark.Value) error {
	switch v := v.(type) {
	case *Record:
		if v.rt == rt || v.rt.typ.name == rt.typ.name {
			copy(b, v.raw)
			return nil
		}
		return rt.encodeNamed(b, items(v), true)
	case *Facts:
		return rt.encodeNamed(b, items(v), true)
	case *starlark.Dict:
		return rt.encodeNamed(b, v.Items(), true)
	case starlark.Tuple, *starlark.List:
		return rt.encodeOrdered(b, v.(starlark.Indexable))
	}
	if raw(b, v) {
		return nil
	}
	return badf("got %s, want %s: a dict, a record, or its fields in order", method.Describe(v), rt.typ.short())
}

// single says that v is the one field of a struct, and not one of the forms of the whole.
func (rt *recordType) single(v starlark.Value) bool {
	switch v.(type) {
	case *Record, *Facts, *starlark.Dict, starlark.Tuple, *starlark.List, starlark.Bytes:
		return false
	}
	return len(rt.order) == 1
}

// encodeNamed writes the fields that items name. Where complete says so, every field must be named that has no
// bytes in common with another that is.
func (rt *recordType) encodeNamed(b []byte, items []starlark.Tuple, complete bool) error {
	given := make([]bool, len(rt.fields))
	for _, kv := range items {
		name, ok := kv[0].(starlark.String)
		if !ok {
			return badf("got %s for the name of a field of %s", method.Describe(kv[0]), rt.typ.short())
		}
		i, ok := rt.index[string(name)]
		if !ok {
			return badf("%s", rt.unknown(string(name)))
		}
		if j := rt.rival(i, given); j >= 0 {
			return badf("fields %s and %s of %s share bytes; give one of them", quoteName(rt.fields[j].name), quoteName(string(name)), rt.typ.short())
		}
		if err := rt.put(b, i, kv[1]); err != nil {
			return err
		}
		given[i] = true
	}
	if !complete {
		return nil
	}
	for i, f := range rt.fields {
		if !given[i] && f.kernel == "" && rt.rival(i, given) < 0 {
			return badf("field %s of %s is missing; it has %s", quoteName(f.name), rt.typ.short(), rt.list())
		}
	}
	return nil
}

// rival is a field among those given that has bits in common with field i, or -1.
func (rt *recordType) rival(i int, given []bool) int {
	for j := 0; rt.shared && j < len(rt.fields); j++ {
		f, g := &rt.fields[i], &rt.fields[j]
		if given[j] && f.start < g.end && g.start < f.end {
			return j
		}
	}
	return -1
}

func (rt *recordType) encodeOrdered(b []byte, values starlark.Indexable) error {
	if rt.shared {
		return badf("fields of %s share bytes; name those to write in a dict: it has %s", rt.typ.short(), rt.list())
	}
	if values.Len() != len(rt.order) {
		var names []string
		for _, j := range rt.order {
			names = append(names, rt.fields[j].name)
		}
		return badf("got %s, want %d: %s", method.Counted(values.Len(), "value"), len(rt.order), listNames(names))
	}
	for i, j := range rt.order {
		if err := rt.put(b, j, values.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func (rt *recordType) put(b []byte, i int, v starlark.Value) error {
	f := &rt.fields[i]
	if err := f.encode(b, v); err != nil {
		return within("."+quoteName(f.name), err)
	}
	return nil
}

func (rt *recordType) copyFields(dst, b []byte) {
	for i := range rt.fields {
		f := &rt.fields[i]
		if c, ok := f.codec.(bitCodec); ok {
			c.copyFields(f.bytes(dst), f.bytes(b))
		} else {
			f.typ.copyFields(f.bytes(dst), f.bytes(b))
		}
	}
}

func (rt *recordType) names() []string {
	names := make([]string, len(rt.fields))
	for i, f := range rt.fields {
		names[i] = f.name
	}
	return names
}

func (rt *recordType) list() string { return listNames(rt.names()) }

func (rt *recordType) unknown(name string) string {
	return unknownField(rt.typ.short(), name, rt.names())
}
