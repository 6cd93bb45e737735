package builtins_test

import (
	"errors"
	"fmt"
	"go/ast"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"bpfsh/builtins"
	"bpfsh/runtime/method"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
)

// setters are the methods by which the language writes to a value: x[k] = v, x.f = v, x[i] = v, and each of them with an
// operator before the equals sign.
var setters = []string{"SetKey", "SetField", "SetIndex"}

// TestReadOnlyAssignments assigns to all values that scripts can come to from their names: to each entry, each field and each
// element what is there already. Values of each of our types that can be assigned to are among them, and none is written
// under --readonly, or behind a handle that was opened with readonly=True.
func TestReadOnlyAssignments(t *testing.T) {
	want := settable(t)
	for _, mode := range readOnlyModes {
		t.Run(mode.name, func(t *testing.T) {
			s := mode.session(t)
			w := &assigning{says: mode.says, seen: map[starlark.Value]bool{}, refused: map[string]int{}}
			names := maps.Clone(s.Globals())
			s.Globals()["visit"] = starlark.NewBuiltin("visit", func(thread *starlark.Thread, _ *starlark.Builtin, _ starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
				w.thread = thread
				for _, name := range slices.Sorted(maps.Keys(names)) {
					w.visit(name, names[name], 0)
				}
				return starlark.None, nil
			})
			if err := chunk(s, "visit()"); err != nil {
				t.Fatal(err)
			}
			for _, wrong := range w.wrong {
				t.Error(wrong)
			}
			if got := slices.Sorted(maps.Keys(w.refused)); !slices.Equal(got, want) {
				t.Errorf("assigned to values of %v, want %v", got, want)
			}
		})
	}
}

// noValue are types with a setter that are given to no script: a map to decode with.
var noValue = []string{"builtins.plannedMap"}

// settable are our types that have a setter, by their own method or by that of a part.
func settable(t *testing.T) []string {
	t.Helper()
	has, parts := map[string]bool{}, map[string][]string{}
	inPackages(t, func(pkg string, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Recv != nil && slices.Contains(setters, n.Name.Name) {
					has[pkg+"."+named(n.Recv.List[0].Type)] = true
				}
			case *ast.TypeSpec:
				s, ok := n.Type.(*ast.StructType)
				if !ok {
					return true
				}
				for _, field := range s.Fields.List {
					if len(field.Names) == 0 {
						parts[pkg+"."+n.Name.Name] = append(parts[pkg+"."+n.Name.Name], pkg+"."+named(field.Type))
					}
				}
			}
			return true
		})
	})
	for again := true; again; {
		again = false
		for typ, embedded := range parts {
			if !has[typ] && slices.ContainsFunc(embedded, func(part string) bool { return has[part] }) {
				has[typ], again = true, true
			}
		}
	}
	for _, typ := range noValue {
		if !has[typ] {
			t.Errorf("%s has no setter", typ)
		}
		delete(has, typ)
	}
	return slices.Sorted(maps.Keys(has))
}

// named is the name of a type that stands alone, behind a pointer, or with its arguments.
func named(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.StarExpr:
		return named(x.X)
	case *ast.IndexExpr:
		return named(x.X)
	case *ast.Ident:
		return x.Name
	}
	return "" // of another package, whose types are none of ours
}

// assigning goes through values and assigns to all of them.
type assigning struct {
	thread  *starlark.Thread
	says    string
	seen    map[starlark.Value]bool
	refused map[string]int // by type
	wrong   []string
}

// deepest is how far from a name a value is looked for: a map in the values of one that is in a batch is that far.
const deepest = 6

// visit goes through a value; path is how a script comes to it.
func (w *assigning) visit(path string, v starlark.Value, depth int) {
	if depth > deepest || v == nil {
		return
	}
	if reflect.TypeOf(v).Kind() == reflect.Pointer {
		if w.seen[v] {
			return
		}
		w.seen[v] = true
	}
	w.assign(path, v)
	if shower, ok := v.(render.Shower); ok {
		w.visit("show("+path+")", shower.Shown(), depth+1)
	}
	if call, ok := v.(method.Callable); ok {
		w.call(path, call, depth)
		return
	}
	if has, ok := v.(starlark.HasAttrs); ok {
		for _, name := range has.AttrNames() {
			if attr, err := has.Attr(name); err == nil {
				w.visit(path+"."+name, attr, depth+1)
			}
		}
	}
	for i, x := range w.elements(v) {
		w.visit(fmt.Sprintf("%s[%d]", path, i), x, depth+1)
		if m, ok := v.(starlark.Mapping); ok {
			if value, found, err := m.Get(x); err == nil && found {
				w.visit(fmt.Sprintf("%s[%s]", path, x), value, depth+1)
			}
		}
	}
}

// notCalled are the methods whose handle says nothing afterwards, and what makes a map, which is the script's own.
var notCalled = []string{"close", "create_inner"}

// call calls a method that can be called with nothing, and goes through what it returns.
func (w *assigning) call(path string, f method.Callable, depth int) {
	entry := f.Entry()
	if entry.Kind != "method" || slices.Contains(notCalled, entry.Name) {
		return
	}
	for param := range strings.SplitSeq(entry.Params, ",") {
		if param != "" && !strings.Contains(param, "=") {
			return
		}
	}
	result, err := starlark.Call(w.thread, f, nil, nil)
	if err == nil {
		w.visit(path+"()", result, depth+1)
	}
}

// elements are those of a loop over a value, some of them.
func (w *assigning) elements(v starlark.Value) (list []starlark.Value) {
	const enough = 8
	iterable, ok := v.(starlark.Iterable)
	if !ok {
		return nil
	}
	defer func() { _ = recover() }() // the failure of a loop: the first step of one that takes something out is refused
	it := iterable.Iterate()
	defer it.Done()
	var x starlark.Value
	for len(list) < enough && it.Next(&x) {
		list = append(list, x)
	}
	return list
}

// assign assigns to a value in each way that it has.
func (w *assigning) assign(path string, v starlark.Value) {
	typ := reflect.TypeOf(v)
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if !strings.HasPrefix(typ.PkgPath(), "bpfsh/") { // the language's own values are the script's alone
		return
	}
	told := func(how string, err error) {
		var refused *builtins.Error
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), w.says) {
			w.wrong = append(w.wrong, fmt.Sprintf("%s%s: %v, want %q", path, how, err, w.says))
			return
		}
		w.refused[typ.String()]++
	}
	if m, ok := v.(starlark.HasSetKey); ok {
		for _, key := range w.elements(v) {
			if value, found, err := m.Get(key); err == nil && found {
				told(fmt.Sprintf("[%s]", key), m.SetKey(key, value))
			}
		}
	}
	if m, ok := v.(starlark.HasSetField); ok {
		for _, name := range m.AttrNames() {
			if value, err := m.Attr(name); err == nil {
				told("."+name, m.SetField(name, value))
			}
		}
	}
	if m, ok := v.(starlark.HasSetIndex); ok && m.Len() > 0 {
		told("[0]", m.SetIndex(0, m.Index(0)))
	}
}
