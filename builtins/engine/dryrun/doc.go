// Package dryrun is an engine that only plans: reads come from the engine behind it, and what would change something
// is done to copies and recorded.
//
// A map of the other engine is read through a handle that cannot write. The first write to it copies all of it to a map
// of a memory engine, under the same id, and from then on every handle on it reads and writes the copy, so that flags,
// limits, errnos, counts and walks are those that there would be. What others do to the entries of the real map after that
// is not seen. Maps that are made here are in the memory engine alone; their ids are from FirstID on, which no map of a kernel
// has.
//
// Pins are looked up here first, and in the other engine where this one has not decided about them.
//
// What cannot be known without doing it is an engine.UnknownError:
//
//	a queue or stack     what is behind the first value, which a peek tells; whether there is room for a value is known
//	                     only where it was empty, and else it is taken to have room as long as it may
//	other map types      whatever would write to a map of a type that the memory engine has not, or make one; it can be
//	                     pinned and unpinned
//	a map of maps        what its values must be like, where it is empty and was made elsewhere
//
// What a copy cannot have: the order in which an LRU map was used (its copy evicts in the order of the walk), the false
// answers of a bloom filter, and fields of the kernel that the memory engine has not, which are plain bytes.
//
// What this process may not do is refused as the kernel would: for want of a capability, by the modes of pins and of
// directories, and because others have frozen a map meanwhile. That memory would not suffice is not noticed, nor what a
// security module forbids.
package dryrun
