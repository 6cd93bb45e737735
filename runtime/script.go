package runtime

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"

	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

var scriptFunctions = []method.Row[*Session]{{
	Name:   "run",
	Params: "script, *words",
	Doc: "Run another script as the command would, and return its exit status.\n" +
		"Its names are its own, args are the words, and what it deferred runs when it ends. What goes wrong in it is reported, and is " +
		"a status of 1 to the caller; interrupts and limits end both. As root it is a failure if others can write the script than can write " +
		"the one that runs it.",
	Example: `write("greet.star", 'print("hello", args[0])')
if run("greet.star", "world") != 0:
    exit(1)`,
	Run: (*Session).runScript,
}}

// script is what runs now.
type script struct {
	path  string   // "" of what the session was given to run
	words []string // its args
	depth int      // of the call stack below it
	outer *script
}

// runScript runs a file inside of the run that asks for it: on the same thread, with the same limits.
func (s *Session) runScript(c method.Call) (starlark.Value, error) {
	name, err := c.String(0, "script")
	if err != nil {
		return nil, err
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	for up := s.script; up != nil; up = up.outer {
		if up.path == path {
			return nil, fmt.Errorf("%s: %s runs itself", c.Name, filepath.Base(name))
		}
	}
	source, err := ReadTrusted(name, s.callerFile(c.Thread))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	s.sources[name] = string(source)

	if s.cfg.Enter != nil {
		defer s.cfg.Enter()()
	}
	predeclared, modules, deferred := s.predeclared, s.modules, s.deferred
	s.script = &script{path: path, depth: c.Thread.CallStackDepth(), outer: s.script}
	for _, word := range c.Rest {
		text, ok := starlark.AsString(word)
		if !ok {
			text = word.String()
		}
		s.script.words = append(s.script.words, text)
	}
	s.predeclared, s.modules, s.deferred = maps.Clone(predeclared), map[string]*module{}, nil
	s.predeclared["args"] = stringList(s.script.words)
	status, err := s.statusOf(c.Thread, func() error {
		_, err := starlark.ExecFileOptions(options, c.Thread, name, source, s.predeclared)
		return err
	})
	for err == nil && len(s.deferred) > 0 {
		d := s.deferred[len(s.deferred)-1]
		s.deferred = s.deferred[:len(s.deferred)-1]
		var late int
		late, err = s.statusOf(c.Thread, func() error {
			_, err := d.call(s, c.Thread)
			return err
		})
		if status == 0 {
			status = late
		}
	}
	// What a run that was stopped has deferred runs when the session ends.
	s.predeclared, s.modules, s.deferred, s.script = predeclared, modules, append(deferred, s.deferred...), s.script.outer
	return starlark.MakeInt(status), err
}

// statusOf runs a part of a script that another one runs, and reports its error. The error is one that ends both.
func (s *Session) statusOf(thread *starlark.Thread, f func() error) (status int, err error) {
	err = guard(f)
	var exit *Exit
	if err != nil && !errors.As(err, &exit) && passes(thread, err) {
		return 0, err
	}
	var eval *starlark.EvalError
	if errors.As(err, &eval) { // how the caller came here is not the script's
		eval.CallStack = eval.CallStack[min(s.script.depth, len(eval.CallStack)):]
	}
	s.Report(err)
	return Status(err), nil
}

// callerFile is the file whose code calls a function, or has deferred the call.
func (s *Session) callerFile(thread *starlark.Thread) string {
	if frames := s.frames(thread); len(frames) > 0 {
		return frames[len(frames)-1].Pos.Filename()
	}
	return s.deferredBy
}

// frames are the script's part of the call stack.
func (s *Session) frames(thread *starlark.Thread) []starlark.CallFrame {
	return scriptFrames(thread.CallStack()[s.script.depth:])
}

func stringList(texts []string) *starlark.List {
	values := make([]starlark.Value, len(texts))
	for i, text := range texts {
		values[i] = starlark.String(text)
	}
	return starlark.NewList(values)
}
