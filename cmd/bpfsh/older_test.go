package main

import (
	"fmt"
	"strings"
	"testing"

	"bpfsh/builtins/engine/kernel/kerneltest"
)

// TestArrivals does what came with one kernel or another: an older one refuses it with the name of that kernel, and a
// newer one does it.
func TestArrivals(t *testing.T) {
	needKernel(t)
	run := runner(t, "kernel")
	const inner = `create("array", value="u32", max_entries=1)`
	rows := []struct{ code, since, refused string }{
		{`(lambda m: (m.update(1, 1), m.pop(1)))(create("hash", key="u32", value="u32", max_entries=1))`, "5.14", "this kernel has no pop on a hash, which came with Linux 5.14"},
		{`create("stack_trace", value="u64[2]", max_entries=1).pop(1, None)`, "6.18", "this kernel has no pop on a stack_trace, which came with Linux 6.18"},
		{`list(create("hash_of_maps", key="u32", max_entries=1, inner=` + inner + `).pop_batch())`, "5.19", "this kernel has no pop_batch on a hash_of_maps, which came with Linux 5.19"},
		{inner + `.kernel.count()`, "5.13", "this kernel has no bpf_for_each_map_elem, which came with Linux 5.13"},
		{`create("percpu_array", value="u32", max_entries=1).kernel.lookup_percpu(0, 0)`, "5.19", "this kernel has no bpf_map_lookup_percpu_elem, which came with Linux 5.19"},
		{`create("percpu_array", value="u32", max_entries=1).update(0, [1] * cpus(), BPF_F_CPU)`, "7.0", "this kernel has no BPF_F_CPU and no BPF_F_ALL_CPUS, which came with Linux 7.0"},
		{`create("array", value="struct { struct bpf_timer t; }", max_entries=1)`, "5.15", "the kernel does not keep the type struct { struct bpf_timer"},
		{`create("array", value="struct { u32 n; struct { struct bpf_spin_lock lock; } in; }", max_entries=1)`, "6.11", "the kernel does not keep the type"},
	}
	for _, made := range makingRows() {
		rows = append(rows, struct{ code, since, refused string }{strings.ReplaceAll(made.code, `open(P + "inner")`, inner), made.since,
			fmt.Sprintf("this kernel has no %s, which came with Linux %s", strings.TrimPrefix(made.name, "create "), made.since)})
	}
	for _, row := range rows {
		t.Run(row.code, func(t *testing.T) {
			got := run("print(catch(lambda: " + row.code + ")[1])")
			if !kerneltest.Older(row.since) {
				if got != "None" {
					t.Errorf("got %s, want it to be there since Linux %s", got, row.since)
				}
			} else if !strings.Contains(got, row.refused) {
				t.Errorf("got %s, want %s", got, row.refused)
			}
		})
	}
}
