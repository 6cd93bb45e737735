package kernel

import (
	"encoding/binary"
	"runtime"
	"slices"

	"bpfsh/builtins/engine"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// programs are what does a map's operations in the kernel: one program for each operation that was asked for, and the
// memory through which keys and values go in and out. They hold the map, and go when its handle is closed.
type programs struct {
	m       *kernelMap
	value   value
	hidden  bool      // the kernel keeps types with the map, and this process may not read them
	control *exchange // of struct control
	keys    *exchange // of one key
	values  *exchange // of one value
	records *exchange // of one record; nil until one is sent
	outer   *ebpf.Map // of a map that is reached through another, see bindsPrograms; nil for the rest
	loaded  map[string]*ebpf.Program
}

// The places in the control exchange.
const (
	controlResult = 0  // s64: what the helper returned
	controlFlags  = 8  // u64
	controlNumber = 16 // u64: what to add, and then what was there
	controlIndex  = 24 // u32: the next place for an entry
	controlZero   = 28 // u32: the key of the only value
	controlSize   = 32
)

// program returns what runs programs on the map; it is made when it is first used. writes says that the program
// changes the map, which a handle that was opened read-only does not do, although the kernel would let it.
func (m *kernelMap) program(writes bool) (*programs, error) {
	switch {
	case m.fd < 0:
		return nil, unix.EBADF
	case writes && m.info.ReadOnly:
		return nil, unix.EPERM
	case m.programs != nil:
		return m.programs, nil
	}
	m.engine.prepare()
	m.engine.askForFeatures()
	p := &programs{m: m, loaded: map[string]*ebpf.Program{}}
	_, typ := m.Types()
	p.value, p.hidden = valueOf(typ, int(m.info.ValueSize)), typ == nil && m.info.BTF
	for _, x := range []struct {
		to   **exchange
		name string
		size uint32
	}{{&p.control, "bpfsh_control", controlSize}, {&p.keys, "bpfsh_key", m.info.KeySize}, {&p.values, "bpfsh_value", m.info.ValueSize}} {
		made, err := newExchange(x.name, x.size, 1)
		if err != nil {
			p.close()
			return nil, p.denied(err)
		}
		*x.to = made
	}
	if bindsPrograms(&m.info) {
		var err error
		if p.outer, err = m.inside(); err != nil {
			p.close()
			return nil, p.denied(err)
		}
	}
	m.programs = p
	return p, nil
}

// denied says what is missing where the memory for programs is not permitted.
func (p *programs) denied(err error) error {
	if err == unix.EPERM {
		return &engine.LoadError{Errno: unix.EPERM, Missing: missing(p.right(operation{}))}
	}
	return err
}

// close gives up the programs and the memory. It may be called on a part.
func (p *programs) close() {
	for _, prog := range p.loaded {
		prog.Close()
	}
	for _, x := range []*exchange{p.control, p.keys, p.values, p.records} {
		if x != nil {
			x.close()
		}
	}
	if p.outer != nil {
		p.outer.Close()
	}
}

// do runs the operation of a helper. key and in are copied in before it, and out is copied out behind it, where they
// are not nil.
func (m *kernelMap) do(op operation, key, in, out []byte, flags uint64, cpu int) error {
	p, err := m.program(op.writes)
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(p) // the memory goes with it
	prog, err := p.load(op)
	if err != nil {
		return err
	}
	binary.NativeEndian.PutUint64(p.control.at(0)[controlFlags:], flags)
	copy(p.keys.at(0), key)
	clear(p.values.at(0)) // what a helper does not write must not come from another run
	copy(p.values.at(0), in)
	if _, err := p.run(prog, cpu); err != nil {
		return err
	}
	copy(out, p.values.at(0))
	return nil
}

// run runs a program once, and returns what the helper returned.
func (p *programs) run(prog *ebpf.Program, cpu int) (int64, error) {
	err := onCPU(cpu, func() error {
		// Programs on packets want a packet, of at least an Ethernet header.
		_, err := prog.Run(&ebpf.RunOptions{Data: make([]byte, 64)})
		return errnoOf(err)
	})
	if err != nil {
		return 0, err
	}
	// Helpers returned int until Linux 6.1, which leaves nothing in the upper half.
	result := int64(int32(binary.NativeEndian.Uint64(p.control.at(0)[controlResult:])))
	if result < 0 {
		return 0, unix.Errno(-result)
	}
	return result, nil
}

func (m *kernelMap) ProgramLookup(key, value []byte, cpu int) error {
	return m.do(opLookup, key, nil, value, 0, cpu)
}

func (m *kernelMap) ProgramLookupPerCPU(key, value []byte, cpu int) error {
	if m.fd >= 0 { // of a CPU that is not there the helper finds nothing
		if err := checkCPU(cpu); err != nil {
			return err
		}
	}
	return m.do(opLookupPerCPU, key, nil, value, uint64(cpu), engine.AnyCPU)
}

func (m *kernelMap) ProgramPeek(value []byte) error {
	return m.do(opPeek, nil, value, value, 0, engine.AnyCPU)
}

func (m *kernelMap) ProgramUpdate(key, value []byte, flags uint64, cpu int) error {
	if kind := engine.KindOf(m.info.Type); flags == unix.BPF_ANY && kind.PerCPU && kind.Evicts {
		// An LRU hash makes room before it looks for the key, and may throw that very entry out, with the values of
		// all CPUs. With BPF_EXIST it makes none.
		if err := m.do(opUpdate, key, value, nil, unix.BPF_EXIST, cpu); err != unix.ENOENT {
			return err
		}
	}
	return m.do(opUpdate, key, value, nil, flags, cpu)
}

func (m *kernelMap) ProgramDelete(key []byte) error {
	return m.do(opDelete, key, nil, nil, 0, engine.AnyCPU)
}

func (m *kernelMap) ProgramPush(value []byte, flags uint64) error {
	return m.do(opPush, nil, value, nil, flags, engine.AnyCPU)
}

func (m *kernelMap) ProgramPop(value []byte) error {
	return m.do(opPop, nil, nil, value, 0, engine.AnyCPU)
}

func (m *kernelMap) ProgramAdd(key []byte, offset, size int, n uint64, cpu int) (sum uint64, told bool, err error) {
	p, err := m.program(true)
	if err != nil {
		return 0, false, err
	}
	defer runtime.KeepAlive(p)
	told = haveFetch()
	prog, err := p.load(opAdd(offset, size, told))
	if err != nil {
		return 0, false, err
	}
	number := p.control.at(0)[controlNumber:]
	binary.NativeEndian.PutUint64(number, n)
	copy(p.keys.at(0), key)
	if _, err := p.run(prog, cpu); err != nil || !told {
		return 0, false, err
	}
	sum = binary.NativeEndian.Uint64(number) + n
	if size == 4 {
		sum = uint64(uint32(sum))
	}
	return sum, true, nil
}

func (m *kernelMap) ProgramCount() (int, error) {
	p, err := m.program(false)
	if err != nil {
		return 0, err
	}
	defer runtime.KeepAlive(p)
	prog, err := p.load(opCount)
	if err != nil {
		return 0, err
	}
	n, err := p.run(prog, engine.AnyCPU)
	return int(n), err
}

// maxCarried bounds the memory that ProgramEntries takes.
const maxCarried = 1 << 30

func (m *kernelMap) ProgramEntries(cpu int) (engine.Batch, error) {
	n, err := m.ProgramCount()
	if err != nil {
		return engine.Batch{}, err
	}
	room := max(1, min(n+n/8+64, int(m.info.MaxEntries))) // what is added meanwhile wants room too
	for ; ; room *= 2 {
		b, all, err := m.programs.entries(room, cpu)
		if all || err != nil {
			return b, err
		}
	}
}

// entries copies the entries, if there is room for all.
func (p *programs) entries(room, cpu int) (b engine.Batch, all bool, err error) {
	defer runtime.KeepAlive(p)
	k, v := int(p.m.info.KeySize), int(p.m.info.ValueSize)
	if room > maxCarried/(align8(k)+align8(v)) {
		return b, false, unix.EFBIG
	}
	keys, err := newExchange("bpfsh_keys", uint32(k), uint32(room))
	if err != nil {
		return b, false, err
	}
	defer keys.close()
	values, err := newExchange("bpfsh_values", uint32(v), uint32(room))
	if err != nil {
		return b, false, err
	}
	defer values.close()
	prog, err := p.assembleAndLoad(opEntries(keys, values))
	if err != nil {
		return b, false, err
	}
	defer prog.Close()
	index := p.control.at(0)[controlIndex:]
	binary.NativeEndian.PutUint32(index, 0)
	visited, err := p.run(prog, cpu)
	if err != nil {
		return b, false, err
	}
	b.N = int(binary.NativeEndian.Uint32(index))
	b.Keys, b.Values = slices.Grow(b.Keys, b.N*k), slices.Grow(b.Values, b.N*v)
	for i := range b.N {
		b.Keys = append(b.Keys, keys.at(i)[:k]...)
		b.Values = append(b.Values, values.at(i)[:v]...)
	}
	return b, b.N < room || int64(b.N) == visited, nil
}
