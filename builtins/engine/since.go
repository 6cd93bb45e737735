package engine

import "slices"

// arrivals are the operations of user space that came to a type later than the type, after Linux 5.10. A kernel before
// that answers ENOTSUPP.
var arrivals = []struct {
	since string
	types []string
	ops   []string
}{
	{"5.13", []string{"percpu_array"}, []string{"lookup_batch", "update_batch"}},
	{"5.13", []string{"lpm_trie"}, []string{"lookup_batch", "update_batch", "delete_batch"}},
	{"5.14", []string{"hash", "percpu_hash", "lru_hash", "lru_percpu_hash"}, []string{"pop"}},
	{"5.19", []string{"array_of_maps"}, []string{"lookup_batch", "update_batch"}},
	{"5.19", []string{"hash_of_maps"}, []string{"lookup_batch", "update_batch", "delete_batch", "pop_batch"}},
	{"6.18", []string{"stack_trace"}, []string{"pop"}},
}

// The flags that name CPUs in an update or a lookup of a per-CPU map, and the first kernel that has them. A kernel before
// that answers EINVAL.
const (
	OneCPU        = 1 << 3 // BPF_F_CPU: its number is in the upper 32 bits
	AllCPUs       = 1 << 4 // BPF_F_ALL_CPUS
	CPUFlagsSince = "7.0"
)

// Arrived is the first kernel on which the type has an operation, as a system call; "" if the kernels that bpfsh runs on
// all have it there, or none has.
func (k *Kind) Arrived(op string) string {
	for _, a := range arrivals {
		if slices.Contains(a.types, k.Name) && slices.Contains(a.ops, op) {
			return a.since
		}
	}
	return ""
}
