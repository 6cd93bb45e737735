package memory

import (
	"runtime"

	"bpfsh/builtins/engine"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// handle is one open map.
type handle struct {
	object *object // nil when closed
	engine *Engine
	info   engine.Info
	may    access
	// dropped closes the handle when the collector finds that nobody holds it.
	dropped runtime.Cleanup
}

// access is what a handle may do, or what an operation does.
type access struct{ read, write bool }

var _ engine.Map = (*handle)(nil)

// enter is the map, if it is open and the handle may do what the operation does.
func (h *handle) enter(does access) (*object, error) {
	o := h.object
	switch {
	case o == nil:
		return nil, unix.EBADF
	case does.read && !h.may.read, does.write && (!h.may.write || o.frozen):
		return nil, unix.EPERM
	}
	return o, nil
}

// element is enter for an operation on one entry with flags.
func (h *handle) element(does access, flags uint64) (*object, error) {
	o, err := h.enter(does)
	if err == nil && flags&unix.BPF_F_LOCK != 0 && !o.kept.lock {
		err = unix.EINVAL
	}
	return o, err
}

// sized cuts b to size. Too few bytes are an address that the kernel cannot read, and any are too many where none
// belong.
func sized(b []byte, size int) ([]byte, error) {
	switch {
	case len(b) < size:
		return nil, unix.EFAULT
	case size == 0 && len(b) > 0:
		return nil, unix.EINVAL
	}
	return b[:size], nil
}

// entry is sized for a key and a value.
func (o *object) entry(key, value []byte) (k, v []byte, err error) {
	if k, err = sized(key, int(o.info.KeySize)); err != nil {
		return nil, nil, err
	}
	v, err = sized(value, o.info.Stride())
	return k, v, err
}

func (h *handle) Lookup(key, value []byte, flags uint64) error {
	h.engine.mu.Lock()
	defer h.engine.mu.Unlock()
	if flags&^unix.BPF_F_LOCK != 0 {
		return unix.EINVAL
	}
	o, err := h.element(access{read: true}, flags)
	if err != nil {
		return err
	}
	k, v, err := o.entry(key, value)
	if err != nil {
		return err
	}
	return o.table.lookup(k, v)
}

func (h *handle) Update(key, value []byte, flags uint64) error {
	h.engine.mu.Lock()
	defer h.engine.mu.Unlock()
	o, err := h.element(access{write: true}, flags)
	if err != nil {
		return err
	}
	k, v, err := o.entry(key, value)
	if err != nil {
		return err
	}
	return o.table.update(k, v, flags, allCPUs)
}

func (h *handle) Delete(key []byte) error {
	h.engine.mu.Lock()
	defer h.engine.mu.Unlock()
	o, err := h.enter(access{write: true})
	if err != nil {
		return err
	}
	k, err := sized(key, int(o.info.KeySize))
	if err != nil {
		return err
	}
	return o.table.delete(k)
}

func (h *handle) LookupAndDelete(key, value []byte, flags uint64) error {
	h.engine.mu.Lock()
	defer h.engine.mu.Unlock()
	if flags&^unix.BPF_F_LOCK != 0 {
		return unix.EINVAL
	}
	o, err := h.element(access{read: true, write: true}, flags)
	if err != nil {
		return err
	}
	k, v, err := o.entry(key, value)
	if err != nil {
		return err
	}
	return o.table.take(k, v)
}

func (h *handle) NextKey(key, next []byte) error {
	h.engine.mu.Lock()
	defer h.engine.mu.Unlock()
	o, err := h.enter(access{read: true})
	if err != nil {
		return err
	}
	if len(key) > 0 {
		if key, err = sized(key, int(o.info.KeySize)); err != nil {
			return err
		}
	}
	if next, err = sized(next, int(o.info.KeySize)); err != nil {
		return err
	}
	return o.table.nextKey(key, next)
}

func (h *handle) Freeze() error {
	h.engine.mu.Lock()
	defer h.engine.mu.Unlock()
	o := h.object
	switch {
	case o == nil:
		return unix.EBADF
	case len(o.kept.spans) > 0: // said before the rights are looked at
		return engine.NotSupported
	}
	if _, err := h.enter(access{write: true}); err != nil {
		return err
	}
	o.frozen = true
	return nil
}

func (h *handle) Info() *engine.Info { return &h.info }

func (h *handle) Types() (key, value btf.Type) {
	h.engine.mu.Lock()
	defer h.engine.mu.Unlock()
	if h.object == nil {
		return nil, nil
	}
	return h.object.key, h.object.value
}

func (h *handle) Frozen() (bool, error) {
	h.engine.mu.Lock()
	defer h.engine.mu.Unlock()
	if h.object == nil {
		return false, unix.EBADF
	}
	return h.object.frozen, nil
}

func (h *handle) Memory() (uint64, error) {
	h.engine.mu.Lock()
	defer h.engine.mu.Unlock()
	if h.object == nil {
		return 0, unix.EBADF
	}
	return h.object.table.memory(), nil
}

func (h *handle) Close() error {
	h.engine.mu.Lock()
	defer h.engine.mu.Unlock()
	if h.object == nil {
		return unix.EBADF
	}
	h.dropped.Stop()
	h.object.close()
	h.object = nil
	return nil
}
