package dryrun

import (
	"errors"
	"sync"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/memory"

	"golang.org/x/sys/unix"
)

// FirstID is the least id of the maps that are made here. Kernels give ids up to 1<<31 - 1.
const FirstID = 1 << 31

// Engine is another engine without its writes, which are planned.
type Engine struct {
	engine.Objects
	next   engine.Engine
	copies *memory.Engine
	lacks  map[*engine.Right]string // of the rights what this process lacks

	mu      sync.Mutex         // holds for what follows, and for the targets
	targets map[uint32]*target // by id
	pins    map[string]*target // what was decided about paths; nil: nothing is pinned there any more
	mounts  map[string]bool    // where a bpffs would have been mounted
	steps   []step
}

var _ engine.Engine = (*Engine)(nil)

// New puts the wrapper before an engine.
func New(next engine.Engine) *Engine {
	cpus, _ := next.CPUs() // where they are not known, neither are those of a per-CPU map
	e := &Engine{
		Objects: next, next: next, copies: &memory.Engine{First: FirstID, Processors: cpus},
		targets: map[uint32]*target{}, pins: map[string]*target{}, mounts: map[string]bool{},
		lacks: map[*engine.Right]string{},
	}
	for _, r := range engine.Rights {
		if lacks := next.Missing(r); lacks != "" {
			e.lacks[r] = lacks
		}
	}
	return e
}

func (e *Engine) CPUs() (int, error)             { return e.next.CPUs() }
func (e *Engine) Missing(r *engine.Right) string { return e.next.Missing(r) }
func (e *Engine) Clock() (uint64, error)         { return e.next.Clock() }

// Create makes a map that is in the plan alone. A process without the right is refused where the kernel refuses it: behind
// what is wrong with the map itself.
func (e *Engine) Create(spec engine.Spec) (engine.Map, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.lacks[engine.KeepingTypes] != "" {
		spec.Key, spec.Value = nil, nil
	}
	m, err := e.copies.Create(spec)
	if (err == nil || errors.Is(err, memory.ErrNoType)) && e.lacks[spec.Making()] != "" {
		if m != nil {
			m.Close()
		}
		return nil, unix.EPERM
	}
	if err != nil {
		return nil, lacksType(err, "what making one comes to, since only a kernel has this type")
	}
	t := &target{e: e, info: *m.Info(), created: &spec, filled: true}
	t.key, t.value = m.Types()
	e.targets[t.info.ID] = t
	e.plan(step{op: engine.Created, target: t})
	h, err := e.attach(t, nil, m)
	if err != nil {
		m.Close()
	}
	return h, err
}

// OpenID opens the map with an id.
func (e *Engine) OpenID(id uint32, readonly bool) (engine.Map, error) {
	if id >= FirstID {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.lacks[engine.Finding] != "" {
			return nil, unix.EPERM
		}
		return e.openCreated(id, readonly)
	}
	real, err := e.next.OpenID(id, true)
	return e.open(real, err, "", readonly)
}

// open makes a handle on a map of the other engine, if that could be opened. path is that of its pin, where it was opened by
// that.
func (e *Engine) open(real engine.Map, err error, path string, readonly bool) (engine.Map, error) {
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	t := e.target(real.Info())
	if path != "" {
		t.path = path
	}
	h, err := e.attach(t, real, nil)
	if err != nil {
		return nil, err
	}
	h.info.ReadOnly = readonly
	return h, nil
}

// openCreated makes a handle on a map that was made here. The lock is held.
func (e *Engine) openCreated(id uint32, readonly bool) (engine.Map, error) {
	m, err := e.copies.OpenID(id, readonly)
	if err != nil {
		return nil, err
	}
	h, err := e.attach(e.targets[id], nil, m)
	if err != nil {
		m.Close()
		return nil, err
	}
	return h, nil
}

// target is the state of a map of the other engine. The lock is held.
func (e *Engine) target(info *engine.Info) *target {
	t := e.targets[info.ID]
	if t == nil {
		t = &target{e: e, info: *info}
		t.info.ReadOnly = false
		e.targets[info.ID] = t
	}
	return t
}

// attach makes a handle. The lock is held.
func (e *Engine) attach(t *target, real, planned engine.Map) (*handle, error) {
	h := &handle{target: t, info: t.info, real: real, planned: planned}
	if planned != nil {
		h.info.ReadOnly = planned.Info().ReadOnly
	}
	t.handles++
	return h, t.hold()
}

// NextID is the least id of a map that is greater than id: first come those of the other engine.
func (e *Engine) NextID(id uint32) (uint32, error) {
	if id < FirstID {
		next, err := e.next.NextID(id)
		if err != unix.ENOENT {
			return next, err
		}
	}
	return e.copies.NextID(max(id, FirstID-1))
}

// Counts are those of the other engine, with those of the copies and of the maps that were made here.
func (e *Engine) Counts() (map[uint32]int, error) {
	counts, err := e.next.Counts()
	if err != nil {
		return nil, err
	}
	planned, err := e.copies.Counts()
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, n := range planned {
		if e.targets[id].filled {
			counts[id] = n
		}
	}
	return counts, nil
}
