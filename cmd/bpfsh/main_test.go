package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the command bpfsh, which is this program, available to all tests.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"bpfsh": main})
}

// needKernel skips a test where bpf() is not permitted, by name. Where BPFSH_REQUIRE_KERNEL=1 is set that is a
// failure.
func needKernel(t *testing.T) {
	t.Helper()
	err := notPermitted()
	switch {
	case err == nil:
	case os.Getenv("BPFSH_REQUIRE_KERNEL") == "1":
		t.Fatalf("bpf() is not permitted: %v", err)
	default:
		t.Skipf("bpf() is not permitted: %v", err)
	}
}
