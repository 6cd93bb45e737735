// Package kerneltest is for tests that want the running kernel: maps that are the test's own and go with it, and
// a look afterwards whether they have.
package kerneltest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel"

	"golang.org/x/sys/unix"
)

// suffix ends the name of every map of this run.
var suffix = fmt.Sprintf("_%06x", rand.N(1<<24))

// Skip ends a test that this machine does not permit. Where BPFSH_REQUIRE_KERNEL is 1, that is a failure.
func Skip(t testing.TB, why string, err error) {
	t.Helper()
	if os.Getenv("BPFSH_REQUIRE_KERNEL") == "1" {
		t.Fatalf("BPFSH_REQUIRE_KERNEL=1, but %s: %v", why, err)
	}
	t.Skipf("%s: %v", why, err)
}

// Engine is the running kernel. The test ends here where bpf() is not permitted.
func Engine(t testing.TB) *kernel.Engine {
	t.Helper()
	e := &kernel.Engine{}
	m, err := e.Create(engine.Spec{Type: Type(t, "array"), Name: "try" + suffix, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSYS) {
		Skip(t, fmt.Sprintf("bpf() is not permitted (missing: %s)", e.Missing(engine.Making)), err)
	}
	if err != nil {
		t.Fatal(err)
	}
	m.Close()
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// Type is the number of a map type.
func Type(t testing.TB, name string) uint32 {
	t.Helper()
	n, ok := engine.TypeByName(name)
	if !ok {
		t.Fatalf("no map type %q", name)
	}
	return n
}

// Map makes a map that is closed with the test. What its type wants always is added to the flags, and a name is
// given. A test of a type that the kernel does not have yet is skipped.
func Map(t testing.TB, e engine.Engine, spec engine.Spec) engine.Map {
	t.Helper()
	m, err := Create(t, e, spec)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Create is Map for a spec that may be refused.
func Create(t testing.TB, e engine.Engine, spec engine.Spec) (engine.Map, error) {
	t.Helper()
	kind := engine.KindOf(spec.Type)
	spec.Name, spec.Flags = "bpfsh"+suffix, spec.Flags|kind.Flags
	if spec.Inner != nil {
		inner := *spec.Inner
		inner.Name, spec.Inner = "inner"+suffix, &inner
	}
	m, err := e.Create(spec)
	if errors.Is(err, unix.EINVAL) {
		Since(t, kind.Since, kind.Name)
	}
	if err == nil {
		t.Cleanup(func() { m.Close() })
	}
	return m, err
}

// Older says whether the running kernel is older than a release such as "6.19".
func Older(release string) bool { return kernel.Older(release) }

// Since ends a test of what the kernel does not have yet.
func Since(t testing.TB, release, what string) {
	t.Helper()
	if Older(release) {
		t.Skipf("%s is there since Linux %s", what, release)
	}
}

// BPFFS is the directory of a bpffs that goes with the test.
func BPFFS(t testing.TB) string {
	t.Helper()
	dir, unmount, err := kernel.PrivateBPFFS()
	if err != nil {
		Skip(t, "a private bpffs is not permitted", err)
	}
	t.Cleanup(func() {
		if err := unmount(); err != nil {
			t.Error(err)
		}
	})
	return dir
}
