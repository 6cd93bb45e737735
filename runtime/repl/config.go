package repl

import (
	"io"
	"os"
	"os/exec"

	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
)

// Config is what a prompt can be told. The zero value will do.
type Config struct {
	// Echo writes an expression's value and the end of its line, as a terminal may have it: it is not escaped any more.
	// nil is render.WriteEcho.
	Echo func(io.Writer, starlark.Value) error
	// Mode sets the format that Echo uses from then on, and returns it; "" only asks. nil: there is one alone.
	Mode func(format string) (now string, err error)
	// Output is where the session writes its output, so that it can go to a file or be drawn again in the same
	// place. nil: neither is possible.
	Output *Output
	// Label stands in the prompt, to tell what is out of the ordinary: "ro" makes it bpf(ro)>. ASCII, a word or two.
	Label string
	// Bare are functions that their names alone call, beside exit and help.
	Bare []string

	// Sources complete the strings that are arguments, by the parameter they are for: "where", or "open.where" for
	// that of open alone. They are given what the string begins with, and may return more than fits. They may be
	// called from another goroutine, and are not waited for longer than 100 ms. Files, for a parameter called path,
	// are known without.
	Sources map[string]func(prefix string) []string

	// Exec runs a program on the terminal and waits for its end: an editor, or what follows an exclamation mark. nil
	// runs it on the standard streams of this process.
	Exec func(name string, args ...string) error
	// Getenv answers for VISUAL, EDITOR and HOME; nil is os.Getenv.
	Getenv func(string) string
}

// withDefaults fills in what was left out.
func (c Config) withDefaults() Config {
	if c.Echo == nil {
		c.Echo = func(w io.Writer, v starlark.Value) error { return render.WriteEcho(w, v, render.Options{}) }
	}
	if c.Exec == nil {
		c.Exec = execute
	}
	if c.Getenv == nil {
		c.Getenv = os.Getenv
	}
	return c
}

func execute(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd.Run()
}
