// Command bpfsh is a shell for eBPF maps: a prompt, and a runner of Starlark scripts.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"bpfsh/runtime"
	"bpfsh/runtime/render"
	"bpfsh/runtime/repl"

	"github.com/chzyer/readline"
	"golang.org/x/sys/unix"
)

// Exit statuses beside those of scripts.
const (
	statusDone    = 0
	statusFailure = 1
	statusUsage   = 2
)

func main() {
	repl.Guard()
	tuneCollector()
	os.Exit(run(os.Args[1:]))
}

// run does what the arguments ask for, and returns the exit status. On a signal it does not return.
func run(args []string) int {
	o, err := parseFlags(args)
	if err != nil {
		printLine(os.Stderr, fmt.Sprintf("bpfsh: %v (bpfsh --help lists what there is)", err))
		return statusUsage
	}
	switch {
	case o.help:
		return say(usage())
	case o.man:
		return say(manual())
	case o.completion != "":
		return say(completion(o.completion))
	case o.version:
		return say(version() + "\n")
	case o.golden:
		return checkGoldens(o, os.Stdout)
	}
	source, err := o.read(os.Stdin)
	if err != nil {
		printLine(os.Stderr, fmt.Sprintf("bpfsh: %v", err))
		return statusUsage
	}
	signals := askForSignals() // not while the source is read: until then a signal ends the process
	sh := newShell(o, os.Stdin, os.Stdout, os.Stderr)
	defer sh.close()
	sh.watch(signals())
	err = sh.run(o, source)
	var sig *signalError
	switch {
	case brokenPipe(err):
		sh.close()
		die(unix.SIGPIPE)
	case errors.As(err, &sig):
		sh.close()
		die(sig.Signal)
	}
	return runtime.Status(err)
}

// printLine writes a line without a shell. Words of the command line and names of files are in it, which a terminal is not to
// act on.
func printLine(w io.Writer, text string) {
	if isTerminal(w) {
		text = render.Escape(text)
	}
	fmt.Fprintln(w, text)
}

// say writes a text to standard output, and returns the exit status.
func say(text string) int {
	if _, err := io.WriteString(os.Stdout, text); err != nil {
		fmt.Fprintf(os.Stderr, "bpfsh: writing to standard output: %v\n", err)
		return statusFailure
	}
	return statusDone
}

// source is what to run before the prompt, or instead of it.
type source struct {
	name string // as errors name it
	text []byte
	code bool    // of -c: an expression's value is printed
	then *source // of a further -c: runs behind it, unless it fails
	none bool    // only the prompt
}

// read gets the source that the arguments name.
func (o *options) read(stdin *os.File) (source, error) {
	switch {
	case o.code != nil:
		var first *source
		for _, code := range slices.Backward(o.code) {
			first = &source{name: "<command>", text: []byte(code), code: true, then: first}
		}
		return *first, nil
	case o.file != "" && o.file != "-":
		text, err := os.ReadFile(o.file)
		return source{name: o.file, text: text}, err
	case o.file == "" && readline.IsTerminal(int(stdin.Fd())):
		return source{none: true}, nil
	default:
		text, err := io.ReadAll(stdin)
		return source{name: "<stdin>", text: text}, err
	}
}
