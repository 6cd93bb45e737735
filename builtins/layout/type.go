package layout

import (
	"fmt"

	"bpfsh/runtime/method"

	"github.com/cilium/ebpf/btf"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Type reads and writes one C type. In a script it is a value that can be called: T(packets=1) makes a value of it.
type Type struct {
	btf    btf.Type
	name   string // its spelling, in one form for all types that are the same
	size   int
	codec  codec
	record *recordType // of a struct or a union; nil for others
	padded bool        // some of its bits belong to no field
	host   *Host       // whom to ask for what numbers stand for; may be nil
	hint   *hint       // what the number stands for; nil for others
	shown  bool        // people see some of its values otherwise than scripts
}

// codec is the part of a Type that differs from kind to kind.
type codec interface {
	// decode reads b, which has the type's size. It does not change b, and keeps no reference to it.
	decode(b []byte) starlark.Value
	// encode writes v to b, which has the type's size and holds zeros.
	encode(b []byte, v starlark.Value) error
}

var (
	_ starlark.Callable   = (*Type)(nil)
	_ starlark.HasAttrs   = (*Type)(nil)
	_ starlark.Comparable = (*Type)(nil)
)

// Of compiles t. The error says what t has that cannot be kept in a map (a function, a type without a size).
func Of(t btf.Type) (*Type, error) { return (*Host)(nil).Of(t) }

// BTF is the model the type was compiled from.
func (t *Type) BTF() btf.Type { return t.btf }

// Size is the number of bytes of a value.
func (t *Type) Size() int { return t.size }

// Decode reads b, which must have Size bytes. It keeps no reference to b.
func (t *Type) Decode(b []byte) starlark.Value { return t.codec.decode(b) }

// Encode writes v to b, which must have Size bytes; what was in b is gone, padding becomes zero.
//
// The error is an *EncodeError.
func (t *Type) Encode(b []byte, v starlark.Value) error {
	if c, ok := t.codec.(intCodec); ok { // integers overwrite every byte
		return c.encode(b, v)
	}
	clear(b)
	return t.codec.encode(b, v)
}

// copyFields copies what b holds of values, and none of the padding, to dst, which holds zeros.
func (t *Type) copyFields(dst, b []byte) {
	switch c := t.codec.(type) {
	case *recordType:
		c.copyFields(dst, b)
	case arrayCodec:
		c.copyFields(dst, b)
	default:
		copy(dst, b)
	}
}

func (t *Type) String() string        { return t.name }
func (t *Type) Type() string          { return "type" }
func (t *Type) Name() string          { return t.name }
func (t *Type) Freeze()               {}
func (t *Type) Truth() starlark.Bool  { return true }
func (t *Type) Hash() (uint32, error) { return method.HashString(t.name), nil }
func (t *Type) AttrNames() []string   { return typeTable.Names() }

func (t *Type) Attr(name string) (starlark.Value, error) { return typeTable.Attr(t, name) }

// CompareSameType finds types equal that have the same spelling.
func (t *Type) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	return equality(op, t.name == y.(*Type).name, "type")
}

var typeTable = method.NewTable("type", typeAttrs, typeMethods)

// TypeEntries is what types say about themselves.
func TypeEntries() []method.Entry {
	return append(method.AttrEntries(typeAttrs), method.Entries("method", typeMethods)...)
}

var typeAttrs = []method.Attr[*Type]{{
	Name: "size",
	Doc:  "The number of bytes of a value.",
	Get:  func(t *Type) (starlark.Value, error) { return starlark.MakeInt(t.size), nil },
}, {
	Name: "fields",
	Doc:  "The fields of a struct: a dict of name to type, in order.\nEmpty for a type that is not a struct.",
	Get:  (*Type).fields,
}}

var typeMethods = []method.Row[*Type]{{
	Name:   "decode",
	Params: "raw",
	Doc:    "The value that the bytes hold.\nraw is bytes of exactly T.size.",
	Example: `T = typeof("struct { be16 port; u8 mac[6]; }")
T.decode(unhex("01 bb 00 16 3e 00 00 01")).port    # 443`,
	Run: func(t *Type, c method.Call) (starlark.Value, error) {
		raw, ok := c.Args[0].(starlark.Bytes)
		if !ok || len(raw) != t.size {
			return nil, c.Bad("raw", c.Args[0], fmt.Sprintf("%d bytes", t.size))
		}
		return t.Decode([]byte(raw)), nil
	},
}, {
	Name:   "encode",
	Params: "value",
	Doc:    "The bytes of a value, as a map keeps them.\nA value that does not fit is an error that names the field.",
	Example: `key = hex(m.key_type.encode("10.0.0.1"))
print("bpftool map lookup name flows key hex " + key)`,
	Run: func(t *Type, c method.Call) (starlark.Value, error) {
		b := make([]byte, t.size)
		if err := t.Encode(b, c.Args[0]); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		return starlark.Bytes(b), nil
	},
}}

func (t *Type) fields() (starlark.Value, error) {
	d := new(starlark.Dict)
	if t.record != nil {
		for _, f := range t.record.fields {
			if err := d.SetKey(starlark.String(f.name), f.typ); err != nil {
				return nil, err
			}
		}
	}
	d.Freeze()
	return d, nil
}

// CallInternal makes a value. T(x) takes what an assignment to a map takes. For a struct, T(a, b) takes its
// fields in order and T(packets=1) those that are named; as in C, fields that are not named are zero.
func (t *Type) CallInternal(_ *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	b := make([]byte, t.size)
	if err := t.fill(b, args, kwargs); err != nil {
		return nil, fmt.Errorf("%s: %w", t.short(), err)
	}
	return t.Decode(b), nil
}

func (t *Type) fill(b []byte, args starlark.Tuple, kwargs []starlark.Tuple) error {
	switch {
	case t.record == nil && len(kwargs) > 0:
		return badf("%s has no fields to name", t.short())
	case t.record == nil && len(args) != 1:
		return badf("got %s, want one", method.Counted(len(args), "value"))
	case len(args) == 0:
		return t.record.encodeNamed(b, kwargs, false)
	case len(kwargs) > 0:
		return badf("fields are given in order or by name, not both")
	case len(args) == 1 && (t.record == nil || !t.record.single(args[0])):
		return t.Encode(b, args[0])
	default:
		return t.Encode(b, args)
	}
}

// short names the type in a message.
func (t *Type) short() string {
	switch u := btf.UnderlyingType(t.btf).(type) {
	case *btf.Enum:
		return title("enum", u.Name)
	case *btf.Struct, *btf.Union, *btf.Datasec:
		if t.record != nil {
			c := compositeOf(u)
			return title(c.word, c.name)
		}
	}
	return t.name
}

// Columns are the names and types of a struct's fields, in order; nil for a type that is not a struct.
func (t *Type) Columns() (names []string, types []*Type) {
	if t.record == nil {
		return nil, nil
	}
	for _, f := range t.record.fields {
		types = append(types, f.typ)
	}
	return t.record.names(), types
}
