package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bpfsh/runtime"
)

// TestScripts demands of each script in scripts a comment that says what it does and how it is called, a --help, and a
// golden script that runs it, if it has no golden file of its own.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("../../scripts/*.star")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	goldens := goldenScripts(t)
	for _, script := range scripts {
		name := filepath.Base(script)
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(script)
			if err != nil {
				t.Fatal(err)
			}
			head, _, _ := strings.Cut(string(text), "\n\n")
			if !strings.HasPrefix(head, "#!/usr/bin/env bpfsh\n# ") || !strings.Contains(head, "\n#     bpfsh scripts/"+name) {
				t.Errorf("it does not begin with what it does and an example:\n%s", head)
			}
			if st, err := os.Stat(script); err != nil || st.Mode()&0o111 != 0o111 {
				t.Errorf("it cannot be executed: %v", err)
			}
			if _, err := os.Stat(strings.TrimSuffix(script, ".star") + ".golden"); err != nil && !strings.Contains(goldens, "/../scripts/"+name) {
				t.Error("no golden script runs it")
			}
			for _, help := range []string{"--help", "-h"} {
				var stdout, stderr bytes.Buffer
				o := &options{engine: "memory", noMount: true, args: []string{help}}
				sh := newShell(o, strings.NewReader(""), &stdout, &stderr)
				defer sh.close()
				status := runtime.Status(sh.run(o, source{name: script, text: text}))
				if status != statusDone || stderr.Len() > 0 || !strings.Contains(stdout.String(), "\nusage: bpfsh "+name) {
					t.Errorf("%s: status %d, %s%s", help, status, &stdout, &stderr)
				}
			}
		})
	}
}
