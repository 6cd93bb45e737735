package builtins_test

import (
	"strings"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/memory"
	"bpfsh/builtins/engine/memory/faulttest"
)

// What a kernel does not have yet is said so, with the kernel that has it.
func TestOlderKernel(t *testing.T) {
	for _, row := range []struct {
		make  string
		code  string
		fault faulttest.Fault
		want  string
	}{
		{hashOf, `m.pop(1)`, faulttest.Fault{Op: "LookupAndDelete", Err: engine.NotSupported},
			`pop: map "m": key 1: this kernel has no pop on a hash, which came with Linux 5.14 (ENOTSUPP) lookup, then delete`},
		{`i = create("array", value="u32", max_entries=1); m = create("hash_of_maps", key="u32", max_entries=2, inner=i, name="m")`, `list(m.pop_batch())`,
			faulttest.Fault{Op: "LookupAndDeleteBatch", Err: engine.NotSupported},
			`pop_batch: map "m": this kernel has no pop_batch on a hash_of_maps, which came with Linux 5.19 (ENOTSUPP) lookup_batch, then delete_batch`},
		{`m = create("percpu_array", value="u32", max_entries=2, name="m")`, `m.update(1, [5] * cpus(), BPF_F_CPU | 1 << 32)`, faulttest.Fault{},
			`update: map "m": key 1: this kernel has no BPF_F_CPU and no BPF_F_ALL_CPUS, which came with Linux 7.0 (EINVAL) kernel.update(key, value, cpu=3) writes one CPU's value, [value] * cpus() is the same for all`},
		{`m = create("percpu_hash", key="u32", value="u32", max_entries=2, name="m")`, `m.update_batch({1: [5] * cpus()}, BPF_F_ALL_CPUS)`, faulttest.Fault{},
			`update_batch: map "m": stopped after 0 of 1: key 1: this kernel has no BPF_F_CPU and no BPF_F_ALL_CPUS, which came with Linux 7.0 (EINVAL) kernel.update(key, value, cpu=3) writes one CPU's value, [value] * cpus() is the same for all`},
		{`m = create("percpu_hash", key="u32", value="u32", max_entries=2, name="m")`, `m.update(1, [5] * cpus(), BPF_F_CPU | BPF_F_ALL_CPUS)`, faulttest.Fault{}, // no kernel takes both
			`update: map "m": key 1: flags 0x18 are not for a percpu_hash (EINVAL) None`},
		{`m = None`, `create("bloom_filter", value="u32", max_entries=1)`, faulttest.Fault{Op: "Create", Err: engine.ErrAbsent},
			`create: bloom_filter: this kernel has no bloom_filter, which came with Linux 5.16 (EINVAL) None`},
	} {
		t.Run(row.code, func(t *testing.T) {
			row.fault.Nth = 1
			got, err := runOn(faulttest.New(&memory.Engine{}, row.fault), row.make+"\n_, err = catch(lambda: "+row.code+")\nprint(err, err.hint)\n")
			if strings.TrimSpace(got) != row.want || err != nil {
				t.Errorf("got %q, %v; want %q", got, err, row.want)
			}
		})
	}
}
