package engine

import (
	"os"
	"strings"
)

// Process is a process that has a map open.
type Process struct {
	PID  uint32
	Comm string // as the kernel has it, which is what the process likes
}

// Held is the holders of one sort, by the ids of the maps. A map without any is not in it.
type Held[T any] struct {
	By map[uint32][]T
	// Partial: there may be more than this process is permitted to see.
	Partial bool
}

// Of are the holders of a map. known is false where none was found, and some may not have been seen.
func (h Held[T]) Of(id uint32) (list []T, known bool) {
	list = h.By[id]
	return list, len(list) > 0 || !h.Partial
}

// Holders are what keeps maps there, but for the maps that others are in.
type Holders struct {
	// Pins are the paths in every bpffs of this mount namespace, and in the directories that the engine has pinned or
	// opened something in; in order.
	Pins Held[string]
	// Programs are those that use the map, by their ids.
	Programs Held[Program]
	// Processes are those with a descriptor of the map, by their ids. A map that is mapped to memory alone is not seen.
	Processes Held[Process]
	// Hidden are the ids of processes that this one may not look into.
	Hidden []uint32
}

// ThisProcess is the process that asks.
func ThisProcess() Process {
	comm, _ := os.ReadFile("/proc/self/comm") // where there is no /proc it has no name
	return Process{PID: uint32(os.Getpid()), Comm: strings.TrimSuffix(string(comm), "\n")}
}
