package layout

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Record is a struct that was read or made: its bytes, and the type that reads a field when it is asked for.
// It cannot be changed; replace makes a changed copy.
type Record struct {
	rt  *recordType
	raw []byte // never written to: codecs read fields out of it where they are
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
func (r *Record) Hash() (uint32, error) { return method.HashString(string(r.data())), nil }

// data is the bytes of the record with zeros for its padding.
func (r *Record) data() []byte { return r.rt.typ.WithoutPadding(r.raw) }

func (r *Record) String() string {
	return r.write(func(i int) string { return r.Field(i).String() })
}

// write is the record with its fields as text gives them.
func (r *Record) write(text func(i int) string) string {
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
		sb.WriteString(escapeName(f.name))
		sb.WriteByte('=')
		sb.WriteString(text(i))
	}
	sb.WriteByte(')')
	return sb.String()
}

// Bytes are those of the record, with its padding.
func (r *Record) Bytes() []byte { return bytes.Clone(r.raw) }

// Fields are the names of the fields, in order.
func (r *Record) Fields() []string { return r.rt.names() }

// Field decodes field i.
func (r *Record) Field(i int) starlark.Value {
	f := &r.rt.fields[i]
	return f.codec.decode(f.bytes(r.raw))
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

func (r *Record) AttrNames() []string {
	methods := recordTable.Names()
	return append(methods[:len(methods):len(methods)], slices.DeleteFunc(r.rt.names(), recordTable.Has)...)
}

// Get is r["name"]: a field whose name is a keyword of Starlark or a method.
func (r *Record) Get(key starlark.Value) (starlark.Value, bool, error) {
	name, ok := key.(starlark.String)
	if !ok {
		return nil, false, fmt.Errorf("%s: got %s, want the name of a field", r.rt.typ.short(), method.Describe(key))
	}
	i, ok := r.rt.index[string(name)]
	if !ok {
		return nil, false, errors.New(r.rt.unknown(string(name)))
	}
	return r.Field(i), true, nil
}

// CompareSameType finds records equal whose types are and whose fields hold the same bytes; padding does not
// count. They are ordered by their fields, first to last.
func (r *Record) CompareSameType(op syntax.Token, y starlark.Value, depth int) (bool, error) {
	other, ok := y.(*Record)
	if !ok { // the other kind of record, made of values
		return equality(op, false, "record")
	}
	same := r.rt.typ.name == other.rt.typ.name
	if op == syntax.EQL || op == syntax.NEQ {
		return equality(op, same && bytes.Equal(r.data(), other.data()), "record")
	}
	if !same {
		return false, fmt.Errorf("cannot order %s and %s", r.rt.typ.short(), other.rt.typ.short())
	}
	for i := range r.rt.fields {
		c, err := compareValues(r.Field(i), other.Field(i), depth-1)
		if err != nil {
			return false, fmt.Errorf("field %s: %w", quoteName(r.rt.fields[i].name), err)
		}
		if c != 0 {
			return order(op, c), nil
		}
	}
	return order(op, 0), nil
}

var recordTable = method.NewTable("record", nil, recordMethods)

// RecordEntries is what records say about themselves, their fields aside.
func RecordEntries() []method.Entry { return method.Entries("method", recordMethods) }

var recordMethods = []method.Row[*Record]{{
	Name:   "replace",
	Params: "**fields",
	Doc:    "A copy in which the fields that are named have new values.\nThe rest of the bytes, padding too, stays as it is.",
	Example: `old = m["10.0.0.1"]
m["10.0.0.1"] = old.replace(packets=old.packets + 1)    # bytes stays`,
	Run: func(r *Record, c method.Call) (starlark.Value, error) {
		b := bytes.Clone(r.raw)
		if err := r.rt.encodeNamed(b, c.More, false); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		return r.rt.decode(b), nil
	},
}}
