package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestRooms holds the arrows between the rooms: what each must not reach, whatever the way.
func TestRooms(t *testing.T) {
	const (
		starlark = "go.starlark.net/starlark"
		cilium   = "github.com/cilium/ebpf"
		readline = "github.com/chzyer/readline"
	)
	for _, row := range []struct{ room, mustNot, why string }{
		{"bpfsh/runtime/method", "bpfsh/runtime", "rows are read from above and below"},
		{"bpfsh/runtime/method", cilium, "rows know no maps"},
		{"bpfsh/runtime", "bpfsh/builtins", "how scripts run knows nothing of maps"},
		{"bpfsh/runtime", "bpfsh/runtime/render", "what a value looks like is for those who show it"},
		{"bpfsh/runtime", "bpfsh/runtime/repl", "the script runner links no line editor"},
		{"bpfsh/runtime", cilium, "how scripts run knows nothing of maps"},
		{"bpfsh/runtime", readline, "the script runner links no line editor"},
		{"bpfsh/runtime/render", "bpfsh/runtime", "maps and batches join through an interface it declares"},
		{"bpfsh/runtime/render", "bpfsh/builtins", "maps and batches join through an interface it declares"},
		{"bpfsh/runtime/render", "bpfsh/builtins/layout", "maps and batches join through an interface it declares"},
		{"bpfsh/runtime/repl", "bpfsh/builtins", "the prompt knows nothing of maps"},
		{"bpfsh/runtime/repl", cilium, "the prompt knows nothing of maps"},
		{"bpfsh/builtins", "bpfsh/runtime/repl", "what scripts see is the same without a prompt"},
		{"bpfsh/builtins", "bpfsh/builtins/engine/kernel", "knows nothing of system calls"},
		{"bpfsh/builtins", cilium, "knows nothing of system calls"},
		{"bpfsh/builtins", readline, "what scripts see is the same without a prompt"},
		{"bpfsh/builtins/layout", "bpfsh/builtins/engine", "types know no maps"},
		{"bpfsh/builtins/layout", "bpfsh/runtime", "types know no session"},
		{"bpfsh/builtins/layout", cilium, "types know no maps"},
		{"bpfsh/builtins/engine", starlark, "sees bytes only"},
		{"bpfsh/builtins/engine", cilium, "no type of cilium/ebpf but btf's is in a signature"},
		{"bpfsh/builtins/engine", "bpfsh/builtins/layout", "sees bytes only"},
		{"bpfsh/builtins/engine/kernel", starlark, "sees bytes only"},
		{"bpfsh/builtins/engine/kernel", "bpfsh/builtins/layout", "sees bytes only"},
		{"bpfsh/builtins/engine/kernel", "bpfsh/runtime", "sees bytes only"},
	} {
		if slices.Contains(dependencies(t, row.room), row.mustNot) {
			t.Errorf("%s reaches %s, but %s", row.room, row.mustNot, row.why)
		}
	}
}

func dependencies(t *testing.T, room string) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", room).Output()
	if err != nil {
		t.Fatalf("go list -deps %s: %v", room, err)
	}
	return strings.Fields(string(out))
}
