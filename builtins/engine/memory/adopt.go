package memory

import (
	"slices"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// Adopt makes a map that stands for one of another engine, under the id that it has there, which must be less than
// First. It is empty: Fill gives it its entries. EEXIST: there is a map with this id.
func (e *Engine) Adopt(id uint32, spec engine.Spec, frozen bool) (engine.Map, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	at, found := e.search(id)
	if found {
		return nil, unix.EEXIST
	}
	o, err := e.object(&spec)
	if err != nil {
		return nil, err
	}
	o.info.ID, o.frozen = id, frozen
	e.maps = slices.Insert(e.maps, at, o)
	return o.open(access{read: true, write: true}, false), nil
}

// Fill writes n entries to the map with an id, also to one that is frozen, and returns how many it wrote.
func (e *Engine) Fill(id uint32, keys, values []byte, n int) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	o := e.find(id)
	if o == nil {
		return 0, unix.ENOENT
	}
	if err := o.entries(keys, values, n); err != nil {
		return 0, err
	}
	k, v := int(o.info.KeySize), o.info.Stride()
	for i := range n {
		if err := o.table.update(keys[i*k:(i+1)*k], values[i*v:(i+1)*v], unix.BPF_ANY, allCPUs); err != nil {
			return i, err
		}
	}
	return n, nil
}
