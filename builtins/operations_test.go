package builtins_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/memory/faulttest"
)

// class says of the methods of an interface of the engine which of them change something: all, none, or those named.
type class struct {
	typ            reflect.Type
	reads, changes string // names with spaces between; "*" is all
}

// classes has each interface that an engine is made of. What the engine itself does is named here, one by one.
var classes = map[string]class{
	"Engine":        {reflect.TypeFor[engine.Engine](), "OpenID OpenPin NextID CPUs Missing Clock Counts Holders Pinnable", "Create Unpin"},
	"Objects":       {reflect.TypeFor[engine.Objects](), "*", ""},
	"Handle":        {reflect.TypeFor[engine.Handle](), "*", ""},
	"Map":           {reflect.TypeFor[engine.Map](), "", ""}, // a Reader and a Writer
	"Reader":        {reflect.TypeFor[engine.Reader](), "*", ""},
	"Writer":        {reflect.TypeFor[engine.Writer](), "", "*"},
	"ProgramReader": {reflect.TypeFor[engine.ProgramReader](), "*", ""},
	"ProgramWriter": {reflect.TypeFor[engine.ProgramWriter](), "", "*"},
	// Begin and Take are changes on the streams of Consume alone, which is one itself.
	"Stream": {reflect.TypeFor[engine.Stream](), "Begin Next Take Wait Missed Unconsumed Position Close", ""},
}

// changes are the operations of an engine, and of its maps, that change something.
var changes = changing(classes)

// changing are the names of the methods that are classed so, in order.
func changing(classes map[string]class) []string {
	names := map[string]bool{}
	for _, c := range classes {
		for m := range c.typ.Methods() {
			if c.changes == "*" || slices.Contains(strings.Fields(c.changes), m.Name) {
				names[m.Name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// changed counts the calls of operations that would change something.
func changed(e *faulttest.Engine) (n int) {
	for _, op := range changes {
		n += e.Calls(op)
	}
	return n
}

// TestClasses finds each interface that the package engine declares, and each of its own methods, in one class alone. What
// an engine takes or gives besides is no interface, or one of these.
func TestClasses(t *testing.T) {
	declared := interfaces(t, "engine")
	if got, want := slices.Sorted(maps.Keys(classes)), slices.Sorted(maps.Keys(declared)); !slices.Equal(got, want) {
		t.Errorf("classed are %v, declared are %v", got, want)
	}
	for name, own := range declared {
		c := classes[name]
		for _, method := range own {
			in := func(list string) bool { return list == "*" || slices.Contains(strings.Fields(list), method) }
			if in(c.reads) == in(c.changes) {
				t.Errorf("%s.%s: does it change something? Class it", name, method)
			}
		}
	}
	if len(changes) < 15 {
		t.Errorf("%v: these are not all", changes)
	}
	for _, op := range changes {
		if !slices.Contains(faulttest.Operations, op) {
			t.Errorf("faulttest does not count %s", op)
		}
	}
	for m := range reflect.TypeFor[engine.Reader]().Methods() {
		if slices.Contains(changes, m.Name) {
			t.Errorf("%s is of those that read, and changes", m.Name)
		}
	}
}

// interfaces are those that the files of a directory declare, with the methods of their own.
func interfaces(t *testing.T, dir string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, file := range sources(t, dir) {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if typ, ok := spec.Type.(*ast.InterfaceType); ok {
				found[spec.Name.Name] = []string{}
				for _, field := range typ.Methods.List {
					for _, name := range field.Names {
						found[spec.Name.Name] = append(found[spec.Name.Name], name.Name)
					}
				}
			}
			return true
		})
	}
	return found
}

// sources are the Go files of a directory, without tests.
func sources(t *testing.T, dir string) (files []*ast.File) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: %d files, %v", dir, len(paths), err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}
