package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel"
	"bpfsh/runtime"
)

// bpffsVariable tells a golden script a directory to pin in.
const bpffsVariable = "BPFFS"

// newGolden makes the runner of golden scripts. Each script gets a shell of its own, and all share a bpffs that
// nobody else sees. close gives it up.
func newGolden(update bool) (g *runtime.Golden, close func()) {
	close = func() {}
	if missing := notPermitted(); missing == nil {
		dir, closeFS, err := kernel.PrivateBPFFS()
		if err == nil {
			old, had := os.LookupEnv(bpffsVariable)
			os.Setenv(bpffsVariable, dir)
			close = func() {
				closeFS()
				if had {
					os.Setenv(bpffsVariable, old)
				} else {
					os.Unsetenv(bpffsVariable)
				}
			}
		}
	}
	g = &runtime.Golden{
		Update: update,
		Run:    runGolden,
		Lacks:  lacks,
		Scrub: []runtime.Scrub{
			{Pattern: regexp.MustCompile(`/proc/self/fd/\d+`), With: "/sys/fs/bpf"},
			{Pattern: regexp.MustCompile(`\bid=\d+`), With: "id=N"},
		},
	}
	return g, close
}

// runGolden runs a script as the command line would, but for its own output.
func runGolden(script string, stdout, stderr io.Writer) int {
	text, err := os.ReadFile(script)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return statusUsage
	}
	o := &options{noMount: true}
	sh := newShell(o, strings.NewReader(""), stdout, stderr)
	defer sh.close()
	return runtime.Status(sh.run(o, source{name: script, text: text}))
}

// notPermitted says why the kernel's maps cannot be used; nil if they can.
func notPermitted() error {
	m, err := (&kernel.Engine{}).Create(engine.Spec{Type: 2, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	if err != nil {
		return err
	}
	return m.Close()
}

// checkGoldens is --golden: it runs each script, says how it went, and returns the exit status.
func checkGoldens(o *options, out io.Writer) int {
	g, close := newGolden(o.update)
	defer close()
	status := statusDone
	for _, script := range o.goldens {
		err := g.Check(script)
		var lacking *runtime.Lacking
		switch {
		case err == nil:
			fmt.Fprintf(out, "ok    %s\n", script)
		case errors.As(err, &lacking):
			fmt.Fprintf(out, "skip  %v\n", err)
		default:
			fmt.Fprintf(out, "FAIL  %v\n", err)
			status = statusFailure
		}
	}
	return status
}
