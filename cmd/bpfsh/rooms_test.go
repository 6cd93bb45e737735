package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestRooms holds the arrows between the rooms: what each may import, of bpfsh and of others. What is not in a row
// it must not reach.
func TestRooms(t *testing.T) {
	const (
		starlark = "go.starlark.net/"
		cilium   = "github.com/cilium/ebpf"
		btf      = "github.com/cilium/ebpf/btf"
		readline = "github.com/chzyer/readline"
		pretty   = "github.com/jedib0t/go-pretty/"
		humanize = "github.com/dustin/go-humanize"
		golden   = "github.com/rogpeppe/go-internal/diff golang.org/x/tools/txtar"
		sys      = "golang.org/x/sys/unix"
	)
	rows := []struct{ room, may, why string }{
		{"bpfsh/runtime/method", starlark, "rows are read from above and below"},
		{"bpfsh/runtime/render", starlark + " " + pretty + " " + humanize, "maps and batches join through an interface it declares"},
		{"bpfsh/runtime", "bpfsh/runtime/method " + starlark + " github.com/spf13/pflag " + golden, "how scripts run knows nothing of maps, and links no line editor"},
		{"bpfsh/runtime/repl", "bpfsh/runtime bpfsh/runtime/method bpfsh/runtime/render " + starlark + " " + readline + " " + sys, "the prompt knows nothing of maps"},
		{"bpfsh/builtins/layout", "bpfsh/runtime/method " + starlark + " " + btf, "types know no maps"},
		{"bpfsh/builtins/engine", btf + " " + sys, "sees bytes only, and no other type of cilium/ebpf is in a signature"},
		{"bpfsh/builtins/engine/kernel", "bpfsh/builtins/engine " + cilium + " " + btf + " " + cilium + "/asm " + cilium + "/features " + cilium + "/link " + sys, "sees bytes only"},
		{"bpfsh/builtins/engine/memory", "bpfsh/builtins/engine " + btf + " " + sys, "needs no kernel"},
		{"bpfsh/builtins/engine/readonly", "bpfsh/builtins/engine", "refuses, and does nothing of its own"},
		{"bpfsh/builtins/engine/dryrun", "bpfsh/builtins/engine bpfsh/builtins/engine/memory " + btf + " " + sys, "plans with maps in memory, and asks another engine"},
		{"bpfsh/builtins/engine/memory/faulttest", "bpfsh/builtins/engine " + btf, "is for tests"},
		{"bpfsh/builtins/object", "bpfsh/builtins/engine " + cilium + " " + btf + " " + sys, "reads files, and asks no kernel"},
		{"bpfsh/builtins/host", "bpfsh/builtins/layout " + btf + " " + sys, "knows the machine, and no maps"},
		{"bpfsh/builtins/engine/kernel/kerneltest", "bpfsh/builtins/engine bpfsh/builtins/engine/kernel " + sys, "is for tests"},
		{"bpfsh/builtins", "bpfsh/builtins/engine bpfsh/builtins/layout bpfsh/builtins/object bpfsh/runtime bpfsh/runtime/method bpfsh/runtime/render " + starlark + " " + btf + " " + sys,
			"what scripts see knows no system calls, and is the same without a prompt"},
		{"bpfsh/cmd/bpfsh", "bpfsh/ " + starlark + " " + readline + " github.com/spf13/pflag " + sys, "puts the rooms together"},
	}
	var rooms []string
	for _, row := range rows {
		rooms = append(rooms, row.room)
		for _, path := range list(t, "{{join .Imports \" \"}}", row.room) {
			if !strings.Contains(strings.Split(path, "/")[0], ".") && !strings.HasPrefix(path, "bpfsh/") {
				continue // the standard library
			}
			if !slices.ContainsFunc(strings.Fields(row.may), func(may string) bool {
				return path == may || strings.HasSuffix(may, "/") && strings.HasPrefix(path, may)
			}) {
				t.Errorf("%s imports %s, but it %s", row.room, path, row.why)
			}
		}
	}
	for _, room := range list(t, "{{.ImportPath}}", "bpfsh/...") {
		if !slices.Contains(rooms, room) {
			t.Errorf("%s has no row that says what it may import", room)
		}
	}
}

func list(t *testing.T, format, pattern string) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", format, pattern).Output()
	if err != nil {
		t.Fatalf("go list %s: %v", pattern, err)
	}
	return strings.Fields(string(out))
}
