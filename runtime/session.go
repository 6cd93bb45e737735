package runtime

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"bpfsh/runtime/method"

	"go.starlark.net/lib/json"
	starlarkmath "go.starlark.net/lib/math"
	starlarktime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Config is what a session takes from the world around it. The zero value discards all output and sets no limit.
type Config struct {
	Stdin  io.Reader // what lines("-") reads; nil is empty
	Stdout io.Writer // what scripts print
	Stderr io.Writer // warnings
	// These make text harmless where a stream is a terminal. nil: it gets every byte as it is.
	EscapeStdout, EscapeStderr func(string) string
	// Emphasize makes the first line of an error's report stand out, once it is harmless; nil leaves it as it is.
	Emphasize func(line string) string
	// Hint helps with the message of an error that has no hint of its own; nil, and "": nothing does.
	Hint func(message string) string
	// Live says that somebody watches Stdout: each line goes out at once.
	Live bool

	Predeclared starlark.StringDict // what scripts find beside the session's own functions
	Topics      []method.Topic      // what help lists before the session's own
	// Alias is the name of what explains a word that is none of them, such as a type's; "": nothing does. nil: there are none.
	Alias func(word string) string
	Args  []string // the script's words
	// Enter is called where a script runs another one, and what it returns when that has ended; nil: nobody wants to know.
	Enter func() (leave func())

	Timeout  time.Duration // of one run; 0: none. Deferred calls get as long again, together.
	MaxSteps uint64        // of one run; 0: no limit. Deferred calls get as many again, together.
	// Stuck is called, from another goroutine, where a run goes on some time after it was interrupted for cause:
	// a function of Go, such as max of a range, cannot be stopped. nil leaves it alone.
	Stuck func(cause error)
}

// patience is how long a run may take to end when it was told to.
const patience = 2 * time.Second

// Session runs scripts, one after the other, on one Starlark thread.
type Session struct {
	cfg         Config
	thread      *starlark.Thread
	stdin       *input
	predeclared starlark.StringDict
	topics      []method.Topic
	script      *script // that runs
	modules     map[string]*module
	sources     map[string]string // by file name, for reports
	deferred    []deferredCall
	deferredBy  string              // the file that has deferred what runs now
	globals     starlark.StringDict // of Chunk

	output sync.Mutex // guards out
	out    *bufio.Writer

	mu      sync.Mutex              // guards the rest
	running context.Context         // nil when nothing runs
	runs    int                     // that have begun
	cancel  context.CancelCauseFunc // of running
	breaks  context.CancelCauseFunc // of the Breakable that it is in; nil: it is in none
	stuck   *time.Timer             // nil unless what runs was interrupted
}

// options are the dialect, the same everywhere.
var options = &syntax.FileOptions{Set: true, While: true, TopLevelControl: true, GlobalReassign: true, Recursion: true}

// New makes a session.
func New(cfg Config) *Session {
	if cfg.Stdout == nil {
		cfg.Stdout = io.Discard
	}
	if cfg.Stderr == nil {
		cfg.Stderr = io.Discard
	}
	s := &Session{
		cfg:     cfg,
		out:     bufio.NewWriterSize(cfg.Stdout, 64<<10),
		script:  &script{words: cfg.Args},
		modules: map[string]*module{},
		sources: map[string]string{},
	}
	s.stdin = newInput(func() (io.ReadCloser, error) {
		if cfg.Stdin == nil {
			return nil, io.EOF
		}
		return io.NopCloser(cfg.Stdin), nil
	})
	s.thread = &starlark.Thread{Name: "bpfsh", Load: s.load, Print: s.print}
	s.thread.SetLocal(sessionKey, s)
	s.thread.OnMaxSteps = func(*starlark.Thread) { s.Interrupt(ErrSteps) }
	s.predeclared = starlark.StringDict{
		"json": json.Module, "math": starlarkmath.Module, "time": starlarktime.Module,
		"args": stringList(cfg.Args),
	}
	maps.Copy(s.predeclared, method.Functions(s, functions()))
	maps.Copy(s.predeclared, cfg.Predeclared)
	s.topics = append(slices.Clone(cfg.Topics), Topics()...)
	s.globals = maps.Clone(s.predeclared)
	return s
}

// functions are the rows of what every script can call.
func functions() []method.Row[*Session] {
	return slices.Concat(controlFunctions, optionFunctions, scriptFunctions, fileFunctions, processFunctions, hexadecimalFunctions, helpFunctions)
}

