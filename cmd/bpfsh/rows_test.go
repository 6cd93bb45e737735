package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"bpfsh/builtins"
	"bpfsh/runtime"
)

// TestRows demands of each function, method and attribute a doc that starts with one short sentence, and a golden
// script that uses it.
func TestRows(t *testing.T) {
	scripts := goldenScripts(t)
	for _, topic := range append(runtime.Topics(), builtins.Topics()...) {
		if topic.Doc == "" {
			t.Errorf("topic %s has no doc", topic.Name)
		}
		for _, e := range topic.Entries {
			t.Run(topic.Name+"/"+e.Name, func(t *testing.T) {
				const widest = 72
				first, _, _ := strings.Cut(e.Doc, "\n")
				if n := utf8.RuneCountInString(e.Summary()); n == 0 || n > widest {
					t.Errorf("its doc starts with a sentence of %d columns, want 1 to %d: %q", n, widest, e.Summary())
				}
				if !strings.HasSuffix(first, ".") {
					t.Errorf("the first line of its doc does not end a sentence: %q", first)
				}
				use := map[string]string{"function": `\b%s\(`, "method": `\.%s\b`, "attribute": `\.%s\b`, "constant": `\b%s\b`}[e.Kind]
				if !regexp.MustCompile(strings.ReplaceAll(use, "%s", e.Name)).MatchString(scripts) {
					t.Errorf("no golden script uses %s", e.Signature())
				}
			})
		}
	}
}

// goldenScripts is the code of all golden scripts, without comments.
func goldenScripts(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("../../testdata/*.star")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if !strings.HasPrefix(strings.TrimSpace(line), "#") {
				code.WriteString(line)
			}
		}
	}
	return code.String()
}
