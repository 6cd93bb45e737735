package builtins_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"bpfsh/builtins"
	"bpfsh/builtins/engine/memory"
	bpfsh "bpfsh/runtime"
)

// TestObjectAgain finds the types of an object that was loaded again as they are now, before those of others, and none that
// it has no longer.
func TestObjectAgain(t *testing.T) {
	library := builtins.New(&memory.Engine{}, nil)
	defer library.Close()
	s := bpfsh.New(bpfsh.Config{Predeclared: library.Predeclared()})
	dir := t.TempDir()
	load := func(object, path string) {
		t.Helper()
		b, err := os.ReadFile("../testdata/object/" + object)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := chunk(s, fmt.Sprintf("o = load_object(%q)", path)); err != nil {
			t.Fatal(err)
		}
	}
	wants := func(known ...string) {
		t.Helper()
		for _, name := range []string{"struct flow_key", "struct event", "struct shapes"} {
			want := false
			for _, k := range known {
				want = want || k == name
			}
			if err := chunk(s, fmt.Sprintf("typeof(%q)", name)); (err == nil) != want {
				t.Errorf("typeof(%q): %v; known are %q", name, err, known)
			}
		}
	}
	path := filepath.Join(dir, "a.o")
	load("flow.o", path)
	if err := chunk(s, "old = o"); err != nil {
		t.Fatal(err)
	}
	load("shapes.o", filepath.Join(dir, "b.o"))
	wants("struct flow_key", "struct shapes")
	load("event.o", dir+"/./a.o")
	wants("struct event", "struct shapes")
	if err := chunk(s, `old.type("struct flow_key")`); err != nil { // whoever holds it has its types
		t.Error(err)
	}
}
