package builtins_test

import (
	"fmt"
	"slices"
	"testing"

	"bpfsh/builtins"
	"bpfsh/builtins/engine/memory"
	"bpfsh/runtime"
)

// TestComplete offers keys as a script writes them, and what open takes.
func TestComplete(t *testing.T) {
	library := builtins.New(&memory.Engine{}, nil)
	defer library.Close()
	s := runtime.New(runtime.Config{Predeclared: library.Predeclared()})
	if err := chunk(s, `
m = create("hash", key="ipv4", value="u32", max_entries=100, name="flows")
m.update_batch([("10.0.0.%d" % n, n) for n in range(80)])
m["192.168.0.1"] = 1
q = create("queue", value="u32", max_entries=1, name="jobs")
`); err != nil {
		t.Fatal(err)
	}
	m, q := s.Globals()["m"].(*builtins.Map), s.Globals()["q"].(*builtins.Map)
	if got := m.Complete("key", `"192`); !slices.Equal(got, []string{`"192.168.0.1"`}) {
		t.Errorf("keys that begin with \"192: %v", got)
	}
	if got := m.Complete("key", `"10.`); len(got) != 50 {
		t.Errorf("%d keys, want 50", len(got))
	}
	for what, got := range map[string][]string{"a parameter": m.Complete("flags", ""), "a queue": q.Complete("key", "")} {
		if got != nil {
			t.Errorf("%s: %v, want none", what, got)
		}
	}
	for prefix, want := range map[string][]string{
		"fl": {"flows"}, "id:": {"id:1", "id:2"}, "jobs": {"jobs"}, "x": nil, "/proc/self/fdinf": {"/proc/self/fdinfo/"}, "/proc/self/stat": {"/proc/self/stat", "/proc/self/statm", "/proc/self/status"},
	} {
		got := library.MapNames(prefix)
		slices.Sort(got)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: %v, want %v", prefix, got, want)
		}
	}
	names := map[string]bool{}
	for _, e := range m.Entries() {
		names[e.Name] = true
	}
	for _, name := range m.AttrNames() {
		lacks := map[string]bool{"create_inner": true, "drain": true, "events": true, "match": true, "peek": true, "push": true, "swap": true, "vars": true}
		if names[name] == lacks[name] {
			t.Errorf("%s is among the entries of a hash: %t", name, names[name])
		}
	}
}
