package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"bpfsh/builtins"
	"bpfsh/runtime"
	"bpfsh/runtime/render"
)

// TestExamples runs the example of each function and method, on maps that a script makes for it.
func TestExamples(t *testing.T) {
	const widest = 74 // of a terminal's 80 columns, behind the margin
	before, err := os.ReadFile("testdata/example.star")
	if err != nil {
		t.Fatal(err)
	}
	object, err := os.ReadFile("../../testdata/object/flow.o")
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range append(runtime.Topics(), builtins.Topics()...) {
		for _, e := range topic.Entries {
			if e.Kind != "function" && e.Kind != "method" {
				continue
			}
			t.Run(topic.Name+"/"+e.Name, func(t *testing.T) {
				if e.Example == "" {
					t.Fatal("it has no example")
				}
				if !strings.Contains(e.Example, e.Name+"(") {
					t.Errorf("its example does not call it:\n%s", e.Example)
				}
				for line := range strings.Lines(e.Example) {
					if utf8.RuneCountInString(line) > widest || strings.Contains(line, "\t") {
						t.Errorf("a line of its example is wider than %d columns, or has a tab: %q", widest, line)
					}
				}
				t.Chdir(t.TempDir())
				if err := os.WriteFile("flow.o", object, 0o600); err != nil {
					t.Fatal(err)
				}
				var out bytes.Buffer
				engine, code := "memory", append(bytes.Clone(before), e.Example...)
				if strings.Contains(e.Example, "ringbuf") { // it makes what it wants, and the kernel alone has that
					needKernel(t)
					engine, code = "kernel", []byte(e.Example)
				}
				o := &options{engine: engine, noMount: true, format: render.FormatTable.String(), args: []string{"10.0.0.1"}}
				sh := newShell(o, strings.NewReader("10.0.0.1\n10.0.0.2\n"), &out, &out)
				defer sh.close()
				err := sh.run(o, source{name: e.Name, text: code})
				if status := runtime.Status(err); status != statusDone && e.Name != "exit" {
					t.Errorf("its example ends with status %d:\n%s\n%s", status, e.Example, &out)
				}
			})
		}
	}
}
