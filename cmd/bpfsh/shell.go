package main

import (
	"errors"
	"io"
	"os"
	"strings"

	"bpfsh/builtins"
	"bpfsh/builtins/engine/dryrun"
	"bpfsh/builtins/engine/readonly"
	"bpfsh/builtins/host"
	"bpfsh/runtime"
	"bpfsh/runtime/render"
	"bpfsh/runtime/repl"

	"github.com/chzyer/readline"
	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"
)

// shell is a session with the maps of an engine.
type shell struct {
	library *builtins.Library
	session *runtime.Session
	prompt  prompt

	closeEngine func() error
	display     func() render.Options
	output      *repl.Output
	format      *render.Format // that the prompt was told to use; nil if it was not
	label       string         // what is out of the ordinary, for the prompt
}

// newShell puts the rooms together.
func newShell(o *options, stdin io.Reader, stdout, stderr io.Writer) *shell {
	sh := &shell{}
	var mounted func(dir string)
	if !o.noMount {
		mounted = func(dir string) { sh.session.Warn("bpfsh: mounted a bpffs at " + dir) }
	}
	fallback := ""
	e, closeEngine := chooseEngine(o.engine, mounted, func(text string) { fallback = text })
	if o.readonly {
		e = readonly.New(e)
	}
	var plan *dryrun.Engine
	if o.dryRun {
		plan = dryrun.New(e)
		e = plan
	}
	sh.library, sh.closeEngine = builtins.New(e, host.New()), closeEngine
	if plan != nil {
		sh.library.SetPlan(plan.Plan)
	}
	cfg := runtime.Config{
		Stdin: input{sh, stdin}, Stderr: stderr,
		Predeclared: sh.library.Predeclared(), Topics: builtins.Topics(), Alias: builtins.Alias, Enter: sh.library.Enter,
		Hint: sh.library.Hint,
		Args: o.args, Timeout: o.timeout, MaxSteps: o.maxSteps,
		Stuck: sh.stuck,
	}
	sh.output = repl.NewOutput(stdout, render.Escape, repl.IsPlain(os.Getenv))
	cfg.Stdout, cfg.EscapeStdout, cfg.Live = sh.output, sh.output.Escape, isTerminal(stdout)
	if isTerminal(stderr) {
		cfg.EscapeStderr, cfg.Stderr = render.Escape, sh.output.Beside(stderr)
	}
	if colored(o.color, isTerminal(stderr), os.Getenv) {
		cfg.Emphasize = red
	}
	sh.session = runtime.New(cfg)
	sh.display = sh.displayOptions(o, stdout)
	sh.library.SetDisplay(builtins.Display{
		Out: sh.session.Output(), Options: sh.display, Progress: progressOn(stderr), Warn: sh.session.Warn,
		Flush: sh.session.Flush, Screen: sh.screen,
	})
	if fallback != "" {
		sh.session.Warn(fallback)
	}
	var labels []string
	if fallback != "" || o.engine == "memory" {
		labels = append(labels, "memory")
	}
	if o.readonly {
		labels = append(labels, "ro")
	}
	if o.dryRun {
		labels = append(labels, "dry-run")
	}
	sh.label = strings.Join(labels, ",")
	return sh
}

// progressOn makes what tells how far long work is: on a terminal that can draw a line again, and nowhere else.
func progressOn(stderr io.Writer) func() *render.Progress {
	f, ok := stderr.(interface{ Fd() uintptr })
	if !ok || !readline.IsTerminal(int(f.Fd())) || repl.IsPlain(os.Getenv) {
		return nil
	}
	return func() *render.Progress {
		width, _, _ := readline.GetSize(int(f.Fd())) // of a terminal that does not tell: 0
		return &render.Progress{Out: stderr, Width: width, ASCII: !render.UTF8(os.Getenv)}
	}
}

// screen is where pictures can be drawn in place of each other; nil if they cannot.
func (sh *shell) screen() builtins.Screen {
	if !sh.output.Draws() {
		return nil
	}
	return sh.output
}

// input is a script's standard input. At a prompt there is none: what is typed is for the prompt.
type input struct {
	sh   *shell
	from io.Reader
}

func (in input) Read(p []byte) (int, error) {
	if in.sh.prompt.active() {
		return 0, errors.New("at the prompt standard input is the prompt's own")
	}
	return in.from.Read(p)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && readline.IsTerminal(int(f.Fd()))
}

