package builtins

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bpfsh/builtins/engine"

	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"
)

// meaning is what an errno means in one place. The first row that fits explains an error.
type meaning struct {
	errno  []unix.Errno
	ops    string // operations, with spaces between; "" is all
	when   func(*Error) bool
	says   string
	hint   string
	denied bool // bpf() itself is not permitted or not there
}

const (
	writes = "update delete pop push vars drain clear update_batch delete_batch pop_batch freeze"
	single = "update delete pop lookup lookup_percpu add next_key in"
)

// unsupported are the kernel's three ways to say that a type has no such operation.
var unsupported = []unix.Errno{unix.EINVAL, engine.NotSupported, unix.EOPNOTSUPP}

// meanings go from the particular to the general.
var meanings = []meaning{
	{errno: []unix.Errno{unix.EBADF}, when: closed, says: "the map is closed"},

	{errno: []unix.Errno{unix.EPERM}, when: func(e *Error) bool { return errors.Is(e.Err, engine.ErrReadOnly) }, says: "--readonly: nothing is changed", hint: "run it without --readonly"},
	{errno: []unix.Errno{unix.EPERM}, when: unknown, says: "--dry-run: it is not known {unknown}", hint: "run it without --dry-run, or catch() this error"},
	{errno: []unix.Errno{unix.EPERM}, when: both(kernelSide, readOnly), says: "it was opened read-only", hint: "open it without readonly=True"},
	{errno: anyErrno, when: load(func(e *engine.LoadError) bool { return e.Missing != "" }), says: "a program that does it is not permitted: this process lacks {missing}", hint: "run it as root, or with these capabilities", denied: true},
	{errno: anyErrno, when: load(func(e *engine.LoadError) bool { return e.Since != "" }), says: "this kernel has no {helper}, which came with Linux {helper since}"},
	{errno: []unix.Errno{unix.EACCES}, when: both(load(nil), madeWith(unix.BPF_F_RDONLY_PROG)), says: "it was made with BPF_F_RDONLY_PROG, so that no program that writes to it is loaded: {reason}"},
	{errno: []unix.Errno{unix.EACCES}, when: both(load(nil), madeWith(unix.BPF_F_WRONLY_PROG)), says: "it was made with BPF_F_WRONLY_PROG, so that no program that reads it is loaded: {reason}"},
	{errno: anyErrno, when: load(func(e *engine.LoadError) bool { return e.Reason == "" }), says: "the kernel does not load a program that does it"},
	{errno: anyErrno, when: load(nil), says: "the kernel does not load a program that does it: {reason}"},
	{errno: []unix.Errno{unix.ENODEV}, when: kernelSide, says: "the CPU is offline, or this process may not run on it", hint: "kernel.lookup_percpu(key, cpu) reads its value all the same"},
	{errno: []unix.Errno{unix.EFBIG}, when: kernelSide, says: "its entries take more memory than one run can carry: items() has no such limit"},
	{errno: []unix.Errno{unix.ENOSYS}, says: "this kernel has no bpf(); --engine memory runs the same script without it", denied: true},
	{errno: []unix.Errno{unix.EPERM}, ops: "freeze", when: frozen, says: "it is frozen already"},
	{errno: []unix.Errno{unix.EBUSY}, ops: "freeze", when: frozen, says: "it is frozen already"},
	{errno: []unix.Errno{unix.EBUSY}, ops: "freeze", says: "something has it mapped for writing"},
	{errno: []unix.Errno{unix.EPERM}, ops: writes, when: frozen, says: "the map is frozen: only programs may write to it"},
	{errno: []unix.Errno{unix.EPERM}, ops: writes + " pin unpin", when: readOnly, says: "it was opened read-only", hint: "open it without readonly=True"},
	{errno: []unix.Errno{unix.EPERM}, ops: "events", when: frozen, says: "the map is frozen, and who consumes writes to it", hint: "events(m) reads it all the same"},
	{errno: []unix.Errno{unix.EPERM}, ops: "events", when: func(e *Error) bool { return readOnly(e) && !lacksRight(e) }, says: "it was opened read-only, and who consumes writes to it", hint: "open it without readonly=True, or read it without consume=True"},
	{errno: []unix.Errno{unix.EBUSY}, ops: "events", says: "somebody else takes events as well, so that each gets a part of them", hint: "events(m) reads beside whoever takes them"},
	{errno: []unix.Errno{unix.EACCES}, ops: "events", says: "a perf event for each CPU is not permitted", hint: "run it as root, or with CAP_PERFMON"},
	{errno: []unix.Errno{unix.EAGAIN}, ops: "output", says: "the ring buffer has no room: its consumer has yet to take what is there"},
	{errno: []unix.Errno{unix.ENOSPC}, ops: "output", says: "the reader's buffer for this CPU has no room"},
	{errno: []unix.Errno{unix.ENOENT}, ops: "output", says: "nobody reads the events of the CPU that the program has run on", hint: "events(m, consume=True) does"},
	{errno: []unix.Errno{unix.EPERM}, when: createdWith(unix.BPF_F_RDONLY), says: "it was made with BPF_F_RDONLY, for which this handle cannot write", hint: "pin it and open it again, or make it without"},
	{errno: []unix.Errno{unix.EPERM}, when: createdWith(unix.BPF_F_WRONLY), says: "it was made with BPF_F_WRONLY, for which this handle cannot read", hint: "pin it and open it again, or make it without"},
	{errno: []unix.Errno{unix.EPERM}, ops: "pin", when: dotted, says: "a name in a bpffs cannot have a dot, and {base} has one"},
	{errno: []unix.Errno{unix.EPERM}, ops: "pin", when: both(mounting, lacksRight), says: "no bpffs is mounted at {mount}, and to mount one this process lacks {lacks}", hint: "mount -t bpf bpf {mount}"},
	{errno: []unix.Errno{unix.EPERM}, ops: "pin unpin", when: sticky, says: "{dir} is sticky, as /tmp is: of what is there each user can remove or replace only their own", hint: "run it as the owner of {path}, as root, or with CAP_FOWNER"},
	{errno: []unix.Errno{unix.EPERM}, ops: "create", when: lacksRight, says: "bpf() is not permitted: this process lacks {lacks}; --engine memory runs the same script without the kernel", hint: "run it as root, or with these capabilities", denied: true},
	{errno: []unix.Errno{unix.EPERM}, when: lacksRight, says: "not permitted: this process lacks {lacks}", hint: "run it as root, or with these capabilities", denied: true},
	{errno: []unix.Errno{unix.EPERM}, ops: "create", says: "not permitted: the limit of locked memory may be too low", hint: "ulimit -l unlimited"},
	{errno: []unix.Errno{unix.EPERM}, says: "not permitted"},

	{errno: []unix.Errno{engine.NotSupported, unix.EOPNOTSUPP}, ops: "freeze", when: named("struct_ops"), says: "the kernel freezes no struct_ops"},
	{errno: []unix.Errno{engine.NotSupported, unix.EOPNOTSUPP}, ops: "freeze", says: "the kernel freezes no {type} whose values have a spin lock, a timer or a kptr"},
	{errno: []unix.Errno{engine.NotSupported}, when: unmappable, says: "it was made without BPF_F_MMAPABLE, so that no variable can be written alone: m[0] = m[0].replace(...) writes all"},
	{errno: []unix.Errno{unix.EPERM, unix.EACCES}, ops: "vars", when: madeWith(unix.BPF_F_RDONLY_PROG), says: "it holds constants"},
	{errno: unsupported, ops: "in", when: both(kernelSide, lacking), says: "a program cannot ask {a type} what is in it: {instead}"},
	{errno: unsupported, when: both(kernelSide, lacking), says: "a program has no {operation} on {a type}: {instead}"},
	{errno: []unix.Errno{engine.NotSupported, unix.EOPNOTSUPP}, ops: "update update_batch", when: holds(engine.Sockets), says: "the socket is not one that {a type} takes", hint: "a sockmap wants connected or listening TCP sockets and bound UDP sockets, an xskmap AF_XDP sockets"},
	{errno: []unix.Errno{unix.EINVAL}, ops: "update update_batch", when: both(holds(engine.Programs), unflagged), says: "the program does not fit the others: they are of type {owner}, with the same kind of attachment"},
	{errno: []unix.Errno{unix.EINVAL}, ops: "update update_batch", when: both(named("devmap devmap_hash"), unflagged), says: "there is no such interface, or its program is not one for a devmap"},
	{errno: []unix.Errno{unix.EINVAL, unix.ENOMEM}, ops: "update update_batch", when: both(named("cpumap"), unflagged), says: "the CPU or its queue cannot be made, or its program is not one for a cpumap"},
	{errno: []unix.Errno{unix.EOVERFLOW}, ops: "update update_batch", when: named("cpumap"), says: "a queue has room for 16384 packets at most"},
	{errno: []unix.Errno{unix.EBUSY}, ops: "update update_batch", when: holds(engine.Sockets), says: "the socket is in a reuseport_sockarray already"},
	{errno: unsupported, ops: "match", says: "{a type} has no prefixes: m[key] reads an entry"},
	{errno: unsupported, ops: "create_inner swap", says: "the values of {a type} are no maps"},
	{errno: []unix.Errno{unix.EINVAL}, ops: "delete delete_batch", when: holds(engine.Sockets), says: "there is no socket at this index"},
	{errno: []unix.Errno{engine.NotSupported}, ops: "pop", when: arrived, says: "this kernel has no {op} on {a type}, which came with Linux {arrived}", hint: "lookup, then delete"},
	{errno: []unix.Errno{engine.NotSupported}, ops: "pop_batch", when: arrived, says: "this kernel has no {op} on {a type}, which came with Linux {arrived}", hint: "lookup_batch, then delete_batch"},
	{errno: unsupported, when: lacking, says: "{a type} has no {op}: {instead}"},
	{errno: []unix.Errno{unix.EINVAL}, ops: "update update_batch lookup", when: lockFlag, says: "BPF_F_LOCK is for values with a struct bpf_spin_lock, and this map's have none"},
	{errno: []unix.Errno{unix.EINVAL}, ops: single + " update_batch delete_batch", when: longPrefix, says: "its prefix length is more than {bits}"},
	{errno: []unix.Errno{unix.EINVAL}, ops: "update update_batch", when: func(e *Error) bool { return e.Map != nil && e.Map.kind.Nests && e.flags == 0 }, says: "the map is not like those that this one holds: {inner}", hint: "create_inner() makes one that is"},
	{errno: []unix.Errno{unix.EINVAL}, ops: "push", when: flagged(unix.BPF_NOEXIST), says: "{a type} does not know what it holds, so that BPF_NOEXIST means nothing to it"},
	{errno: []unix.Errno{unix.EINVAL}, ops: "update update_batch lookup", when: cpuFlag, says: "this kernel has no BPF_F_CPU and no BPF_F_ALL_CPUS, which came with Linux " + engine.CPUFlagsSince, hint: "kernel.update(key, value, cpu=3) writes one CPU's value, [value] * cpus() is the same for all"},
	{errno: []unix.Errno{unix.EINVAL}, ops: "update push update_batch lookup", when: flagged(^uint64(0)), says: "flags {flags} are not for {a type}"},
	{errno: []unix.Errno{engine.NotSupported, unix.EOPNOTSUPP}, ops: "create", when: spec(flaggedSpec), says: "{a type} does not take flags {flags}"},
	{errno: []unix.Errno{engine.NotSupported, unix.EOPNOTSUPP}, ops: "create", says: "the kernel makes no {type} with such values"},
	{errno: []unix.Errno{engine.NotSupported, unix.EOPNOTSUPP}, says: "{a type} has no {op}"},

	{errno: []unix.Errno{unix.ENOENT, unix.ESRCH}, when: ofObject, says: "it does not exist"},
	{errno: []unix.Errno{unix.EBADF}, when: ofObject, says: "it has no such descriptor"},
	{errno: []unix.Errno{unix.EACCES}, when: ofObject, says: "the file's mode does not permit it"},
	{errno: anyErrno, when: ofObject, says: "it cannot be opened"},
	{errno: []unix.Errno{unix.ENOENT, unix.ESRCH}, ops: "maps", says: "it does not exist"},
	{errno: []unix.Errno{unix.EACCES}, ops: "maps", says: "this process may not look into it", hint: "run it as root, or with CAP_SYS_PTRACE"},
	{errno: []unix.Errno{unix.ENOENT}, ops: "open", when: byPath, says: "no such pin"},
	{errno: []unix.Errno{unix.ENOENT}, ops: "open", says: "there is no such map"},
	{errno: []unix.Errno{unix.ENOENT}, ops: "pin", says: "the directory {dir} does not exist"},
	{errno: []unix.Errno{unix.ENOENT}, ops: "unpin", says: "there is no such pin"},
	{errno: []unix.Errno{unix.ENOENT}, ops: single, when: pastEnd, says: "the index is out of range: this {type} has 0 to {last}"},
	{errno: []unix.Errno{unix.ENOENT}, ops: single, when: indexed, says: "there is nothing at this index"},
	{errno: []unix.Errno{unix.ENOENT}, ops: "pop peek", when: ordered, says: "the {type} is empty", hint: "{op}(default=None) gives None instead"},
	{errno: []unix.Errno{unix.ENOENT}, ops: "update update_batch", when: flagged(unix.BPF_EXIST), says: "no such key, and BPF_EXIST wants one"},
	{errno: []unix.Errno{unix.ENOENT}, ops: "lookup", says: "no such key", hint: "lookup(key, default=...) gives a default instead"},
	{errno: []unix.Errno{unix.ENOENT}, ops: "pop", says: "no such key", hint: "pop(key, default=None) gives None instead"},
	{errno: []unix.Errno{unix.ENOENT}, ops: "add", says: "no such key", hint: "kernel.update(key, value, BPF_NOEXIST) makes it"},
	{errno: []unix.Errno{unix.ENOENT}, ops: "delete delete_batch", says: "no such key", hint: "missing_ok=True passes over it"},
	{errno: []unix.Errno{unix.ENOENT}, says: "no such key"},

	{errno: []unix.Errno{unix.EEXIST}, ops: "pin", says: "there is something at {path} already", hint: "pin(path, replace=True) takes the place of a map"},
	{errno: []unix.Errno{unix.EEXIST}, when: indexed, says: "every index of {a type} exists, and BPF_NOEXIST wants a new one"},
	{errno: []unix.Errno{unix.EEXIST}, says: "the key exists, and BPF_NOEXIST wants a new one"},

	{errno: []unix.Errno{unix.E2BIG}, ops: "create", says: "a size is more than the kernel allows for {a type}"},
	{errno: []unix.Errno{unix.E2BIG}, ops: "push", says: "the {type} is full: it has room for {max}", hint: "{op}(value, BPF_EXIST) drops the oldest"},
	{errno: []unix.Errno{unix.E2BIG}, when: indexed, says: "the index is out of range: this {type} has 0 to {last}"},
	{errno: []unix.Errno{unix.E2BIG, unix.ENOSPC}, ops: "update update_batch", says: "the map is full: it has room for {max} entries"},
	{errno: []unix.Errno{unix.ENOSPC}, ops: "lookup items values keys in count clear show lookup_batch", says: "values of 4 bytes cannot be read: with value_size 8 they give a socket's cookie"},

	{errno: []unix.Errno{unix.EACCES}, ops: "open", when: readable, says: "the file's mode permits reading alone", hint: "open it with readonly=True"},
	{errno: []unix.Errno{unix.EACCES}, ops: "open", says: "the file's mode does not permit it"},
	{errno: []unix.Errno{unix.EACCES}, ops: "pin", says: "the mode of {dir}, or of a directory on the way to it, does not permit it"},
	{errno: []unix.Errno{unix.EACCES}, ops: "unpin", says: "the mode of {path}, or of a directory on the way to it, does not permit it"},
	{errno: []unix.Errno{unix.EACCES}, ops: "create", says: "a map with a spin lock cannot be made with BPF_F_RDONLY_PROG or BPF_F_WRONLY_PROG"},
	{errno: []unix.Errno{unix.ENOMEM}, ops: "create", says: "there is not enough memory for a map of this size"},
	{errno: []unix.Errno{unix.EISDIR}, says: "this is a directory, and not a pin"},
	{errno: []unix.Errno{unix.ENOTDIR}, says: "{dir} is not a directory"},
	{errno: []unix.Errno{unix.ENAMETOOLONG}, says: "the path or a name in it is too long"},
	{errno: []unix.Errno{unix.EINVAL}, ops: "create", when: func(e *Error) bool { return errors.Is(e.Err, engine.ErrAbsent) }, says: "this kernel has no {type}, which came with Linux {since}"},
	{errno: []unix.Errno{unix.EINVAL}, ops: "create", when: readAndWriteOnly, says: "BPF_F_RDONLY and BPF_F_WRONLY, of one kind, exclude each other"},
	{errno: []unix.Errno{unix.EINVAL}, ops: "create", when: spec(wideIndex), says: "the keys of {a type} are indexes of 4 bytes"},
	{errno: []unix.Errno{unix.EINVAL}, ops: "create", when: spec(oddPrefix), says: "the keys of {a type} are a u32 prefix length and an address of 1 to 256 bytes"},
	{errno: []unix.Errno{unix.EINVAL}, ops: "create", when: spec(oddRing), says: "max_entries of {a type} is its size in bytes: a power of two, of whole pages"},
	{errno: []unix.Errno{unix.EINVAL}, ops: "create", when: spec(func(s *engine.Spec) bool { return s.MapExtra != 0 }), says: "{a type} does not take this map_extra, or not with these sizes"},
	{errno: []unix.Errno{unix.EINVAL}, ops: "create", when: spec(func(s *engine.Spec) bool { return s.Flags&unix.BPF_F_NUMA_NODE != 0 }), says: "there is no such NUMA node, or {a type} takes none"},
	{errno: []unix.Errno{unix.EINVAL}, ops: "create", when: spec(func(s *engine.Spec) bool { return s.Inner != nil }), says: "{a type} does not take such maps for its values"},
	{errno: []unix.Errno{unix.EINVAL}, ops: "create", when: spec(flaggedSpec), says: "{a type} does not take flags {flags}, or not with these sizes"},
	{errno: []unix.Errno{unix.EINVAL}, ops: "create", says: "the kernel takes no {type} with these sizes; it has them since Linux {since}"},
	{errno: []unix.Errno{unix.EBADF}, when: func(e *Error) bool {
		return e.Map != nil && (e.Map.kind.Values == engine.Cgroups || e.Map.kind.Keys == engine.Cgroups)
	}, says: "the path is no cgroup of cgroup2"},
	{errno: []unix.Errno{unix.EBADF, unix.ENOTSOCK}, says: "the value is not of the kind that {a type} holds"},
	{errno: []unix.Errno{unix.EINVAL}, says: "the kernel does not take these arguments for {a type}"},
}

