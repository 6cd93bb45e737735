package main

import (
	"os/exec"
	"strings"
	"testing"

	"bpfsh/builtins/engine/kernel/kerneltest"
)

// TestFewDescriptors makes many maps with few descriptors, and lets programs work on them: those of maps that nobody
// holds any more come back.
func TestFewDescriptors(t *testing.T) {
	needKernel(t)
	bpfsh := command(t).Path
	for _, row := range []struct{ name, code, since string }{
		{"user space", `for i in range(300): create("array", value="u64", max_entries=4).update(0, 1)`, ""},
		{"kernel's side", `for i in range(300): create("array", value="u64", max_entries=4).kernel.update(0, 1)`, ""},
		{"kernel's items", `for i in range(300): create("array", value="u64", max_entries=4).kernel.items()`, "5.13"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.since != "" {
				kerneltest.Since(t, row.since, "bpf_for_each_map_elem")
			}
			stdout, stderr, status := outcome(t, exec.Command("sh", "-c", `ulimit -n 50; exec "$0" -c "$1"`, bpfsh, row.code))
			if status != 0 {
				t.Errorf("exit status %d, %q, %q", status, stdout, stderr)
			}
		})
	}
	_, stderr, status := outcome(t, exec.Command("sh", "-c", `ulimit -n 50; exec "$0" -c "$1"`, bpfsh,
		`held = [create("array", value="u64", max_entries=4) for i in range(30)]; [m.kernel.update(0, 1) for m in held]`))
	if want := "too many open files (EMFILE)"; status != 1 || !strings.Contains(stderr, want) {
		t.Errorf("of maps that are held: exit status %d, %q; want 1 and %q", status, stderr, want)
	}
}