// close gives up the maps that scripts have left open.
func (sh *shell) close() {
	sh.library.Close()
	sh.closeEngine()
}

// run runs the source, the prompt if it is asked for, and what was deferred. Errors are reported; the one that
// decides the exit status is returned.
func (sh *shell) run(o *options, src source) error {
	err := sh.runSource(o, src)
	var exit *runtime.Exit
	if (src.none || o.interactive) && !errors.As(err, &exit) {
		err = sh.prompt.run(sh, o)
	}
	deferred := sh.session.Finish()
	sh.report(deferred)
	if err == nil {
		err = deferred
	}
	if o.dryRun && !brokenPipe(err) {
		planned := sh.plan(err)
		sh.report(planned)
		if err == nil {
			err = planned
		}
	}
	return err
}

// plan prints what would have changed. err is what the run came to.
func (sh *shell) plan(err error) error {
	var exit *runtime.Exit
	if err != nil && !errors.As(err, &exit) {
		sh.session.Warn("bpfsh: it ended in an error: the plan is what would have changed up to there")
	}
	return errors.Join(sh.library.WritePlan(), sh.session.Flush())
}

func (sh *shell) runSource(o *options, src source) error {
	var err error
	switch {
	case src.none:
		return nil
	case src.code || o.interactive:
		err = sh.runChunk(src)
		if err == nil && src.then != nil {
			return sh.runSource(o, *src.then)
		}
	default:
		err = sh.session.Run(src.name, src.text)
	}
	sh.report(err)
	return err
}

// report reports an error, unless it is that nobody reads what is printed any more.
func (sh *shell) report(err error) {
	if !brokenPipe(err) {
		sh.session.Report(err)
	}
}

// brokenPipe says that a run ended because nobody reads its output.
func brokenPipe(err error) bool {
	var sig *signalError
	return errors.As(err, &sig) && sig.Signal == unix.SIGPIPE || errors.Is(err, unix.EPIPE)
}

// runChunk runs code whose names stay, and prints the value that it ends in.
func (sh *shell) runChunk(src source) error {
	sh.session.Source(src.name, string(src.text))
	f, err := runtime.ChunkOptions().Parse(src.name, src.text, 0)
	if err != nil {
		return err
	}
	if !src.code {
		return sh.session.Chunk(f, nil)
	}
	return sh.session.Chunk(f, func(v starlark.Value) error { return render.Write(sh.session.Output(), v, sh.display()) })
}

// displayOptions are how values are written to a stream: as a table on a terminal, and elsewhere so that cut and awk
// read them, unless a format is asked for. A terminal's width is asked for each time.
func (sh *shell) displayOptions(asked *options, stdout io.Writer) func() render.Options {
	first := render.Options{Terminal: isTerminal(stdout), Pictures: sh.library.Picture}
	switch f, err := render.ParseFormat(asked.format); {
	case err == nil:
		first.Format = f
	case asked.hostField:
		first.Format = render.FormatJSONL
	case !first.Terminal:
		first.Format = render.FormatTSV
	}
	if asked.hostField {
		first.Host = sh.hostname()
	}
	return func() render.Options {
		o := first
		o.Context = sh.session.Context()
		if sh.format != nil {
			o.Format = *sh.format
		}
		o.Terminal = o.Terminal && sh.output.Terminal()
		o.ASCII = !render.UTF8(os.Getenv)
		o.Color = colored(asked.color, o.Terminal, os.Getenv)
		if f, ok := stdout.(interface{ Fd() uintptr }); ok && o.Terminal {
			o.Width, _, _ = readline.GetSize(int(f.Fd())) // of a terminal that does not tell: 0
		}
		return o
	}
}

// hostname is what lines of JSON say they are from. Where the machine does not tell, that is said once.
func (sh *shell) hostname() string {
	name, err := os.Hostname()
	if err != nil {
		sh.session.Warn("bpfsh: --host-field: " + err.Error())
		return "unknown"
	}
	return name
}

// setFormat is .mode at the prompt: how values are written from then on. "" only asks.
func (sh *shell) setFormat(name string) (now string, err error) {
	if name != "" {
		f, err := render.ParseFormat(name)
		if err != nil {
			return "", err
		}
		sh.format = &f
	}
	return sh.display().Format.String(), nil
}
