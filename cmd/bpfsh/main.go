// Command bpfsh is a shell for eBPF maps: a prompt, and a runner of Starlark scripts.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"bpfsh/runtime"
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
		fmt.Fprintf(os.Stderr, "bpfsh: %v (bpfsh --help lists what there is)\n", err)
		return statusUsage
	}
	switch {
	case o.help:
		fmt.Print(usage())
		return statusDone
	case o.man:
		fmt.Print(manual())
		return statusDone
	case o.completion != "":
		fmt.Print(completion(o.completion))
		return statusDone
	case o.version:
		fmt.Println(version())
		return statusDone
	case o.golden:
		return checkGoldens(o, os.Stdout)
	}
	source, err := o.read(os.Stdin)
	if err != nil {
		fmt.Fprintf(os.Stderr, "bpfsh: %v\n", err)
		return statusUsage
	}
	sh := newShell(o, os.Stdin, os.Stdout, os.Stderr)
	defer sh.close()
	stop := sh.watchSignals()
	err = sh.run(o, source)
	stop()
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

// source is what to run before the prompt, or instead of it.
type source struct {
	name string // as errors name it
	text []byte
	code bool // of -c: an expression's value is printed
	none bool // only the prompt
}

// read gets the source that the arguments name.
func (o *options) read(stdin *os.File) (source, error) {
	switch {
	case o.codeGiven:
		return source{name: "<command>", text: []byte(o.code), code: true}, nil
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