// anyErrno stands for all of them.
var anyErrno []unix.Errno

// unknown says that a dry run cannot know what comes of it.
func unknown(e *Error) bool {
	_, ok := errors.AsType[*engine.UnknownError](e.Err)
	return ok
}

func kernelSide(e *Error) bool { return strings.HasPrefix(e.Op, kernelPrefix) }

// load asks about the program that was not loaded; nil asks whether there is one.
func load(f func(*engine.LoadError) bool) func(*Error) bool {
	return func(e *Error) bool { return e.load != nil && (f == nil || f(e.load)) }
}

func both(f, g func(*Error) bool) func(*Error) bool {
	return func(e *Error) bool { return f(e) && g(e) }
}

// madeWith asks for flags of the map.
func madeWith(flag uint32) func(*Error) bool {
	return func(e *Error) bool { return e.Map != nil && e.Map.info.Flags&flag != 0 }
}

func ofObject(e *Error) bool { return e.Op == opObject }

// holds asks what the values of the map refer to.
func holds(what engine.Object) func(*Error) bool {
	return func(e *Error) bool { return e.Map != nil && e.Map.kind.Values == what }
}

// named asks for types by their names.
func named(types string) func(*Error) bool {
	return func(e *Error) bool { return e.Map != nil && slices.Contains(strings.Fields(types), e.Map.kind.Name) }
}

