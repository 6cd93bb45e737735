package dryrun

import (
	"path/filepath"
	"slices"

	"bpfsh/builtins/engine"
)

// Holders are those of the other engine, with the pins as they are planned, and this process where it has a handle on
// a map that was made here.
func (e *Engine) Holders() (engine.Holders, error) {
	h, err := e.next.Holders()
	if err != nil {
		return h, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, paths := range h.Pins.By {
		h.Pins.By[id] = slices.DeleteFunc(paths, func(path string) bool {
			_, decided := e.pins[filepath.Clean(path)]
			return decided
		})
		if len(h.Pins.By[id]) == 0 {
			delete(h.Pins.By, id)
		}
	}
	for path, t := range e.pins {
		if t != nil {
			h.Pins.By[t.info.ID] = append(h.Pins.By[t.info.ID], path)
			slices.Sort(h.Pins.By[t.info.ID])
		}
	}
	self := engine.ThisProcess()
	for id, t := range e.targets {
		if t.created != nil && t.handles > 0 {
			h.Processes.By[id] = []engine.Process{self}
		}
	}
	return h, nil
}
