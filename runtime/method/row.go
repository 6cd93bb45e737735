package method

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"
)

// Row is one function or method. R is what its body works on: a map, a record, the session.
type Row[R any] struct {
	// Name is how a script calls it. Of what belongs to a part of a value, such as m.kernel.update, it names the part
	// too, "kernel.update": as an attribute of the part it is found by what follows the dot.
	Name string
	// Params are the parameters as a def statement would write them: "key, value, flags=BPF_ANY".
	// A parameter with a default may be left out, and its argument is then nil: the body decides what that means.
	// "*args" and "**kwargs" collect the rest.
	Params string
	// Doc starts with one sentence of at most 72 columns. What follows gives shapes, units and errors.
	Doc string
	// Example is a use of it, a line or a few as a script has them.
	Example string
	Run     func(R, Call) (starlark.Value, error)
}

// Attr is one attribute that is read, not called.
type Attr[R any] struct {
	Name string
	Doc  string
	Get  func(R) (starlark.Value, error)
}

// Entry is what a row says about itself, for help and for lists.
type Entry struct {
	Kind    string // "function", "method", "attribute" or "constant"
	Name    string
	Params  string
	Doc     string
	Example string // "" for none
}

// Signature is how the entry is written in a script.
func (e Entry) Signature() string {
	if e.Kind == "attribute" || e.Kind == "constant" {
		return e.Name
	}
	return e.Name + "(" + e.Params + ")"
}

// Summary is the first sentence of the doc.
func (e Entry) Summary() string {
	first, _, _ := strings.Cut(e.Doc, "\n")
	if s, _, ok := strings.Cut(first, ". "); ok {
		return s + "."
	}
	return first
}

// Topic is a group of entries about one concept, for help.
type Topic struct {
	Name    string
	Doc     string
	Entries []Entry
}

// Entries lists what the rows say, in their order. kind is "function" or "method".
func Entries[R any](kind string, rows []Row[R]) []Entry {
	entries := make([]Entry, len(rows))
	for i, r := range rows {
		entries[i] = r.entry(kind)
	}
	return entries
}

func (r Row[R]) entry(kind string) Entry { return Entry{kind, r.Name, r.Params, r.Doc, r.Example} }

// AttrEntries lists what the attributes say, in their order.
func AttrEntries[R any](attrs []Attr[R]) []Entry {
	entries := make([]Entry, len(attrs))
	for i, a := range attrs {
		entries[i] = Entry{Kind: "attribute", Name: a.Name, Doc: a.Doc}
	}
	return entries
}

// Table answers attribute lookups on a value of type R. Make it with NewTable.
type Table[R any] struct {
	typ     string // as type(x) names it
	members map[string]member[R]
	names   []string
}

// member is an attribute or a method.
type member[R any] struct {
	get    func(R) (starlark.Value, error) // nil: a method
	method *signature[R]
}

// NewTable joins the rows of a type. It panics on a row whose Params do not parse and on a name given twice.
func NewTable[R any](typ string, attrs []Attr[R], rows ...[]Row[R]) *Table[R] {
	t := &Table[R]{typ: typ, members: map[string]member[R]{}}
	for _, a := range attrs {
		t.members[a.Name] = member[R]{get: a.Get}
		t.names = append(t.names, a.Name)
	}
	for _, r := range slices.Concat(rows...) {
		name := r.Name[strings.LastIndexByte(r.Name, '.')+1:]
		t.members[name] = member[R]{method: newSignature(r)}
		t.names = append(t.names, name)
	}
	slices.Sort(t.names)
	for i := 1; i < len(t.names); i++ {
		if t.names[i] == t.names[i-1] {
			panic(fmt.Sprintf("%s.%s: two rows", typ, t.names[i]))
		}
	}
	return t
}

// Names lists the attributes and methods, sorted. The caller must not change it.
func (t *Table[R]) Names() []string { return t.names }

// Has says whether there is a method or attribute of that name.
func (t *Table[R]) Has(name string) bool {
	_, ok := slices.BinarySearch(t.names, name)
	return ok
}

// Attr is starlark.HasAttrs's Attr for recv: the value of an attribute, or a bound method. It returns
// nil, nil where there is no such name.
func (t *Table[R]) Attr(recv R, name string) (starlark.Value, error) {
	switch m, ok := t.members[name]; {
	case !ok:
		return nil, nil
	case m.get != nil:
		return m.get(recv)
	default:
		return &bound[R]{m.method, recv, t.typ}, nil
	}
}

// Functions turns rows into predeclared functions that work on recv.
func Functions[R any](recv R, rows []Row[R]) starlark.StringDict {
	dict := starlark.StringDict{}
	for _, r := range rows {
		dict[r.Name] = &bound[R]{newSignature(r), recv, ""}
	}
	return dict
}
