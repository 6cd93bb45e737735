package engine

import (
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// Engine makes and finds maps.
type Engine interface {
	Objects
	// Create makes a map. Where the kernel refuses the types, the map is made without; Info then has none.
	Create(Spec) (Map, error)
	// OpenID opens the map with an id. readonly asks for a descriptor that cannot write.
	OpenID(id uint32, readonly bool) (Map, error)
	// OpenPin opens the map that is pinned at path.
	OpenPin(path string, readonly bool) (Map, error)
	// NextID is the least id of a map that is greater than id; ENOENT after the last.
	NextID(id uint32) (uint32, error)
	// CPUs is the number of possible CPUs: the number of values of a per-CPU entry.
	CPUs() (int, error)
	// Missing names the capabilities of a right that this process lacks; "" if it lacks none.
	Missing(r *Right) string
	// Clock is the time that programs get from bpf_ktime_get_ns: nanoseconds since the machine was started,
	// without those that it slept.
	Clock() (uint64, error)
	// Counts are the numbers of entries, by the ids of the maps, of those whose Kind is Counted: the kernel keeps them,
	// and to ask for them walks through no map. ENOTSUPP: this kernel does not tell them (before Linux 6.6), or not
	// this process.
	Counts() (map[uint32]int, error)
	// Holders are what holds maps: each map is there that has a holder when it is looked for. What may not be looked at
	// is no error, see Held.
	Holders() (Holders, error)
	// Pinnable says what a map's Pin would answer for path, and pins nothing. With replace, what is there counts as a map: nil
	// says that this process may replace it, or Unpin it. mounts is where Pin would mount a bpffs before.
	Pinnable(path string, replace bool) (mounts string, err error)
	// Unpin removes a pin, whoever made it.
	Unpin(path string) error
}

// Spec describes a map to be made.
type Spec struct {
	Type       uint32 // the kernel's number, as in Kinds
	Name       string // at most 15 bytes
	KeySize    uint32
	ValueSize  uint32
	MaxEntries uint32
	Flags      uint32
	MapExtra   uint64
	NumaNode   uint32   // used if Flags say so
	Key, Value btf.Type // given to the kernel; nil where there is none
	Inner      *Spec    // of a map in maps: the template that its values must fit
}

// Info is what does not change while a map exists.
type Info struct {
	ID         uint32
	Type       uint32
	Name       string
	KeySize    uint32
	ValueSize  uint32
	MaxEntries uint32
	Flags      uint32
	MapExtra   uint64
	CPUs       int // values of an entry of a per-CPU map; 0 for any other
	// BTF says that the kernel keeps types with the map; whether this process may read them, Types tells.
	BTF      bool
	ReadOnly bool // the handle was opened so that it cannot write
}

// Stride is the number of bytes that an operation copies for one value: of a per-CPU map every CPU's value,
// each rounded up to 8 bytes.
func (i *Info) Stride() int {
	if i.CPUs == 0 {
		return int(i.ValueSize)
	}
	return (int(i.ValueSize) + 7) &^ 7 * i.CPUs
}

// Map is one open map. It is used by one goroutine at a time.
type Map interface {
	Reader
	Writer
}

// Reader is what changes nothing in the kernel. A wrapper may embed it.
type Reader interface {
	ProgramReader
	// Info describes the map. The caller must not change it.
	Info() *Info
	// Types are the key and value types that the kernel keeps with the map; nil where it has none, or where this
	// process may not read them.
	Types() (key, value btf.Type)
	// Spec is every type that the kernel keeps beside those of the map: its program's. nil where there are none, or where
	// this process may not read them.
	Spec() *btf.Spec
	// Frozen says whether user space may no longer write. It changes at most once.
	Frozen() (bool, error)
	// Memory is what the kernel accounts for the map, in bytes.
	Memory() (uint64, error)
	// Owner is the type of the programs that may use a prog_array, see ProgramType; 0 until one is in it, and for other
	// maps.
	Owner() (uint32, error)
	// Value is the map as an entry of a map of maps takes it, in 4 bytes. It is good until Close.
	Value() uint32
	// Lookup copies the value under key, of Info.Stride bytes. key is nil for a queue, a stack and a bloom
	// filter; of the last, value is the question. ENOENT: there is none.
	Lookup(key, value []byte, flags uint64) error
	// NextKey copies the key that follows key, or the first if key is nil or not in the map. ENOENT: key is the last.
	NextKey(key, next []byte) error
	// LookupBatch copies up to n entries after cur into keys and values, which must have room for them, and
	// moves cur past them. It returns how many it copied.
	//
	// ENOENT is the end, and may come with entries; any other error comes without. ENOSPC: the next bucket of a
	// hash holds more than n; cur stays before it. EINTR: the next slot is empty, which stops kernels before
	// Linux 6.14. Since Linux 5.6.
	//
	// It may be called by another goroutine than the rest, one at a time, also while Close is.
	LookupBatch(cur *Cursor, keys, values []byte, n int) (int, error)
	// ReadAt copies from the memory of a map that was made with BPF_F_MMAPABLE; offset is within its values. ENOTSUPP:
	// it cannot be mapped, or not through a handle that was opened read-only.
	ReadAt(b []byte, offset int) error
	// Tap reads the records of a ring buffer beside whoever consumes them: it takes nothing, and changes nothing. It
	// begins at a Position, at Newest or at Backlog. Records that are written over before they are read are missed.
	// ENOTSUPP: the type has no records, or they cannot be read without taking them.
	Tap(from uint64) (Stream, error)
	// Close gives the handle up. Every later operation answers EBADF. The map lives on while something holds it.
	Close() error
}

// Writer is what changes the map, its life, or its pins. A wrapper names each method, so that an operation
// added here does not compile until each wrapper has decided about it.
type Writer interface {
	ProgramWriter
	// Update writes value under key. flags are BPF_ANY, BPF_NOEXIST, BPF_EXIST, with BPF_F_LOCK or without.
	Update(key, value []byte, flags uint64) error
	// Delete removes the entry. ENOENT: there is none.
	Delete(key []byte) error
	// LookupAndDelete removes the entry and copies its value, in one step. key is nil for a queue and a stack.
	LookupAndDelete(key, value []byte, flags uint64) error
	// LookupAndDeleteBatch is LookupBatch for entries that it removes.
	LookupAndDeleteBatch(cur *Cursor, keys, values []byte, n int) (int, error)
	// UpdateBatch writes n entries in order, and returns how many it wrote: fewer than n come with the error of
	// the entry at that place. flags are BPF_ANY, with BPF_F_LOCK or without; the kernel takes no others here.
	UpdateBatch(keys, values []byte, n int, flags uint64) (int, error)
	// DeleteBatch removes n entries in order, and returns how many it removed, as UpdateBatch does.
	DeleteBatch(keys []byte, n int) (int, error)
	// WriteAt copies to the memory of a map, as ReadAt copies from it: no other byte is touched. EPERM: it is frozen.
	WriteAt(b []byte, offset int) error
	// Consume takes the records of a ring buffer, or of a perf_event_array, from the stream's Begin on. There it has a perf
	// event with a buffer of that many bytes, a power of two of pages, for each CPU.
	Consume(buffer int) (Stream, error)
	// Freeze ends all writing from user space, for good.
	Freeze() error
	// Pin gives the map a name in a bpffs, which keeps it when nothing else does. EEXIST: path is taken. With
	// replace, a map that is pinned there gives way, in one step.
	Pin(path string, replace bool) error
}

// ErrReadOnly is of what would change something, on an engine that changes nothing. It is an EPERM.
var ErrReadOnly error = readOnlyError{}

type readOnlyError struct{}

func (readOnlyError) Error() string { return "nothing is changed here" }
func (readOnlyError) Unwrap() error { return unix.EPERM }

// ErrAbsent is of a map whose type the running kernel does not have. It is an EINVAL.
var ErrAbsent error = absentError{}

type absentError struct{}

func (absentError) Error() string { return "the kernel has no such type of map" }
func (absentError) Unwrap() error { return unix.EINVAL }

// UnknownError is of what cannot be known, or not be tried, without doing it, on an engine that only plans. It is an
// EPERM.
type UnknownError struct {
	What string // a clause behind "it is not known"
}

func (e *UnknownError) Error() string { return "it is not known " + e.What }

// Unwrap is the errno.
func (e *UnknownError) Unwrap() error { return unix.EPERM }

// MountError is a pin for which a bpffs would have to be mounted, and could not be.
type MountError struct {
	Dir string
	Err error
}

func (e *MountError) Error() string { return "mounting a bpffs at " + e.Dir + ": " + e.Err.Error() }
func (e *MountError) Unwrap() error { return e.Err }

// NotBPFFSError is a pin in a directory that is not on a bpffs.
type NotBPFFSError struct{ Dir string }

func (e *NotBPFFSError) Error() string { return e.Dir + " is not on a bpffs" }

// Cursor is a place in a walk by batches. The zero value is the start.
type Cursor struct {
	// Opaque is the kernel's: a bucket's number for a hash, the last key for others. nil is the start.
	Opaque []byte
}
