package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"bpfsh/builtins/engine/kernel/kerneltest"
)

// TestFullnessExposition reads what scripts/fullness.star writes for Prometheus: each metric has its help and its type once,
// before its samples, which are of labels and a number.
func TestFullnessExposition(t *testing.T) {
	needKernel(t)
	run := runner(t, "kernel")
	ids := strings.Fields(run(`
full = create("lpm_trie", key="cidr4", value="u32", max_entries=2, name="bpfsh_x_full")
full.update_batch({"10.0.0.0/8": 1, "10.1.0.0/16": 2})
lru = create("lru_percpu_hash", key="u32", value="u32", max_entries=64, name="bpfsh_x_lru")
slots = create("array", value="u32", max_entries=3, name="bpfsh_x.slots")
print(full.id, lru.id, slots.id)`))
	if len(ids) != 3 {
		t.Fatalf("got ids %q", ids)
	}
	stdout, stderr, status := runScript(t, options{format: "table"}, "fullness.star", "bpfsh_x*", "--prometheus", "--walk", "--warn", "100")
	if status != 1 || !strings.Contains(stderr, `map "bpfsh_x_full" (lpm_trie id=`+ids[0]+") is 100% full: 2 of 2 entries\n") {
		t.Errorf("status %d, %s; want 1 and the map that is full", status, stderr)
	}
	help := regexp.MustCompile(`^# HELP ([a-z_]+) [A-Z][^\\]*\.$`)
	sample := regexp.MustCompile(`^([a-z_]+)\{id="(\d+)",name="((?:[^"\\\n]|\\[\\"n])*)",type="([a-z_0-9]+)"\} ([0-9.e+-]+)$`)
	values := map[string]string{}
	metric, last := "", 0
	lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	for i, line := range lines {
		if h := help.FindStringSubmatch(line); h != nil {
			metric, last = h[1], 0
			if i+1 == len(lines) || lines[i+1] != "# TYPE "+metric+" gauge" {
				t.Errorf("%s has no type behind its help", metric)
			}
			continue
		}
		if line == "# TYPE "+metric+" gauge" {
			continue
		}
		s := sample.FindStringSubmatch(line)
		if s == nil || s[1] != metric {
			t.Errorf("in %s: no sample of it: %s", metric, line)
			continue
		}
		id := 0
		fmt.Sscan(s[2], &id)
		if id <= last {
			t.Errorf("%s: %d behind %d", metric, id, last)
		}
		last = id
		values[metric+" "+s[2]+" "+s[3]+" "+s[4]] = s[5]
	}
	full, lru, slots := ids[0]+" bpfsh_x_full lpm_trie", ids[1]+" bpfsh_x_lru lru_percpu_hash", ids[2]+" bpfsh_x.slots array"
	for _, row := range []struct{ name, want string }{
		{"bpf_map_entries " + full, "2"}, {"bpf_map_max_entries " + full, "2"}, {"bpf_map_full_ratio " + full, "1.0"},
		{"bpf_map_entries " + lru, "0"}, {"bpf_map_max_entries " + lru, "64"}, {"bpf_map_full_ratio " + lru, ""},
		{"bpf_map_entries " + slots, "3"}, {"bpf_map_full_ratio " + slots, ""},
	} {
		if got := values[row.name]; got != row.want && !(got == "" && strings.HasPrefix(row.name, "bpf_map_entries "+lru) && kerneltest.Older("6.6")) {
			t.Errorf("%s is %q, want %q\n%s", row.name, got, row.want, stdout)
		}
	}
	if values["bpf_map_memory_bytes "+slots] == "" {
		t.Errorf("no memory of an array\n%s", stdout)
	}
}

// TestFullnessTable prints those that can run full, the fullest first, and says what was not counted.
func TestFullnessTable(t *testing.T) {
	needKernel(t)
	run := runner(t, "kernel")
	run(`
tries = [create("lpm_trie", key="cidr4", value="u32", max_entries=4, name="bpfsh_y_%d" % n) for n in range(4)]
[tries[n].update("10.%d.0.0/16" % i, i) for n, most in enumerate([1, 3, 0, 3]) for i in range(most)]
slots = create("array", value="u32", max_entries=3, name="bpfsh_y_slots")`)
	stdout, stderr, status := runScript(t, options{format: "jsonl"}, "fullness.star", "bpfsh_y_*", "--walk", "--warn", "80")
	var names []string
	for _, m := range regexp.MustCompile(`"name":"bpfsh_y_(\w+)"`).FindAllStringSubmatch(stdout, -1) {
		names = append(names, m[1])
	}
	if want := []string{"1", "3", "0", "2"}; status != 0 || stderr != "" || !slices.Equal(names, want) {
		t.Errorf("status %d, %s, order %q; want %q", status, stderr, names, want)
	}
	if _, stderr, status = runScript(t, options{format: "jsonl"}, "fullness.star", "bpfsh_y_*", "--warn", "1"); status != 0 || !strings.HasSuffix(stderr, "; --walk counts them\n") || strings.Count(stderr, "id=") != 4 {
		t.Errorf("status %d, %s", status, stderr)
	}
	// What --warn cannot judge is told where no table tells it.
	for _, flag := range []string{"-q", "--prometheus"} {
		if _, stderr, status = runScript(t, options{}, "fullness.star", "bpfsh_y_*", "--warn", "1", flag); status != 0 || stderr != "maps that --warn cannot judge, since nobody counted them: 4; --walk counts them\n" {
			t.Errorf("%s: status %d, %s", flag, status, stderr)
		}
		if _, stderr, status = runScript(t, options{}, "fullness.star", "bpfsh_y_*", "--warn", "100", flag, "--walk"); status != 0 || stderr != "" {
			t.Errorf("%s --walk: status %d, %s", flag, status, stderr)
		}
	}
	if _, stderr, status = runScript(t, options{}, "fullness.star", "bpfsh_y_*", "--prometheus"); status != 0 || stderr != "" {
		t.Errorf("--prometheus: status %d, %s", status, stderr)
	}
}
