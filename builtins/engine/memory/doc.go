// Package memory is an engine that needs no kernel: maps in the process, with the kernel's semantics, limits, errnos
// and counts. It is as right as the differential test against the running kernel shows.
//
// Keys and values must have the sizes that the map says. Shorter ones are answered with EFAULT, as the kernel answers
// an address that is not there.
//
// Values of a map of maps are written as the id of the inner map, which is its Value, and read so. An id that no map
// has answers EBADF, as a descriptor does that is not open.
//
// Hashes have real buckets, and a seed of their own that makes the order of each walk another one. With
// BPF_F_ZERO_SEED the order is fixed, and is the kernel's. An LRU map evicts exactly one entry for a new one, that
// which was not written for the longest time; kernels evict several at once, and which of them depends on the CPU.
//
// Where kernels differ, it does what Linux 6.18 does, the newest with long-term support:
//
//	lookup_and_delete, batches of every type that has them   there (not in 5.10)
//	freeze a second time, or through a read-only handle      EPERM (before: EBUSY, and done)
//	freeze a map with a spin lock                            ENOTSUPP (before: done)
//	BPF_F_CPU, BPF_F_ALL_CPUS                                EINVAL (since 7.0: done)
//	a batch that meets an empty slot                         goes on (before 6.12.17, and in 6.13: EINTR)
//	overwriting in a hash_of_maps                            in place (before 6.15: the entry moves to the head of its bucket)
//	a queue of 4 GiB and more                                ENOMEM, as without the memory (before: E2BIG)
//
// It never answers ENOMEM for an entry, as the kernel may where it makes entries when they are written.
package memory
