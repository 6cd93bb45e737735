package layout

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Facts is a record whose fields are Starlark values and not bytes, in the order they were given: what info()
// answers, and the sum of per-CPU structs.
type Facts struct {
	name   string
	names  []string
	values []starlark.Value
	seen   map[int]Seen // how people see some of the fields
}

var (
	_ starlark.HasAttrs   = (*Facts)(nil)
	_ starlark.Mapping    = (*Facts)(nil)
	_ starlark.Comparable = (*Facts)(nil)
)

// NewFacts starts a record that shows itself as name(…).
func NewFacts(name string) *Facts { return &Facts{name: name} }

// Add puts a field behind the others. It returns f, so that calls can be chained. (Inlined, such chains take kilobytes.)
//
//go:noinline
func (f *Facts) Add(name string, v starlark.Value) *Facts {
	f.names = append(f.names, name)
	f.values = append(f.values, v)
	return f
}

// Seen is how people see a field of a record. The zero value is: as it is.
type Seen struct {
	Head   string         // its name for them; "" is its own
	Value  starlark.Value // what they see instead of the value; nil: the value
	Yield  int            // see render.Column
	Hidden bool           // they do not see it
}

// AddSeen is Add for a field that people see otherwise than scripts.
//
//go:noinline
func (f *Facts) AddSeen(name string, v starlark.Value, s Seen) *Facts {
	if f.seen == nil {
		f.seen = map[int]Seen{}
	}
	f.seen[len(f.names)] = s
	return f.Add(name, v)
}

// Shown is what people see of the record.
func (f *Facts) Shown() starlark.Value {
	if f.seen == nil {
		return f
	}
	s := shownFacts{Facts: f}
	for i := range f.names {
		if !f.seen[i].Hidden {
			s.places = append(s.places, i)
		}
	}
	return s
}

// shownFacts is a record whose fields are as they are shown.
type shownFacts struct {
	*Facts
	places []int // of the fields that people see
}

func (f shownFacts) Fields() []string {
	names := make([]string, len(f.places))
	for i, at := range f.places {
		names[i] = f.names[at]
		if head := f.seen[at].Head; head != "" {
			names[i] = head
		}
	}
	return names
}

func (f shownFacts) Field(i int) starlark.Value {
	if v := f.seen[f.places[i]].Value; v != nil {
		return v
	}
	return f.values[f.places[i]]
}

// Yield is for the column of field i, see render.Column.
func (f shownFacts) Yield(i int) int { return f.seen[f.places[i]].Yield }

func (f *Facts) Type() string         { return "record" }
func (f *Facts) Truth() starlark.Bool { return true }
func (f *Facts) AttrNames() []string  { return slices.Clone(f.names) }

// Freeze makes what the fields hold unchangeable; the record itself never changes.
func (f *Facts) Freeze() {
	for _, v := range f.values {
		v.Freeze()
	}
}

func (f *Facts) Hash() (uint32, error) { return starlark.Tuple(f.values).Hash() }

func (f *Facts) String() string {
	var sb strings.Builder
	sb.WriteString(f.name + "(")
	for i, name := range f.names {
		if i > 0 {
			sb.WriteString(", ")
		}
		fmt.Fprintf(&sb, "%s=%s", name, f.values[i])
	}
	return sb.String() + ")"
}

// Fields are the names of the fields, in order.
func (f *Facts) Fields() []string { return f.names }

// Field is the value of field i.
func (f *Facts) Field(i int) starlark.Value { return f.values[i] }

func (f *Facts) Attr(name string) (starlark.Value, error) {
	if i := slices.Index(f.names, name); i >= 0 {
		return f.values[i], nil
	}
	return nil, nil
}

// Get is f["name"], as Record has it.
func (f *Facts) Get(key starlark.Value) (starlark.Value, bool, error) {
	name, ok := key.(starlark.String)
	if !ok {
		return nil, false, fmt.Errorf("%s: got %s, want the name of a field", f.name, method.Describe(key))
	}
	if i := slices.Index(f.names, string(name)); i >= 0 {
		return f.values[i], true, nil
	}
	return nil, false, errors.New(unknownField(f.name, string(name), f.names))
}

// CompareSameType finds two of them equal that have the same names and equal values.
func (f *Facts) CompareSameType(op syntax.Token, y starlark.Value, depth int) (bool, error) {
	g, ok := y.(*Facts)
	equal := ok && slices.Equal(f.names, g.names)
	for i := 0; equal && i < len(f.values); i++ {
		var err error
		if equal, err = starlark.EqualDepth(f.values[i], g.values[i], depth-1); err != nil {
			return false, err
		}
	}
	return equality(op, equal, "record")
}

// fielded is a record of either kind.
type fielded interface {
	Fields() []string
	Field(i int) starlark.Value
}

// items are the names and values of the fields, in order.
func items(r fielded) []starlark.Tuple {
	names := r.Fields()
	items := make([]starlark.Tuple, len(names))
	for i, name := range names {
		items[i] = starlark.Tuple{starlark.String(name), r.Field(i)}
	}
	return items
}
