package kernel

import (
	"errors"

	"bpfsh/builtins/engine"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// descriptor is a file descriptor that an entry takes.
type descriptor struct{ fd int }

func (d descriptor) Value() uint32 { return uint32(d.fd) }
func (d descriptor) Close() error  { return unix.Close(d.fd) }

// program is a descriptor of a program.
type program struct{ *ebpf.Program }

func (p program) Value() uint32 { return uint32(p.FD()) }

// Value is the map's descriptor, which a map of maps takes.
func (m *kernelMap) Value() uint32 { return uint32(m.fd) }

// Program opens the program with an id.
func (e *Engine) Program(id uint32) (engine.Handle, engine.Program, error) {
	p, err := ebpf.NewProgramFromID(ebpf.ProgramID(id))
	if err != nil {
		return nil, engine.Program{}, errnoOf(err)
	}
	return describeProgram(p)
}

// ProgramPin opens the program that is pinned at path.
func (e *Engine) ProgramPin(path string) (engine.Handle, engine.Program, error) {
	p, err := ebpf.LoadPinnedProgram(path, nil)
	switch errno := errnoOf(err); {
	case err == nil:
		return describeProgram(p)
	case errno == unix.EACCES:
		return nil, engine.Program{}, notPinned(path)
	case errno == err:
		return nil, engine.Program{}, errors.New("another kind of object is pinned there, not a program")
	default:
		return nil, engine.Program{}, errno
	}
}

func describeProgram(p *ebpf.Program) (engine.Handle, engine.Program, error) {
	info, err := p.Info()
	if err != nil {
		p.Close()
		return nil, engine.Program{}, errnoOf(err)
	}
	id, _ := info.ID() // every kernel that bpfsh runs on tells it
	return program{p}, engine.Program{ID: uint32(id), Name: info.Name, Type: uint32(info.Type)}, nil
}

// NextProgram is the least id of a program that is greater than id.
func (e *Engine) NextProgram(id uint32) (uint32, error) {
	next, err := ebpf.ProgramGetNextID(ebpf.ProgramID(id))
	if err != nil {
		return 0, errnoOf(err)
	}
	return uint32(next), nil
}

// Path opens a file or a directory, for nothing but to say which it is.
func (e *Engine) Path(path string) (engine.Handle, error) {
	return opened(unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)) // which does nothing to a device
}

// Process opens a process.
func (e *Engine) Process(pid uint32) (engine.Handle, error) {
	return opened(unix.PidfdOpen(int(pid), 0))
}

// Descriptor copies a descriptor of a process, which CAP_SYS_PTRACE permits for those of others.
func (e *Engine) Descriptor(pid, fd uint32) (engine.Handle, error) {
	process, err := unix.PidfdOpen(int(pid), 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(process)
	return opened(unix.PidfdGetfd(process, int(fd), 0))
}

func opened(fd int, err error) (engine.Handle, error) {
	if err != nil {
		return nil, err
	}
	return descriptor{fd}, nil
}
