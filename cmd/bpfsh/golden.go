package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"bpfsh/builtins/engine/kernel"
	"bpfsh/runtime"
	"bpfsh/runtime/render"
)

// bpffsVariable tells a golden script a directory to pin in.
const bpffsVariable = "BPFFS"

// directoryVariable tells a golden script where it is.
const directoryVariable = "SCRIPT_DIR"

// suffixVariable tells a golden script how to end the names of its maps which it opens by them, so that they are nobody
// else's: not of another run, and not of one before whose maps the kernel has not given up yet.
const suffixVariable = "NAME_SUFFIX"

// newGolden makes the runner of golden scripts on an engine. Each script gets a shell of its own, and all share a bpffs
// that nobody else sees. close gives it up.
func newGolden(engineName string, update bool) (g *runtime.Golden, close func()) {
	if engineName == "auto" {
		engineName = "kernel"
		if notPermitted() != nil {
			engineName = "memory"
		}
	}
	dir, closeFS := privateBPFFS(engineName)
	suffix := fmt.Sprintf("_%04x", rand.N(1<<16))
	restore := setenv(bpffsVariable, dir)
	restoreSuffix := setenv(suffixVariable, suffix)
	close = func() {
		closeFS()
		restore()
		restoreSuffix()
	}
	g = &runtime.Golden{
		Update: update,
		Run: func(script string, stdout, stderr io.Writer) int {
			return runGolden(engineName, script, stdout, stderr)
		},
		Lacks: func(requirement string) (string, error) { return lacks(engineName, requirement) },
		Scrub: []runtime.Scrub{
			{Pattern: regexp.MustCompile(`/proc/self/fd/\d+`), With: "/sys/fs/bpf"},
			{Pattern: regexp.MustCompile(`\bid=\d+`), With: "id=N"},
			{Pattern: regexp.MustCompile(suffix + `\b`), With: ""},
			{Pattern: regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`), With: "TIME"}, // of watch
		},
	}
	return g, close
}

// setenv sets a variable until restore is called.
func setenv(name, value string) (restore func()) {
	old, had := os.LookupEnv(name)
	os.Setenv(name, value)
	return func() {
		if had {
			os.Setenv(name, old)
		} else {
			os.Unsetenv(name)
		}
	}
}

// privateBPFFS is a directory to pin in, which goes when it is closed; "" if there can be none.
func privateBPFFS(engineName string) (dir string, close func()) {
	if engineName == "memory" { // it sees only its own pins
		return "/sys/fs/bpf", func() {}
	}
	dir, closeFS, err := kernel.PrivateBPFFS()
	if err != nil {
		return "", func() {}
	}
	return dir, func() { closeFS() }
}

// runGolden runs a script as the command line would, but for its own output.
func runGolden(engineName, script string, stdout, stderr io.Writer) int {
	text, err := os.ReadFile(script)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return statusUsage
	}
	os.Setenv(directoryVariable, filepath.Dir(script))
	o := &options{engine: engineName, noMount: true, color: "never", format: render.FormatTable.String()}
	sh := newShell(o, strings.NewReader(""), stdout, stderr)
	defer sh.close()
	return runtime.Status(sh.run(o, source{name: script, text: text}))
}

// checkGoldens is --golden: it runs each script, says how it went, and returns the exit status.
func checkGoldens(o *options, out io.Writer) int {
	g, close := newGolden(o.engine, o.update)
	defer close()
	status := statusDone
	for _, script := range o.goldens {
		err := g.Check(script)
		var lacking *runtime.Lacking
		switch {
		case err == nil:
			printLine(out, "ok    "+script)
		case errors.As(err, &lacking):
			printLine(out, fmt.Sprintf("skip  %v", err))
		default:
			printLine(out, fmt.Sprintf("FAIL  %v", err))
			status = statusFailure
		}
	}
	return status
}
