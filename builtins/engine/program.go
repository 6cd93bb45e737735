package engine

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// AnyCPU lets a program run on the CPU where the process happens to be.
const AnyCPU = -1

// ProgramReader is what a program in the kernel reads of a map, by the helpers that programs call. Of a per-CPU map
// it sees the value of the CPU that it runs on, of Info.ValueSize bytes.
//
// Errors are the errnos that the helpers return, which are those of the system calls, and *LoadError where the kernel
// does not load the program. A type that programs cannot use so answers ENOTSUPP. cpu is where the program runs, or
// AnyCPU; ERANGE: there is no such CPU; ENODEV: it is offline, or not for this process.
type ProgramReader interface {
	// ProgramLookup copies the value under key: bpf_map_lookup_elem. A value with a spin lock is copied under it, without it.
	ProgramLookup(key, value []byte, cpu int) error
	// ProgramLookupPerCPU copies one CPU's value from whichever CPU: bpf_map_lookup_percpu_elem. Since Linux 5.19.
	ProgramLookupPerCPU(key, value []byte, cpu int) error
	// ProgramPeek copies the next value of a queue or stack; of a bloom filter, value is the question:
	// bpf_map_peek_elem.
	ProgramPeek(value []byte) error
	// ProgramCount goes through all entries and counts them: bpf_for_each_map_elem. Since Linux 5.13.
	ProgramCount() (int, error)
	// ProgramEntries copies all entries in one run: bpf_for_each_map_elem. Since Linux 5.13. EFBIG: they are more
	// than one run can carry.
	ProgramEntries(cpu int) (Batch, error)
}

// ProgramWriter is what a program in the kernel changes of a map, by the helpers that programs call. Neither a frozen
// map nor a read-only descriptor stops a program; a handle that was opened read-only answers EPERM all the same.
// Errors and cpu are as in ProgramReader.
type ProgramWriter interface {
	// ProgramUpdate writes value under key: bpf_map_update_elem.
	ProgramUpdate(key, value []byte, flags uint64, cpu int) error
	// ProgramDelete removes the entry: bpf_map_delete_elem.
	ProgramDelete(key []byte) error
	// ProgramPush adds a value to a queue, a stack or a bloom filter: bpf_map_push_elem.
	ProgramPush(value []byte, flags uint64) error
	// ProgramPop takes the next value out of a queue or a stack: bpf_map_pop_elem.
	ProgramPop(value []byte) error
	// ProgramOutput sends a record: bpf_ringbuf_output, or bpf_perf_event_output for the CPU that the program runs on.
	// EAGAIN: a ring buffer has no room for it. ENOSPC: a perf event's buffer has none. ENOENT: nobody reads that
	// CPU's events.
	ProgramOutput(record []byte, cpu int) error
	// ProgramAdd adds n to the size bytes (4 or 8, aligned) at offset of the value under key, in one step that no
	// other CPU can come between. It returns the sum, cut to size; before Linux 5.12 the sum is not told.
	ProgramAdd(key []byte, offset, size int, n uint64, cpu int) (sum uint64, told bool, err error)
}

// LoadError is why the kernel does not load the program that would do an operation.
type LoadError struct {
	Errno   unix.Errno
	Reason  string // the verifier's, one line; "" if it has given none
	Missing string // the capabilities that the program wants and this process lacks
	Helper  string // the helper that this kernel does not have yet
	Since   string // the first kernel that has Helper
}

func (e *LoadError) Error() string { return fmt.Sprintf("load program: %s: %v", e.Reason, e.Errno) }

// Unwrap is the errno.
func (e *LoadError) Unwrap() error { return e.Errno }
