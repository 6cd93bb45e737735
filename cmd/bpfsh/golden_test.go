package main

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bpfsh/runtime"
)

var update = flag.Bool("update", false, "write the golden files")

// TestGolden runs the scripts of testdata, and those of scripts that have a golden file.
//
// What they print on the kernel is what they are to print: the memory engine can only agree.
func TestGolden(t *testing.T) {
	scripts, err := filepath.Glob("../../testdata/*.star")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts in testdata: %v", err)
	}
	more, err := filepath.Glob("../../scripts/*.golden")
	if err != nil {
		t.Fatal(err)
	}
	for _, golden := range more {
		scripts = append(scripts, strings.TrimSuffix(golden, ".golden")+".star")
	}
	t.Setenv("TMPDIR", t.TempDir()) // for what they write
	t.Run("kernel", func(t *testing.T) {
		needKernel(t)
		testGoldens(t, "kernel", *update, scripts)
	})
	t.Run("memory", func(t *testing.T) { testGoldens(t, "memory", false, scripts) })
}

func testGoldens(t *testing.T, engineName string, update bool, scripts []string) {
	g, close := newGolden(engineName, update)
	defer close()
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".star"), func(t *testing.T) {
			err := g.Check(script)
			var lacking *runtime.Lacking
			if errors.As(err, &lacking) && (engineName == "memory" || os.Getenv("BPFSH_REQUIRE_KERNEL") != "1" || strings.HasPrefix(lacking.Requirement, "linux>=")) {
				t.Skip(err)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}
