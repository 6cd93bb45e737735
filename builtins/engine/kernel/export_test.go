package kernel

import "bpfsh/builtins/engine"

// EntriesIn copies the entries of a map that fit into a room, and says whether those are all.
func EntriesIn(m engine.Map, room int) (engine.Batch, bool, error) {
	p, err := m.(*kernelMap).program(false)
	if err != nil {
		return engine.Batch{}, false, err
	}
	return p.entries(room, engine.AnyCPU)
}
