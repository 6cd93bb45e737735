package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// printed is what the tests of a package may write, as -test.v=test2json has it.
const printed = `@kernel 6.1.0-56-cloud-amd64
@begin bpfsh/some
=== RUN   TestGood
--- PASS: TestGood (0.01s)
=== RUN   TestOld
=== RUN   TestOld/part
    some_test.go:5: rhash is there since Linux 7.3
=== NAME  TestOld
    --- SKIP: TestOld/part (0.00s)
--- PASS: TestOld (12.50s)
%s
@exit %s
@end`

func resultOf(more, status string) *result {
	r := newResult("6.1", false, []suite{{pkg: "bpfsh/some"}})
	for line := range strings.Lines(strings.NewReplacer("%s\n@exit %s", more+"\n@exit "+status).Replace(printed)) {
		r.read(strings.TrimSuffix(line, "\n"))
	}
	return r
}

func TestReport(t *testing.T) {
	for _, c := range []struct {
		name, more, status string
		passed             bool
		want               string
	}{
		{"good", "PASS", "0", true, "2 passed, 0 failed, 1 skipped"},
		{"slow", "PASS", "0", true, "slow: TestOld 13s"},
		{"the reason", "PASS", "0", true, "1 skipped: rhash is there since Linux 7.3"},
		{"failed", "=== RUN   TestBad\n    some_test.go:9: it is bad\n--- FAIL: TestBad (0.00s)\nFAIL", "1", false, "--- FAIL: TestBad\n         some_test.go:9: it is bad\n"},
		{"failed behind its name", "=== RUN   TestBad\n--- FAIL: TestBad (0.00s)\n    some_test.go:9: it is bad\nFAIL", "1", false, "some_test.go:9: it is bad\n"},
		{"died", "=== RUN   TestBad\npanic: no more", "2", false, "exit status 2\n     panic: no more\n"},
		{"skipped although it is there", "=== RUN   TestNew\n    some_test.go:9: bloom_filter is there since Linux 5.16\n--- SKIP: TestNew (0.00s)", "0", false,
			"skipped without a reason that counts here: TestNew: bloom_filter is there since Linux 5.16"},
		{"skipped on the kernel that has it", "=== RUN   TestNew\n    some_test.go:9: user_ringbuf is there since Linux 6.1\n--- SKIP: TestNew (0.00s)", "0", false, "TestNew: user_ringbuf"},
		{"skipped without a reason", "=== RUN   TestNew\n--- SKIP: TestNew (0.00s)", "0", false, "skipped without a reason that counts here: TestNew: "},
		{"a golden script", "=== RUN   TestGolden\n    some_test.go:9: a.star requires linux>=6.2: this is Linux 6.1\n--- SKIP: TestGolden (0.00s)", "0", true, "a golden script wants linux>=6.2"},
		{"excused", "=== RUN   TestC\n    some_test.go:9: clang is not installed\n--- SKIP: TestC (0.00s)", "0", true, "1 skipped: clang is not installed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := resultOf(c.more, c.status)
			var out strings.Builder
			r.write(&out)
			if r.passed() != c.passed || !strings.Contains(out.String(), c.want) {
				t.Errorf("passed: %v, want %v\n%s\nwant in it %q", r.passed(), c.passed, &out, c.want)
			}
		})
	}
}

// What did not run has not passed.
func TestReportNothing(t *testing.T) {
	if newResult("6.1", false, []suite{{pkg: "bpfsh/some"}}).passed() {
		t.Error("a package that did not run has passed")
	}
	r := resultOf("PASS", "0")
	r.broken = errors.New("no such machine")
	if r.passed() {
		t.Error("a machine that broke has passed")
	}
	if r := newResult("6.1", false, []suite{{pkg: "bpfsh/some"}}); r.read("@begin bpfsh/some") != "" || r.read("@exit 0") == "" || r.passed() {
		t.Error("a package without a test has passed")
	}
	if r := newResult("6.1", true, []suite{{pkg: "bpfsh/some"}}); r.read("@begin bpfsh/some")+r.read("@exit 0") == "" || !r.passed() {
		t.Error("a package without one of the tests that were asked for has failed")
	}
}

// TestSum tells an interrupted run from one that failed.
func TestSum(t *testing.T) {
	passed, failed, stopped := resultOf("PASS", "0"), resultOf("PASS", "1"), resultOf("PASS", "0")
	stopped.broken = errInterrupted
	for want, results := range map[string][]*result{
		"<nil>":                 {passed, passed},
		"1 of 2 kernels failed": {passed, failed},
		"interrupted: of 4 kernels 1 had passed and 1 failed": {passed, failed, stopped, stopped},
	} {
		if got := fmt.Sprint(sum(results)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	passed.took = 272400 * time.Millisecond
	if got, want := passed.ended(), "ok   all of Linux 6.1.0-56-cloud-amd64 took 4m32s"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestInterrupted ends before anything has begun.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, []string{"-cache", t.TempDir(), "6.1"}); err != errInterrupted {
		t.Errorf("got %v, want %v", err, errInterrupted)
	}
	r := try(ctx, machine{}, t.TempDir(), newResult("6.1", false, nil), "", false)
	if err := sum([]*result{r}); !errors.Is(err, errInterrupted) {
		t.Errorf("got %v, want %v", err, errInterrupted)
	}
}

// TestFindSuites finds packages by a part of their paths, in whichever way it is given.
func TestFindSuites(t *testing.T) {
	t.Chdir("../..")
	all := []string{"bpfsh/builtins/host"}
	for _, having := range []string{"builtins/host", "./builtins/host", "./builtins/host/", "./builtins/host/..."} {
		var found []string
		suites, err := findSuites(t.Context(), having)
		for _, s := range suites {
			found = append(found, s.pkg)
		}
		if err != nil || !slices.Equal(found, all) {
			t.Errorf("%s: got %v, %v, want %v", having, found, err, all)
		}
	}
}
