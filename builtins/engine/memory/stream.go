package memory

import (
	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// Tap finds no records: no type here has any.
func (h *handle) Tap(uint64) (engine.Stream, error) { return nil, h.noRecords() }

// Consume finds none either.
func (h *handle) Consume(int) (engine.Stream, error) { return nil, h.noRecords() }

// ProgramOutput has nowhere to send a record.
func (h *handle) ProgramOutput([]byte, int) error { return h.noRecords() }

func (h *handle) noRecords() error {
	h.engine.mu.Lock()
	defer h.engine.mu.Unlock()
	if h.object == nil {
		return unix.EBADF
	}
	return engine.NotSupported
}
