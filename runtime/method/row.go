package method

import (
	"fmt"
	"slices"
	"strings"
	"sync"

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

// Takes says whether there is a parameter of that name.
func (e Entry) Takes(name string) bool {
	for _, p := range splitParams(e.Params) {
		if p, _, _ = strings.Cut(p, "="); p != "" && strings.TrimLeft(p, "*") == name {
			return true
		}
	}
	return false
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
//
//go:noinline
func Entries[R any](kind string, rows []Row[R]) []Entry {
	entries := make([]Entry, len(rows))
	for i, r := range rows {
		entries[i] = r.entry(kind)
	}
	return entries
}

func (r Row[R]) entry(kind string) Entry { return Entry{kind, r.Name, r.Params, r.Doc, r.Example} }

// AttrEntries lists what the attributes say, in their order.
//
//go:noinline
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
	attrs   []Attr[R]
	rows    [][]Row[R]
	joined  sync.Once // members and names are there; most tables are not asked in most runs
	members map[string]member[R]
	names   []string
}

// member is an attribute or a method.
type member[R any] struct {
	get    func(R) (starlark.Value, error) // nil: a method
	method *signature[R]
}

// NewTable makes the table of a type's rows. When it is first used it panics on a name given twice; a row whose Params
// do not parse panics when it is first called.
func NewTable[R any](typ string, attrs []Attr[R], rows ...[]Row[R]) *Table[R] {
	return &Table[R]{typ: typ, attrs: attrs, rows: rows}
}

func (t *Table[R]) join() {
	t.members = map[string]member[R]{}
	for _, a := range t.attrs {
		t.members[a.Name] = member[R]{get: a.Get}
		t.names = append(t.names, a.Name)
	}
	for _, r := range slices.Concat(t.rows...) {
		name := r.Name[strings.LastIndexByte(r.Name, '.')+1:]
		t.members[name] = member[R]{method: &signature[R]{Row: r}}
		t.names = append(t.names, name)
	}
	slices.Sort(t.names)
	for i := 1; i < len(t.names); i++ {
		if t.names[i] == t.names[i-1] {
			panic(fmt.Sprintf("%s.%s: two rows", t.typ, t.names[i]))
		}
	}
}

// Names lists the attributes and methods, sorted. The caller must not change it.
func (t *Table[R]) Names() []string {
	t.joined.Do(t.join)
	return t.names
}

// Has says whether there is a method or attribute of that name.
func (t *Table[R]) Has(name string) bool {
	_, ok := slices.BinarySearch(t.Names(), name)
	return ok
}

// Attr is starlark.HasAttrs's Attr for recv: the value of an attribute, or a bound method. It returns
// nil, nil where there is no such name.
func (t *Table[R]) Attr(recv R, name string) (starlark.Value, error) {
	t.joined.Do(t.join)
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
		dict[r.Name] = &bound[R]{&signature[R]{Row: r}, recv, ""}
	}
	return dict
}