// Topics are the session's own functions, as help groups them.
func Topics() []method.Topic {
	return []method.Topic{
		{Name: "control", Doc: "Errors, cleaning up and ending.", Entries: method.Entries("function", controlFunctions)},
		{Name: "scripts", Doc: "What a script is called with, and calling one.", Entries: method.Entries("function", slices.Concat(optionFunctions, scriptFunctions))},
		{Name: "files", Doc: "Files and standard input.", Entries: method.Entries("function", fileFunctions)},
		{Name: "process", Doc: "The process and its machine.", Entries: method.Entries("function", processFunctions)},
		{Name: "bytes", Doc: "Bytes as text.", Entries: method.Entries("function", hexadecimalFunctions)},
		{Name: "names", Doc: "What is there beside functions.", Entries: []method.Entry{
			{Kind: "constant", Name: "args", Doc: "The script's words, a list of strings."},
			{Kind: "constant", Name: "json", Doc: "json.encode, json.decode and json.indent; integers stay exact."},
			{Kind: "constant", Name: "math", Doc: "math.sqrt, math.ceil, math.pi and other functions of floats."},
			{Kind: "constant", Name: "time", Doc: "time.now, time.parse_duration, time.from_timestamp and the like."},
		}},
		{Name: "help", Doc: "This help.", Entries: method.Entries("function", helpFunctions)},
	}
}

// Globals are the names that Chunk reads and sets.
func (s *Session) Globals() starlark.StringDict { return s.globals }

// print is Starlark's print.
func (s *Session) print(_ *starlark.Thread, msg string) {
	if s.cfg.EscapeStdout != nil {
		msg = s.cfg.EscapeStdout(msg)
	}
	s.output.Lock()
	defer s.output.Unlock()
	s.out.WriteString(msg) // an error stays in the writer until Flush
	s.out.WriteByte('\n')
	if s.cfg.Live {
		s.out.Flush()
	}
}

// Output is where print writes, for text that a terminal may have as it is: it is not escaped. It may be kept.
func (s *Session) Output() io.Writer { return output{s} }

type output struct{ s *Session }

func (o output) Write(p []byte) (int, error) {
	o.s.output.Lock()
	defer o.s.output.Unlock()
	n, err := o.s.out.Write(p)
	if err == nil && o.s.cfg.Live {
		err = o.s.out.Flush()
	}
	return n, err
}

// Print writes a line to the session's output, as the script's print does.
func (s *Session) Print(text string) { s.print(s.thread, text) }

// Warn writes a line to the session's standard error, behind what was printed before.
func (s *Session) Warn(text string) { s.complain(s.harmless(text)) }

// harmless is a text as standard error may have it.
func (s *Session) harmless(text string) string {
	if s.cfg.EscapeStderr != nil {
		return s.cfg.EscapeStderr(text)
	}
	return text
}

func (s *Session) complain(text string) {
	s.output.Lock()
	defer s.output.Unlock()
	s.out.Flush()
	fmt.Fprintln(s.cfg.Stderr, text)
}

// Flush writes out what was printed. The error is of any write since the last call. It may be called from any
// goroutine.
func (s *Session) Flush() error {
	s.output.Lock()
	defer s.output.Unlock()
	if err := s.out.Flush(); err != nil {
		s.out.Reset(s.cfg.Stdout)
		return fmt.Errorf("writing to standard output: %w", err)
	}
	return nil
}

// Run executes a file's source as a script. name is what errors call it, and where load looks for others.
func (s *Session) Run(name string, source []byte) error {
	s.sources[name] = string(source)
	path := filepath.Clean(name)
	s.modules[path] = &module{} // it must not load itself
	defer delete(s.modules, path)
	return s.run(s.limits(), func() error {
		_, err := starlark.ExecFileOptions(options, s.thread, name, source, s.predeclared)
		return err
	})
}

// ChunkOptions is the dialect of chunks: load binds names for all later chunks.
func ChunkOptions() *syntax.FileOptions {
	o := *options
	o.LoadBindsGlobally = true
	return &o
}

// Chunk executes statements that share their names with earlier and later chunks. If the last is an expression
// whose value is not None, the value is _ from then on, and echo shows it; nil shows nothing.
func (s *Session) Chunk(f *syntax.File, echo func(starlark.Value) error) error {
	return s.run(s.limits(), func() error {
		defer s.keepGlobals()
		var last *syntax.ExprStmt
		if n := len(f.Stmts); n > 0 {
			if e, ok := f.Stmts[n-1].(*syntax.ExprStmt); ok {
				last = e
				f.Stmts = f.Stmts[:n-1]
			}
		}
		if len(f.Stmts) > 0 {
			if err := starlark.ExecREPLChunk(f, s.thread, s.globals); err != nil {
				return err
			}
		}
		if last == nil {
			return nil
		}
		value, err := starlark.EvalExprOptions(f.Options, s.thread, last.X, s.globals)
		if err != nil || value == starlark.None {
			return err
		}
		s.globals["_"] = value
		if echo == nil {
			return nil
		}
		if err := echo(value); err != nil {
			return fmt.Errorf("showing the value: %w", err)
		}
		return nil
	})
}

// keepGlobals saves what a chunk had set when an iterator's failure unwinds it: ExecREPLChunk would forget it.
func (s *Session) keepGlobals() {
	x := recover()
	if x == nil {
		return
	}
	if f, ok := x.(failure); ok && f.top != nil {
		maps.Copy(s.globals, f.top.Globals())
	}
	panic(x)
}

// Source gives the report the text of a line.
func (s *Session) Source(name, text string) { s.sources[name] = text }
