package memory

import (
	"slices"
	"strings"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// Create makes a map. It refuses what the kernel refuses, in the same order. ErrNoType: the kernel may have the type,
// this engine has not.
func (e *Engine) Create(spec engine.Spec) (engine.Map, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	o, err := e.object(&spec)
	if err != nil {
		return nil, err
	}
	e.last = max(e.last+1, e.First)
	o.info.ID = e.last
	at, _ := e.search(o.info.ID)
	e.maps = slices.Insert(e.maps, at, o)
	// These two flags are about the handle, and the map does not keep them.
	return o.open(access{read: spec.Flags&unix.BPF_F_WRONLY == 0, write: spec.Flags&unix.BPF_F_RDONLY == 0}, false), nil
}

// object is a map that nothing holds yet.
func (e *Engine) object(spec *engine.Spec) (*object, error) {
	r := rows[spec.Type]
	switch {
	case r == nil && spec.Type > 0 && int(spec.Type) < len(engine.Kinds):
		return nil, noType(spec.Type)
	case r == nil:
		return nil, unix.EINVAL
	}
	kind := engine.KindOf(spec.Type)
	o := &object{engine: e, row: r, info: engine.Info{
		Type: spec.Type, Name: spec.Name, KeySize: spec.KeySize, ValueSize: spec.ValueSize, MaxEntries: spec.MaxEntries,
		Flags: spec.Flags &^ (unix.BPF_F_RDONLY | unix.BPF_F_WRONLY), MapExtra: spec.MapExtra,
	}}
	if kind.PerCPU {
		o.info.CPUs, _ = e.CPUs()
	}
	if kind.Nests { // the template is a map, made before
		if err := e.template(o, spec); err != nil {
			return nil, err
		}
	}
	if err := checkSpec(spec, r, kind); err != nil {
		return nil, err
	}
	if spec.Flags&unix.BPF_F_NO_COMMON_LRU != 0 {
		o.info.MaxEntries = wholeParts(spec.MaxEntries, uint32(o.cpus()))
	}
	if room(o) > memoryOfMachine() {
		return nil, unix.ENOMEM
	}
	if !validName(spec.Name) {
		return nil, unix.EINVAL
	}
	if err := o.keepTypes(spec); err != nil {
		return nil, err
	}
	o.table = r.make(o)
	return o, nil
}

func (o *object) cpus() int {
	n, _ := o.engine.CPUs()
	return n
}

// template checks what the values of a map of maps are to be like.
func (e *Engine) template(o *object, spec *engine.Spec) error {
	if spec.Inner == nil || engine.KindOf(spec.Inner.Type).Nests {
		return unix.EINVAL
	}
	in, err := e.object(spec.Inner)
	if err != nil {
		return err
	}
	t := *spec.Inner
	t.Flags = in.info.Flags
	o.template, o.nested = &t, in.kept
	return nil
}

// checkSpec is what the kernel looks at before it makes anything.
func checkSpec(spec *engine.Spec, r *row, kind *engine.Kind) error {
	const oneHandle, oneProgram = unix.BPF_F_RDONLY | unix.BPF_F_WRONLY, progFlags
	switch {
	case spec.MapExtra != 0 && kind.Shape != engine.Members,
		spec.Flags&oneHandle == oneHandle,
		hasNode(spec) && spec.NumaNode != 0: // there is one node
		return unix.EINVAL
	case kind.Shape == engine.Members && spec.ValueSize > maxPiece:
		return unix.E2BIG
	case spec.Flags&oneProgram == oneProgram, spec.Flags&^r.flags != 0:
		return unix.EINVAL
	}
	if err := r.check(spec); err != nil {
		return err
	}
	if hasNode(spec) && kind.PerCPU {
		return unix.EINVAL
	}
	return sizes(spec, kind)
}

// hasNode says whether the memory of a map is to be at a node.
func hasNode(spec *engine.Spec) bool {
	const any = 1<<32 - 1
	return spec.Flags&unix.BPF_F_NUMA_NODE != 0 && spec.NumaNode != any
}

// What the kernel can allocate in one piece, without what it puts before an entry.
const (
	maxPiece = 1 << 22
	maxHash  = maxPiece - 48
)

// maxPerCPU is the most that a value of each CPU may have.
const maxPerCPU = 32 << 10

func checkHash(spec *engine.Spec) error {
	if spec.MaxEntries == 0 || spec.KeySize == 0 || spec.ValueSize == 0 {
		return unix.EINVAL
	}
	return nil
}

func checkLRU(spec *engine.Spec) error {
	if spec.Flags&unix.BPF_F_NO_PREALLOC != 0 {
		return engine.NotSupported
	}
	if spec.Flags&unix.BPF_F_NO_COMMON_LRU != 0 && hasNode(spec) {
		return unix.EINVAL
	}
	return checkHash(spec)
}

func checkArray(spec *engine.Spec) error {
	if spec.MaxEntries == 0 || spec.KeySize != 4 || spec.ValueSize == 0 {
		return unix.EINVAL
	}
	return nil
}

// checkNested is another check for a map whose values are maps.
func checkNested(check func(*engine.Spec) error) func(*engine.Spec) error {
	return func(spec *engine.Spec) error {
		if spec.ValueSize != 4 {
			return unix.EINVAL
		}
		return check(spec)
	}
}

func checkTrie(spec *engine.Spec) error {
	const least, most = 4 + 1, 4 + 256
	if spec.MaxEntries == 0 || spec.Flags&unix.BPF_F_NO_PREALLOC == 0 || spec.KeySize < least || spec.KeySize > most ||
		spec.ValueSize == 0 || spec.ValueSize > maxPiece-most-40 {
		return unix.EINVAL
	}
	return nil
}

func checkQueue(spec *engine.Spec) error {
	if spec.MaxEntries == 0 || spec.KeySize != 0 || spec.ValueSize == 0 {
		return unix.EINVAL
	}
	return nil
}

func checkBloom(spec *engine.Spec) error {
	const mostHashes = 15
	if spec.MapExtra > mostHashes {
		return unix.EINVAL
	}
	return checkQueue(spec)
}

// sizes refuses what is too big, where the kernel says so with another errno.
func sizes(spec *engine.Spec, kind *engine.Kind) error {
	big, heavy := false, false
	switch kind.Shape {
	case engine.Hashed:
		const mostBuckets = 1 << 27
		big = !kind.Trie && (uint64(spec.KeySize)+uint64(spec.ValueSize) >= maxHash || spec.MaxEntries > mostBuckets)
	case engine.Ordered:
		const mostBytes = 1 << 32
		big, heavy = spec.ValueSize > maxPiece, (uint64(spec.MaxEntries)+1)*uint64(spec.ValueSize) >= mostBytes
	case engine.Indexed:
		big = spec.ValueSize > 1<<31-1
	}
	if big || kind.PerCPU && spec.ValueSize > maxPerCPU {
		return unix.E2BIG
	}
	if heavy {
		return unix.ENOMEM
	}
	return nil
}

// wholeParts is n, made a multiple of the number of CPUs, each of which has its own LRU list then.
func wholeParts(n, cpus uint32) uint32 { return (n + cpus - 1) / cpus * cpus }

// validName says whether the kernel takes a name.
func validName(name string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_."
	return len(name) <= 15 && strings.Trim(name, letters) == ""
}
