package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"bpfsh/builtins"
	"bpfsh/builtins/engine"
	"bpfsh/runtime"
	"bpfsh/runtime/render"
	"bpfsh/runtime/repl"

	"go.starlark.net/starlark"
)

// prompt is what the goroutine that gets the signals knows of the prompt.
type prompt struct {
	console atomic.Pointer[repl.Interactive] // nil while there is no prompt
	endedBy atomic.Pointer[signalError]      // nil unless a signal has ended it
}

// run gives the prompt, until the input ends, exit() or a signal. Its error decides the exit status.
func (p *prompt) run(sh *shell, o *options) error {
	if !o.noInit { // before there is a prompt, so that Ctrl-C in it ends bpfsh
		err := repl.Init(sh.session, nil)
		var exit *runtime.Exit
		var sig *signalError
		if errors.As(err, &exit) || errors.As(err, &sig) {
			return err
		}
		sh.session.Report(err)
	}
	console, err := repl.NewInteractive(repl.EditorConfig{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Color: colored(o.color, true, os.Getenv)})
	if err != nil {
		sh.session.Report(err)
		return err
	}
	p.console.Store(&console)
	if !o.quiet {
		fmt.Fprintf(os.Stderr, "bpfsh on Linux %s. help() lists what there is, Ctrl-D leaves.\n", kernelRelease())
	}
	sh.library.SetOperator(&builtins.Operator{Confirm: console.Confirm, Say: sh.session.Warn})
	err = repl.Run(sh.session, console, repl.Config{
		Echo:   func(w io.Writer, v starlark.Value) error { return render.WriteEcho(w, v, sh.display()) },
		Mode:   sh.setFormat,
		Output: sh.output,
		Label:  sh.label,
		Bare:   []string{"maps"},
		Sources: map[string]func(string) []string{
			"open.where": sh.library.MapNames,
			"type":       func(prefix string) []string { return starting(engine.TypeNames(), prefix) },
		},
	})
	sh.library.SetOperator(nil)
	p.console.Store(nil)
	if closing := console.Close(); err == nil {
		err = closing
	}
	if sig := p.endedBy.Load(); sig != nil {
		return sig
	}
	return err
}

func starting(names []string, prefix string) (found []string) {
	for _, name := range names {
		if strings.HasPrefix(name, prefix) {
			found = append(found, name)
		}
	}
	return found
}

// active says whether there is a prompt to come back to.
func (p *prompt) active() bool { return p.console.Load() != nil }

// end makes the prompt return because of a signal.
func (p *prompt) end(sig *signalError) {
	p.endedBy.Store(sig)
	p.restore()
}

// restore gives the terminal back as it was.
func (p *prompt) restore() {
	if console := p.console.Load(); console != nil {
		(*console).Restore()
	}
}

// interrupt tells the prompt of a Ctrl-C that the terminal has made a signal of.
func (p *prompt) interrupt() {
	if console := p.console.Load(); console != nil {
		(*console).Interrupt()
	}
}