func unflagged(e *Error) bool { return e.flags == 0 }

func closed(e *Error) bool   { return e.Map != nil && e.Map.closed }
func readOnly(e *Error) bool { return e.Map != nil && e.Map.info.ReadOnly }
func indexed(e *Error) bool {
	return e.Map != nil && (e.Map.kind.Shape == engine.Indexed || e.Map.kind.Shape == engine.Slots)
}

// pastEnd says that the key is no index of the map.
func pastEnd(e *Error) bool {
	i, ok := e.Key.(starlark.Int)
	if !ok || !indexed(e) {
		return false
	}
	n, ok := i.Uint64()
	return !ok || n >= uint64(e.Map.info.MaxEntries)
}

func ordered(e *Error) bool { return e.Map != nil && e.Map.kind.Shape == engine.Ordered }
func byPath(e *Error) bool  { return e.path != "" }
func dotted(e *Error) bool  { return strings.Contains(filepath.Base(e.path), ".") }
func lacking(e *Error) bool { return e.instead() != "" }

// lacksRight says that the process lacks what the kernel wants for it.
func lacksRight(e *Error) bool { return e.lib != nil && e.lib.engine.Missing(e.right()) != "" }

// readable says that the process may read the file.
func readable(e *Error) bool {
	return e.path != "" && unix.Faccessat(unix.AT_FDCWD, e.path, unix.R_OK, unix.AT_EACCESS) == nil
}

