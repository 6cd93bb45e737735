package dryrun

import (
	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// Tap takes nothing, and so reads the other engine's records. A map that was made here has none.
func (h *handle) Tap(from uint64) (engine.Stream, error) { return h.kept().Tap(from) }

// Consume would take records from whoever reads them now.
func (h *handle) Consume(int) (engine.Stream, error) {
	if h.target.kind().Values == engine.Events && h.target.e.lacks[engine.Listening] != "" && !h.info.ReadOnly {
		return nil, unix.EPERM
	}
	return nil, h.sends("which records come: a dry run takes none")
}

// ProgramOutput would send a record to whoever reads them.
func (h *handle) ProgramOutput([]byte, int) error {
	if err := h.loads("output"); err != nil && !h.info.ReadOnly {
		return err
	}
	return h.sends("whether there is room for the record: a dry run sends none")
}

// sends refuses what is done with records: of a map that has none, as the kernel does.
func (h *handle) sends(unknown string) error {
	h.target.e.mu.Lock()
	defer h.target.e.mu.Unlock()
	switch {
	case h.closed:
		return unix.EBADF
	case !h.target.kind().Streams:
		return engine.NotSupported
	case h.info.ReadOnly:
		return unix.EPERM
	}
	return &engine.UnknownError{What: unknown}
}
