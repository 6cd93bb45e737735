package memory

import (
	"encoding/binary"
	"errors"
	"fmt"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// program is enter for a program that does an operation. One that may not read, or not write, is not loaded.
func (h *handle) program(op operations, does access) (*object, error) {
	o := h.object
	switch {
	case o == nil:
		return nil, unix.EBADF
	case does.write && h.info.ReadOnly:
		return nil, unix.EPERM
	case o.row.program&op == 0:
		return nil, engine.NotSupported
	case does.write && o.info.Flags&unix.BPF_F_RDONLY_PROG != 0:
		return o, &engine.LoadError{Errno: unix.EACCES, Reason: "write into map forbidden"}
	case does.read && o.info.Flags&unix.BPF_F_WRONLY_PROG != 0:
		return o, &engine.LoadError{Errno: unix.EACCES, Reason: "read from map forbidden"}
	}
	return o, nil
}

// on is program for a CPU, and that CPU. Where any will do, it is the first.
func (h *handle) on(cpu int, op operations, does access) (*object, int, error) {
	o, err := h.program(op, does)
	if err == nil && cpu != engine.AnyCPU && (cpu < 0 || cpu >= o.cpus()) {
		err = unix.ERANGE
	}
	return o, max(cpu, 0), err
}

// one is entry for a program, which sees the value of one CPU.
func (o *object) one(key, value []byte) (k, v []byte, err error) {
	if k, err = sized(key, int(o.info.KeySize)); err != nil {
		return nil, nil, err
	}
	v, err = sized(value, int(o.info.ValueSize))
	return k, v, err
}

func (h *handle) ProgramLookup(key, value []byte, cpu int) error {
	h.engine.mu.Lock()
	defer h.engine.mu.Unlock()
	o, cpu, err := h.on(cpu, lookups, access{read: true})
	if err != nil {
		return err
	}
	return o.programLookup(key, value, cpu)
}

func (h *handle) ProgramLookupPerCPU(key, value []byte, cpu int) error {
	h.engine.mu.Lock()
	defer h.engine.mu.Unlock()
	o, err := h.program(percpus, access{read: true})
	switch {
	case err != nil:
		return err
	case cpu < 0 || cpu >= o.cpus():
		return unix.ERANGE
	}
	return o.programLookup(key, value, cpu)
}

func (o *object) programLookup(key, value []byte, cpu int) error {
	k, v, err := o.one(key, value)
	if err != nil {
		return err
	}
	slot := o.table.slot(k)
	if slot == nil {
		return unix.ENOENT
	}
	copy(v, o.of(cpu, slot))
	return nil
}

func (h *handle) ProgramPeek(value []byte) error {
	return h.programEnd(peeks, access{}, func(o *object) error {
		_, v, err := o.one(nil, value)
		if err != nil {
			return err
		}
		return o.table.lookup(nil, v)
	})
}

func (h *handle) ProgramPush(value []byte, flags uint64) error {
	return h.programEnd(pushes, access{write: true}, func(o *object) error {
		_, v, err := o.one(nil, value)
		if err != nil {
			return err
		}
		return o.table.update(nil, v, flags, 0)
	})
}

func (h *handle) ProgramPop(value []byte) error {
	return h.programEnd(pops, access{write: true}, func(o *object) error {
		_, v, err := o.one(nil, value)
		if err != nil {
			return err
		}
		return o.table.take(nil, v)
	})
}

// programEnd does an operation on a map without keys.
func (h *handle) programEnd(op operations, does access, do func(*object) error) error {
	h.engine.mu.Lock()
	defer h.engine.mu.Unlock()
	o, err := h.program(op, does)
	if err != nil {
		return err
	}
	return do(o)
}

func (h *handle) ProgramUpdate(key, value []byte, flags uint64, cpu int) error {
	h.engine.mu.Lock()
	defer h.engine.mu.Unlock()
	o, cpu, err := h.on(cpu, updates, access{write: true})
	if err != nil {
		return err
	}
	k, v, err := o.one(key, value)
	if err != nil {
		return err
	}
	return o.table.update(k, v, flags, cpu)
}

func (h *handle) ProgramDelete(key []byte) error {
	h.engine.mu.Lock()
	defer h.engine.mu.Unlock()
	o, err := h.program(deletes, access{write: true})
	if _, refused := errors.AsType[*engine.LoadError](err); refused && engine.KindOf(o.info.Type).Shape == engine.Indexed {
		return engine.NotSupported // an array has the helper only to say no
	}
	if err != nil {
		return err
	}
	k, err := sized(key, int(o.info.KeySize))
	if err != nil {
		return err
	}
	return o.table.delete(k)
}

func (h *handle) ProgramAdd(key []byte, offset, size int, n uint64, cpu int) (sum uint64, told bool, err error) {
	h.engine.mu.Lock()
	defer h.engine.mu.Unlock()
	o, err := h.program(adds, access{read: true, write: true})
	if err != nil {
		return 0, false, err
	}
	if err := o.number(offset, size); err != nil { // such a program is not loaded, wherever it is to run
		return 0, false, err
	}
	o, cpu, err = h.on(cpu, adds, access{read: true, write: true})
	if err != nil {
		return 0, false, err
	}
	k, err := sized(key, int(o.info.KeySize))
	if err != nil {
		return 0, false, err
	}
	slot := o.table.slot(k)
	if slot == nil {
		return 0, false, unix.ENOENT
	}
	at := o.of(cpu, slot)[offset:]
	if size == 4 {
		sum := binary.NativeEndian.Uint32(at) + uint32(n)
		binary.NativeEndian.PutUint32(at, sum)
		return uint64(sum), true, nil
	}
	sum = binary.NativeEndian.Uint64(at) + n
	binary.NativeEndian.PutUint64(at, sum)
	return sum, true, nil
}

// number says whether a program may add to a part of a value.
func (o *object) number(offset, size int) error {
	reason := ""
	switch {
	case size != 4 && size != 8:
		return unix.EINVAL
	case offset < 0 || offset > int(o.info.ValueSize)-size:
		reason = fmt.Sprintf("invalid access to map value, value_size=%d off=%d size=%d", o.info.ValueSize, offset, size)
	case offset%size != 0:
		reason = fmt.Sprintf("misaligned value access off %d size %d", offset, size)
	default:
		for _, s := range o.kept.spans {
			if offset < s.to && s.from < offset+size {
				reason = "a field of the kernel cannot be accessed directly by load/store"
			}
		}
	}
	if reason == "" {
		return nil
	}
	return &engine.LoadError{Errno: unix.EACCES, Reason: reason}
}

func (h *handle) ProgramCount() (int, error) {
	h.engine.mu.Lock()
	defer h.engine.mu.Unlock()
	o, err := h.program(counts, access{})
	if err != nil {
		return 0, err
	}
	return o.table.count(), nil
}

// maxCarried is the memory through which one run gives its entries; there is room for some that are added meanwhile.
const maxCarried = 1 << 30

func (h *handle) ProgramEntries(cpu int) (engine.Batch, error) {
	h.engine.mu.Lock()
	defer h.engine.mu.Unlock()
	o, cpu, err := h.on(cpu, entries, access{read: true})
	if err != nil {
		return engine.Batch{}, err
	}
	k, v := int(o.info.KeySize), int(o.info.ValueSize)
	n := o.table.count()
	if room := n + n/8 + 64; room > maxCarried/(align8(k)+align8(v)) {
		return engine.Batch{}, unix.EFBIG
	}
	b := engine.Batch{Keys: make([]byte, 0, n*k), Values: make([]byte, 0, n*v), N: n}
	o.table.each(func(key, value []byte) {
		b.Keys = append(b.Keys, key...)
		b.Values = append(b.Values, o.of(cpu, value)...)
	})
	return b, nil
}
