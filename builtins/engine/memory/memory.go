package memory

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// Engine has maps of its own, which end with it. The zero value is ready for use, by several goroutines.
type Engine struct {
	// BPFFS is the directory that maps can be pinned in; "" is /sys/fs/bpf. It is not looked for: the pins are the
	// engine's, and nobody else sees them.
	BPFFS string
	// Processors is the number of possible CPUs; 0 is the machine's.
	Processors int
	// First is the least id that Create gives; 0 is 1.
	First uint32

	mu   sync.Mutex // holds for all maps
	maps []*object  // in the order of their ids
	last uint32     // the last id that was given
	pins map[string]*object
}

var _ engine.Engine = (*Engine)(nil)

// OpenID opens the map with an id.
func (e *Engine) OpenID(id uint32, readonly bool) (engine.Map, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	o := e.find(id)
	if o == nil {
		return nil, unix.ENOENT
	}
	return o.open(access{read: true, write: !readonly}, readonly), nil
}

// NextID is the least id of a map that is greater than id.
func (e *Engine) NextID(id uint32) (uint32, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i, found := e.search(id)
	if found {
		i++
	}
	if i == len(e.maps) {
		return 0, unix.ENOENT
	}
	return e.maps[i].info.ID, nil
}

// Counts are the numbers of entries of hashes.
func (e *Engine) Counts() (map[uint32]int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	counts := map[uint32]int{}
	for _, o := range e.maps {
		if engine.KindOf(o.info.Type).Counted {
			counts[o.info.ID] = o.table.count()
		}
	}
	return counts, nil
}

// Holders are the pins, and this process where it has a handle. There are no programs.
func (e *Engine) Holders() (engine.Holders, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var h engine.Holders
	h.Pins.By, h.Processes.By = map[uint32][]string{}, map[uint32][]engine.Process{}
	for _, name := range slices.Sorted(maps.Keys(e.pins)) {
		id := e.pins[name].info.ID
		h.Pins.By[id] = append(h.Pins.By[id], filepath.Join(e.root(), name))
	}
	self := engine.ThisProcess()
	for _, o := range e.maps {
		if o.handles > 0 {
			h.Processes.By[o.info.ID] = []engine.Process{self}
		}
	}
	return h, nil
}

// Missing is "": no capability is needed.
func (e *Engine) Missing(*engine.Right) string { return "" }

// Clock reads CLOCK_MONOTONIC.
func (e *Engine) Clock() (uint64, error) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return 0, err
	}
	return uint64(now.Nano()), nil
}

// CPUs is the number of possible CPUs.
func (e *Engine) CPUs() (int, error) {
	if e.Processors > 0 {
		return e.Processors, nil
	}
	return possibleCPUs(), nil
}

// possibleCPUs is how many CPUs the machine can have, which may be more than those that are online.
var possibleCPUs = sync.OnceValue(func() int {
	text, _ := os.ReadFile("/sys/devices/system/cpu/possible")
	line := strings.TrimSpace(string(text)) // such as 0-7
	last, err := strconv.Atoi(line[strings.LastIndexAny(line, "-,")+1:])
	if err != nil {
		return runtime.NumCPU()
	}
	return last + 1
})

func (e *Engine) search(id uint32) (int, bool) {
	return slices.BinarySearchFunc(e.maps, id, func(o *object, id uint32) int { return cmp.Compare(o.info.ID, id) })
}

// find is the map with an id; nil if there is none.
func (e *Engine) find(id uint32) *object {
	if i, found := e.search(id); found {
		return e.maps[i]
	}
	return nil
}
