package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"bpfsh/builtins"
	"bpfsh/runtime"
)

// TestReference compares the README's list of functions with the rows it is made from.
func TestReference(t *testing.T) {
	const path, begin, end = "../../README.md", "-update -->\n", "<!-- end -->"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the reference", path)
	}
	want := before + begin + reference() + end + after
	switch {
	case string(text) == want:
	case *update:
		if err := os.WriteFile(path, []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is not what the rows say; go test ./cmd/bpfsh -update writes it", path)
	}
}

func reference() string {
	var sb strings.Builder
	for _, topic := range append(builtins.Topics(), runtime.Topics()...) {
		fmt.Fprintf(&sb, "\n**%s** %s\n\n", topic.Name, topic.Doc)
		for _, e := range topic.Entries {
			name := e.Signature()
			if e.Kind == "method" || e.Kind == "attribute" {
				name = "." + name
			}
			fmt.Fprintf(&sb, "- `%s` %s\n", name, e.Summary())
		}
	}
	return sb.String() + "\n"
}