// sticky says that in the directory of the path nobody can remove or replace what others own.
func sticky(e *Error) bool {
	st, err := os.Stat(filepath.Dir(e.path))
	return err == nil && st.Mode()&os.ModeSticky != 0 && !lacksRight(e)
}

func mounting(e *Error) bool {
	_, ok := errors.AsType[*engine.MountError](e.Err)
	return ok
}

// arrived says that newer kernels have what the type lacks here.
func arrived(e *Error) bool {
	return e.Map != nil && !kernelSide(e) && e.Map.kind.Arrived(e.Op) != ""
}

func lockFlag(e *Error) bool { return e.flags&unix.BPF_F_LOCK != 0 }
func frozen(e *Error) bool {
	if e.Map == nil {
		return false
	}
	yes, err := e.Map.raw.Frozen()
	return yes && err == nil
}

func flagged(bits uint64) func(*Error) bool {
	return func(e *Error) bool { return e.flags&bits != 0 }
}

// cpuFlag says that there is one of the two flags that name CPUs, as a kernel that has them would take it.
func cpuFlag(e *Error) bool {
	named := e.flags & (engine.OneCPU | engine.AllCPUs)
	return e.Map != nil && e.Map.kind.PerCPU && !kernelSide(e) && (named == engine.OneCPU || named == engine.AllCPUs && e.flags>>32 == 0)
}

