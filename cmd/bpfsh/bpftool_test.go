package main

import (
	"encoding/json"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"bpfsh/builtins/engine/kernel/kerneltest"

	"github.com/google/go-cmp/cmp"
)

// TestBpftool lets bpftool read what a script has written, with the types that the script gave, and a script read
// what bpftool has written.
func TestBpftool(t *testing.T) {
	needKernel(t)
	bpftool, err := exec.LookPath("bpftool")
	if err != nil {
		kerneltest.Skip(t, "bpftool is not installed", err)
	}
	run := runner(t, "kernel")
	id := run(`
m = create("hash", key="struct { u32 addr; be16 port; u8 proto; }", value="struct { u64 packets; i32 delta; char comm[8]; bool seen; u8 hist[3]; }", max_entries=8, name="for_bpftool")
m[0x0a000001, 443, 6] = {"packets": 1 << 40, "delta": -5, "comm": "curl", "seen": True, "hist": [1, 2, 3]}
m.id`)
	if _, err := strconv.Atoi(id); err != nil {
		t.Fatalf("got id %q", id)
	}

	out, err := exec.Command(bpftool, "-j", "map", "dump", "id", id).Output()
	if err != nil {
		t.Fatalf("bpftool map dump: %v", err)
	}
	var dump []struct {
		Formatted struct {
			Key   map[string]any `json:"key"`
			Value map[string]any `json:"value"`
		} `json:"formatted"`
	}
	if err := json.Unmarshal(out, &dump); err != nil || len(dump) != 1 {
		t.Fatalf("bpftool printed %s: %v", out, err)
	}
	want := map[string]any{"packets": float64(1 << 40), "delta": float64(-5), "comm": "curl", "seen": true, "hist": []any{1.0, 2.0, 3.0}}
	if d := cmp.Diff(want, dump[0].Formatted.Value); d != "" {
		t.Errorf("bpftool reads another value (-want +got):\n%s", d)
	}
	wantKey := map[string]any{"addr": float64(0x0a000001), "port": float64(0xbb01), "proto": 6.0} // it knows no byte order
	if d := cmp.Diff(wantKey, dump[0].Formatted.Key); d != "" {
		t.Errorf("bpftool reads another key (-want +got):\n%s", d)
	}

	write := exec.Command(bpftool, strings.Fields("map update id "+id+" key hex 02 00 00 0a 00 50 11 00 value hex "+
		"07 00 00 00 00 00 00 00 ff ff ff ff 73 73 68 00 00 00 00 00 00 09 08 07")...)
	if out, err := write.CombinedOutput(); err != nil {
		t.Fatalf("bpftool map update: %v: %s", err, out)
	}
	if got, want := run(`print(m[0x0a000002, 80, 17], m.count())`), `record(packets=7, delta=-1, comm="ssh", seen=False, hist=(9, 8, 7)) 2`; got != want {
		t.Errorf("a script reads %q, want %q", got, want)
	}
}
