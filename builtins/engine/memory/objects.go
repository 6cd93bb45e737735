package memory

import (
	"errors"

	"bpfsh/builtins/engine"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// errMapsAlone is the answer for every object that is no map.
var errMapsAlone = errors.New("the memory engine has maps alone, no programs and no other objects")

// Value is the map's id.
func (h *handle) Value() uint32 { return h.info.ID }

// Owner is 0: there are no programs.
func (h *handle) Owner() (uint32, error) {
	h.engine.mu.Lock()
	defer h.engine.mu.Unlock()
	if h.object == nil {
		return 0, unix.EBADF
	}
	return 0, nil
}

// Spec is nil: maps keep the types of their keys and values alone.
func (h *handle) Spec() *btf.Spec { return nil }

// Program finds none, and neither do the others.
func (e *Engine) Program(uint32) (engine.Handle, engine.Program, error) {
	return nil, engine.Program{}, errMapsAlone
}

func (e *Engine) ProgramPin(string) (engine.Handle, engine.Program, error) {
	return nil, engine.Program{}, errMapsAlone
}

func (e *Engine) NextProgram(uint32) (uint32, error)            { return 0, unix.ENOENT }
func (e *Engine) Path(string) (engine.Handle, error)            { return nil, errMapsAlone }
func (e *Engine) Process(uint32) (engine.Handle, error)         { return nil, errMapsAlone }
func (e *Engine) Descriptor(_, _ uint32) (engine.Handle, error) { return nil, errMapsAlone }
