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
func TestGolden(t *testing.T) {
	needKernel(t)
	scripts, err := filepath.Glob("../../testdata/*.star")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts in testdata: %v", err)
	}
	more, err := filepath.Glob("../../scripts/*.star")
	if err != nil {
		t.Fatal(err)
	}
	g, close := newGolden(*update)
	defer close()
	for _, script := range append(scripts, more...) {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".star"), func(t *testing.T) {
			err := g.Check(script)
			var lacking *runtime.Lacking
			if errors.As(err, &lacking) && os.Getenv("BPFSH_REQUIRE_KERNEL") != "1" {
				t.Skip(err)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}
