package builtins_test

import (
	"bytes"
	"strings"
	"testing"

	"bpfsh/builtins"
	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/memory"
	"bpfsh/runtime"
)

// TestHints runs what goes wrong where a hint is expected, on a map without types, one with, and one of each CPU's values.
func TestHints(t *testing.T) {
	e := &memory.Engine{Processors: 2}
	hash, _ := engine.TypeByName("hash")
	plain, err := e.Create(engine.Spec{Type: hash, Name: "plain", KeySize: 8, ValueSize: 4, MaxEntries: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	const untyped = `map "plain" does not say its types; open(..., key=..., value=...) gives them`
	for _, row := range []struct{ code, says, hint string }{
		{`open("plain", hints={"key.a": "ktime"})`, "key.a: u64 has no field a: it is no struct", untyped},
		{`open("plain")[1] = {"a": 3}`, "value: got dict of 1, want u32", untyped},
		{`open("plain")["a"]`, `key: got "a", want u64`, untyped},
		{`apply(open("plain"), {1: {"a": 3}})`, "value: got dict of 1, want u32", untyped},
		{`m = open("plain"); m[1] = 2; m[1].a`, "int has no .a field or method", untyped},
		{`open("plain", key="u64", value="u32")[1] = {"a": 3}`, "want u32", ""},
		{`open("plain", key="u64", value="u32", hints={"key.a": "ktime"})`, "it is no struct", ""},
		{`open("plain", value="u32")[1] = {"a": 3}`, "want u32", ""},
		{`typed[1] = {"b": 3}`, "no field b", ""},
		{`typed[1].a.b`, "int has no .b field or method", ""},
		{`typed[1].a = 3`, "can't assign to .a field of record", "m[key] = m[key].replace(a=...)"},
		{`len(typed)`, "value of type bpf.map has no len", "m.count() counts the entries"},
		{`each[0] += 1`, "unknown binary op: percpu + int", "m.kernel.add(key, n) adds to one CPU's value"},
		{`each[0] + each[0]`, "unknown binary op: percpu + percpu", ".sum() is all of them"},
		{`1 - each[0]`, "unknown binary op: int - percpu", ".sum() is all of them"},
		{`each.delete(0)`, "write zeros with m[key] = [0] * cpus()", ""},
		{`each[0] = [0] * cpus(); fail(each[0])`, "percpu(0, 0)", ""},
		{`1 + "a"`, "unknown binary op: int + string", ""},
		{`len(1)`, "value of type int has no len", ""},
	} {
		t.Run(row.code, func(t *testing.T) {
			library := builtins.New(e, nil)
			defer library.Close()
			var out bytes.Buffer
			s := runtime.New(runtime.Config{Stderr: &out, Predeclared: library.Predeclared(), Hint: library.Hint})
			s.Report(s.Run("hint.star", []byte(`typed = create("hash", key="u32", value="struct { u32 a; }", max_entries=4, name="typed")
typed[1] = (1,)
each = create("percpu_array", value="u64", max_entries=1)
`+row.code+"\n")))
			message, hint, _ := strings.Cut(out.String(), "\nhint: ")
			if !strings.Contains(message, row.says) || !strings.Contains(hint, row.hint) || (hint == "") != (row.hint == "") {
				t.Errorf("got %s, want %q and the hint %q", &out, row.says, row.hint)
			}
		})
	}
}
