// Package kernel is the engine of the running kernel: maps are made, opened and pinned by cilium/ebpf, and what is
// done to them is bpf(2) on flat bytes.
//
// These operations go past cilium/ebpf's own, which take Go values by reflection: bytes of a size known only at
// run time cost it allocations for each entry, its batches want slices of arrays, and it reports a batch that
// failed at once as done.
package kernel
