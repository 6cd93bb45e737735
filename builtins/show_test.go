package builtins_test

import (
	"strings"
	"testing"

	"bpfsh/builtins"
	"bpfsh/builtins/engine/kernel/kerneltest"
	"bpfsh/runtime"
	"bpfsh/runtime/render"
)

// TestEchoRowless answers at the prompt with a line where a map has no entries that can be listed; to show it stays an
// error, and so does what a machine reads.
func TestEchoRowless(t *testing.T) {
	if kerneltest.Older("5.11") {
		t.Skip("task_storage is there since Linux 5.11")
	}
	library := builtins.New(kerneltest.Engine(t), nil)
	defer library.Close()
	var out strings.Builder
	s := runtime.New(runtime.Config{Predeclared: library.Predeclared(), Stdout: &out})
	library.SetDisplay(builtins.Display{Out: s.Output()})
	if err := chunk(s, `
p = create("perf_event_array", max_entries=1, name="printf")
t = create("task_storage", key="pid", value="u32", name="tasks")
h = create("hash", key="u32", value="u32", max_entries=1, name="flows")
h.close()
`); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"p": `<perf_event_array "printf" key=u32 value=u32 id=`, "t": `<task_storage "tasks" key=pid value=u32 id=`, "h": `<closed hash "flows" key=u32 value=u32 id=`,
	} {
		v := s.Globals()[name]
		if got, err := (render.Options{}).Echo(v); err != nil || !strings.HasPrefix(got, want) || strings.Contains(got, "\n") || got != v.String() {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
		}
		if got, err := (render.Options{Format: render.FormatJSONL}).Echo(v); err == nil {
			t.Errorf("%s as jsonl: got %q, want an error", name, got)
		}
		if err := chunk(s, "show("+name+")"); err == nil {
			t.Errorf("show(%s): want an error", name)
		}
	}
}
