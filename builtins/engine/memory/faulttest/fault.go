package faulttest

import (
	"sync"

	"bpfsh/builtins/engine"
)

// Fault is a call that fails. The zero value is none.
type Fault struct {
	Op  string // one of Operations
	Nth int    // which call of it, from 1
	Err error
	// Part is how many entries a batch that writes or removes has done before it fails.
	Part int
}

// Operations are the methods of an engine and of its maps that can fail.
var Operations = []string{
	"Create", "OpenID", "OpenPin", "NextID", "CPUs", "Clock", "Counts", "Holders", "Pinnable", "Unpin",
	"Program", "ProgramPin", "NextProgram", "Path", "Process", "Descriptor",
	"Frozen", "Memory", "Owner", "Lookup", "NextKey", "LookupBatch", "ReadAt", "Tap", "Close",
	"Update", "WriteAt", "Consume", "Delete", "LookupAndDelete", "LookupAndDeleteBatch", "UpdateBatch", "DeleteBatch", "Freeze", "Pin",
	"ProgramLookup", "ProgramLookupPerCPU", "ProgramPeek", "ProgramCount", "ProgramEntries",
	"ProgramUpdate", "ProgramDelete", "ProgramPush", "ProgramPop", "ProgramOutput", "ProgramAdd",
}

// Engine is another engine with a fault. Its maps may be used by several goroutines, each by one.
type Engine struct {
	// Heard is told what each call has come to: of which operation, on which map, where it is not one of the engine, and
	// on which it opens, where it opens one. Calls of it follow each other; nil: nobody listens.
	Heard func(op string, on *engine.Info, err error)

	next  engine.Engine
	fault Fault

	mu    sync.Mutex
	calls map[string]int
}

// New puts a fault before an engine.
func New(next engine.Engine, fault Fault) *Engine {
	return &Engine{next: next, fault: fault, calls: map[string]int{}}
}

// Calls is how often an operation was called, on the engine and all its maps together.
func (e *Engine) Calls(op string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.calls[op]
}

// Failed says whether the fault was met.
func (e *Engine) Failed() bool { return e.fault.Nth > 0 && e.Calls(e.fault.Op) >= e.fault.Nth }

// answer tells who listens of an error, which it returns.
func (e *Engine) answer(op string, on *engine.Info, err error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.Heard != nil {
		e.Heard(op, on, err)
	}
	return err
}

// call counts a call, and is the error that it is to answer.
func (e *Engine) call(op string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls[op]++
	if op == e.fault.Op && e.calls[op] == e.fault.Nth {
		return e.fault.Err
	}
	return nil
}
