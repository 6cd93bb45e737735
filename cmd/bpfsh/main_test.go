package main

import (
	"bytes"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"bpfsh/builtins/engine/kernel/kerneltest"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the command bpfsh, which is this program, available to all tests.
func TestMain(m *testing.M) {
	testscript.Main(checked{m}, map[string]func(){"bpfsh": main})
}

// checked runs the tests and then looks for descriptors that they have left open.
type checked struct{ *testing.M }

func (c checked) Run() int {
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGHUP} {
		if signal.Ignored(s) { // by nohup, which the commands that the tests start would take over
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
	return kerneltest.Main(c.M)
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

// runner makes a shell that runs code, and gives what it prints. The names that the code sets stay.
func runner(t *testing.T, engineName string) func(code string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	sh := newShell(&options{engine: engineName, format: "table"}, strings.NewReader(""), &stdout, &stderr)
	t.Cleanup(sh.close)
	return func(code string) string {
		t.Helper()
		stdout.Reset()
		if err := sh.runSource(&options{}, source{name: "test.star", text: []byte(code), code: true}); err != nil {
			t.Fatalf("%v\n%s", err, &stderr)
		}
		return strings.TrimSpace(stdout.String())
	}
}
