package main

import (
	"fmt"
	"os"
	"sync/atomic"

	"bpfsh/runtime/repl"

	"go.starlark.net/starlark"
)

// prompt is what the goroutine that gets the signals knows of the prompt.
type prompt struct {
	editor  atomic.Pointer[repl.Editor] // nil while there is no prompt
	endedBy atomic.Pointer[signalError] // nil unless a signal has ended it
}

// run gives the prompt, until the input ends, exit() or a signal. Its error decides the exit status.
func (p *prompt) run(sh *shell, o *options) error {
	editor, err := repl.NewEditor(repl.EditorConfig{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr})
	if err != nil {
		sh.session.Report(err)
		return err
	}
	p.editor.Store(editor)
	if !o.quiet {
		fmt.Fprintf(os.Stderr, "bpfsh on Linux %s. help() lists what there is, Ctrl-D leaves.\n", kernelRelease())
	}
	err = repl.Run(sh.session, editor, repl.Config{Echo: func(v starlark.Value) (string, error) { return sh.display().Echo(v) }})
	p.editor.Store(nil)
	if closing := editor.Close(); err == nil {
		err = closing
	}
	if sig := p.endedBy.Load(); sig != nil {
		return sig
	}
	return err
}

// active says whether there is a prompt to come back to.
func (p *prompt) active() bool { return p.editor.Load() != nil }

// end makes the prompt return because of a signal.
func (p *prompt) end(sig *signalError) {
	p.endedBy.Store(sig)
	p.restore()
}

// restore gives the terminal back as it was.
func (p *prompt) restore() {
	if editor := p.editor.Load(); editor != nil {
		editor.Restore()
	}
}
