package layout

import (
	"fmt"
	"strings"

	"bpfsh/runtime/method"

	"github.com/cilium/ebpf/btf"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// recordType is the codec of a struct.
type recordType struct {
	typ    *Type
	name   string // "" for a struct without one
	fields []field
	index  map[string]int
	mask   []byte // 0xff where a byte belongs to a field, 0 in padding
}

type field struct {
	name   string
	offset int
	typ    *Type
	lock   bool // the kernel's own: reads as zero, and what is written to it is ignored
}

// recordTypeOf compiles a struct, or returns nil for one whose fields do not all lie on byte boundaries under
// names of their own.
func recordTypeOf(typ *Type, s *btf.Struct) (*recordType, error) {
	rt := &recordType{typ: typ, name: s.Name, index: map[string]int{}, mask: make([]byte, s.Size)}
	for i, m := range s.Members {
		if m.BitfieldSize > 0 || m.Name == "" || m.Offset%8 != 0 {
			return nil, nil
		}
		ft, err := Of(m.Type)
		if err != nil {
			return nil, within("."+m.Name, err)
		}
		f := field{m.Name, int(m.Offset.Bytes()), ft, isSpinLock(m.Type)}
		if f.offset+ft.size > int(s.Size) {
			return nil, fmt.Errorf("struct %s: field %s ends at byte %d of %d", s.Name, m.Name, f.offset+ft.size, s.Size)
		}
		rt.fields = append(rt.fields, f)
		rt.index[m.Name] = i
		used := rt.mask[f.offset : f.offset+ft.size]
		for j := range used {
			used[j] = 0xff
		}
		if ft.record != nil {
			copy(used, ft.record.mask)
		}
	}
	return rt, nil
}

func isSpinLock(t btf.Type) bool {
	s, ok := btf.UnderlyingType(t).(*btf.Struct)
	return ok && s.Name == "bpf_spin_lock"
}

func (rt *recordType) decode(b []byte) starlark.Value { return &Record{rt, string(b)} }

func (rt *recordType) encode(b []byte, v starlark.Value) error {
	switch v := v.(type) {
	case *Record:
		if v.rt == rt || v.rt.typ.name == rt.typ.name {
			copy(b, v.raw)
			return nil
		}
		return rt.encodeNamed(b, v.items(), everyField)
	case *starlark.Dict:
		return rt.encodeNamed(b, v.Items(), everyField)
	case starlark.Tuple, *starlark.List:
		return rt.encodeOrdered(b, v.(starlark.Indexable))
	}
	if raw(b, v) {
		return nil
	}
	return badf("got %s, want %s: a dict, a record, or its fields in order", method.Describe(v), rt.typ.short())
}

const everyField = true

// encodeNamed writes the fields that items name. Every field must be named where complete says so.
func (rt *recordType) encodeNamed(b []byte, items []starlark.Tuple, complete ...bool) error {
	given := make([]bool, len(rt.fields))
	for _, kv := range items {
		name, ok := kv[0].(starlark.String)
		if !ok {
			return badf("got %s for the name of a field of %s", method.Describe(kv[0]), rt.typ.short())
		}
		i, ok := rt.index[string(name)]
		if !ok {
			return badf("%s has no field %s%s; it has %s", rt.typ.short(), quoteName(string(name)), method.DidYouMean(string(name), rt.names()), rt.list())
		}
		if err := rt.put(b, i, kv[1]); err != nil {
			return err
		}
		given[i] = true
	}
	for i, f := range rt.fields {
		if len(complete) > 0 && !given[i] && !f.lock {
			return badf("field %s of %s is missing; it has %s", f.name, rt.typ.short(), rt.list())
		}
	}
	return nil
}

func (rt *recordType) encodeOrdered(b []byte, values starlark.Indexable) error {
	var want []int
	for i, f := range rt.fields {
		if !f.lock {
			want = append(want, i)
		}
	}
	if values.Len() != len(want) {
		return badf("got %d values, want %d: %s", values.Len(), len(want), rt.list())
	}
	for i, j := range want {
		if err := rt.put(b, j, values.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func (rt *recordType) put(b []byte, i int, v starlark.Value) error {
	f := rt.fields[i]
	if err := f.typ.Encode(b[f.offset:f.offset+f.typ.size], v); err != nil {
		return within("."+f.name, err)
	}
	return nil
}

func (rt *recordType) names() []string {
	names := make([]string, len(rt.fields))
	for i, f := range rt.fields {
		names[i] = f.name
	}
	return names
}

func (rt *recordType) list() string { return strings.Join(rt.names(), ", ") }

// quoteName shows a field name from a script: as it is where it is one, quoted otherwise.
func quoteName(s string) string {
	for _, r := range s {
		if r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return syntax.Quote(s, false)
		}
	}
	if s == "" {
		return `""`
	}
	return s
}

// Record is a struct that was read or made: its bytes, and the type that reads a field when it is asked for.
// It cannot be changed; replace makes a changed copy.
type Record struct {
	rt  *recordType
	raw string
}

var (
	_ starlark.HasAttrs   = (*Record)(nil)
	_ starlark.Mapping    = (*Record)(nil)
	_ starlark.Comparable = (*Record)(nil)
)

func (r *Record) Type() string         { return "record" }
func (r *Record) Freeze()              {} // it never changes
func (r *Record) Truth() starlark.Bool { return true }

// Hash is of the bytes that belong to fields, whatever the padding.
func (r *Record) Hash() (uint32, error) { return method.HashBytes(r.masked()), nil }

func (r *Record) masked() []byte {
	b := []byte(r.raw)
	for i, m := range r.rt.mask {
		b[i] &= m
	}
	return b
}

func (r *Record) String() string {
	var sb strings.Builder
	if r.rt.name == "" {
		sb.WriteString("record")
	}
	sb.WriteString(r.rt.name)
	sb.WriteByte('(')
	for i, f := range r.rt.fields {
		if i > 0 {
			sb.WriteString(", ")
		}
		sb.WriteString(f.name)
		sb.WriteByte('=')
		if f.lock {
			sb.WriteString("<bpf_spin_lock>")
		} else {
			sb.WriteString(r.Field(i).String())
		}
	}
	sb.WriteByte(')')
	return sb.String()
}

// Fields are the names of the fields, in order.
func (r *Record) Fields() []string { return r.rt.names() }

// Field decodes field i.
func (r *Record) Field(i int) starlark.Value {
	f := &r.rt.fields[i]
	return f.typ.Decode([]byte(r.raw[f.offset : f.offset+f.typ.size]))
}

// Attr gives a field's value or a method. A method hides a field of its name; r["replace"] has it.
func (r *Record) Attr(name string) (starlark.Value, error) {
	if recordTable.Has(name) {
		return recordTable.Attr(r, name)
	}
	if i, ok := r.rt.index[name]; ok {
		return r.Field(i), nil
	}
	return nil, nil
}

func (r *Record) AttrNames() []string { return append(r.rt.names(), recordTable.Names()...) }

// Get is r["name"]: a field whose name is a keyword of Starlark or a method.
func (r *Record) Get(key starlark.Value) (starlark.Value, bool, error) {
	name, ok := key.(starlark.String)
	if !ok {
		return nil, false, fmt.Errorf("%s: got %s, want the name of a field", r.rt.typ.short(), method.Describe(key))
	}
	i, ok := r.rt.index[string(name)]
	if !ok {
		return nil, false, fmt.Errorf("%s has no field %s; it has %s", r.rt.typ.short(), name, r.rt.list())
	}
	return r.Field(i), true, nil
}

// CompareSameType finds records equal whose types are and whose fields hold the same bytes; padding does not
// count. They are ordered by their fields, first to last.
func (r *Record) CompareSameType(op syntaxToken, y starlark.Value, depth int) (bool, error) {
	other, ok := y.(*Record)
	if !ok { // the other kind of record, made of values
		return equality(op, false, "record")
	}
	same := r.rt.typ.name == other.rt.typ.name
	if op == syntax.EQL || op == syntax.NEQ {
		return equality(op, same && string(r.masked()) == string(other.masked()), "record")
	}
	if !same {
		return false, fmt.Errorf("cannot order %s and %s", r.rt.typ.short(), other.rt.typ.short())
	}
	for i := range r.rt.fields {
		c, err := compareValues(r.Field(i), other.Field(i), depth-1)
		if err != nil {
			return false, fmt.Errorf("field %s: %w", r.rt.fields[i].name, err)
		}
		if c != 0 {
			return order(op, c), nil
		}
	}
	return order(op, 0), nil
}

func (r *Record) items() []starlark.Tuple {
	items := make([]starlark.Tuple, len(r.rt.fields))
	for i, f := range r.rt.fields {
		items[i] = starlark.Tuple{starlark.String(f.name), r.Field(i)}
	}
	return items
}

var recordTable = method.NewTable("record", nil, recordMethods)

// RecordEntries is what records say about themselves, their fields aside.
func RecordEntries() []method.Entry { return method.Entries("method", recordMethods) }

var recordMethods = []method.Row[*Record]{{
	Name:   "replace",
	Params: "**fields",
	Doc:    "A copy in which the fields that are named have new values.\nThe rest of the bytes, padding too, stays as it is.",
	Run: func(r *Record, c method.Call) (starlark.Value, error) {
		b := []byte(r.raw)
		if err := r.rt.encodeNamed(b, c.More); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		return r.rt.decode(b), nil
	},
}}