func createdWith(flag uint32) func(*Error) bool {
	return func(e *Error) bool { return e.Map != nil && e.Map.created&flag != 0 }
}

func longPrefix(e *Error) bool {
	if e.Map == nil || !e.Map.kind.Trie || e.Key == nil {
		return false
	}
	b := make([]byte, e.Map.key.Size())
	return e.Map.key.Encode(b, e.Key) == nil && engine.PrefixLen(b) > 8*(len(b)-4)
}

func spec(f func(*engine.Spec) bool) func(*Error) bool {
	return func(e *Error) bool { return e.spec != nil && f(e.spec) }
}

func readAndWriteOnly(e *Error) bool {
	both := func(bits uint32) bool { return e.spec != nil && e.spec.Flags&bits == bits }
	return both(unix.BPF_F_RDONLY|unix.BPF_F_WRONLY) || both(unix.BPF_F_RDONLY_PROG|unix.BPF_F_WRONLY_PROG)
}

func wideIndex(s *engine.Spec) bool {
	shape := engine.KindOf(s.Type).Shape
	return (shape == engine.Indexed || shape == engine.Slots) && s.KeySize != 4
}

func oddPrefix(s *engine.Spec) bool {
	return engine.KindOf(s.Type).Trie && (s.KeySize < 5 || s.KeySize > 260)
}

func oddRing(s *engine.Spec) bool {
	ring := strings.HasSuffix(engine.KindOf(s.Type).Name, "ringbuf")
	return ring && (s.MaxEntries&(s.MaxEntries-1) != 0 || s.MaxEntries < 4096)
}

// flaggedSpec says that there are flags beside those that the type wants always.
func flaggedSpec(s *engine.Spec) bool { return s.Flags&^engine.KindOf(s.Type).Flags != 0 }
