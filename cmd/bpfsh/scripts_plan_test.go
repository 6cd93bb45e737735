package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// scriptMaps makes what the scripts work on.
const scriptMaps = `
flows = create("hash", key="u32", value="struct { ktime seen; u32 n; }", max_entries=8, name="own_flows")
flows.update_batch({1: (1, 1), 2: (1 << 62, 2)})
snapshot(flows).save(tmp + "/since.jsonl")
flows[1] = (1, 10)
flows[3] = (1 << 62, 3)
flows.pin(dir + "/flows")
times = create("hash", key="u32", value="u64", max_entries=8, name="own_times")
times.update_batch({1: 1, 2: 1 << 62})
trie = create("lpm_trie", key="cidr4", value="u32", max_entries=8, name="own_trie")
trie.update_batch({"10.1.0.0/16": 1, "10.3.0.0/16": 1})
trie.pin(dir + "/trie")
inner = create("lpm_trie", key="cidr4", value="u32", max_entries=2, name="own_inner")
inner["10.3.0.0/16"] = 1
outer = create("array_of_maps", inner=inner, max_entries=1, name="own_outer")
outer[0] = inner
frozen = create("array", key="u32", value="u32", max_entries=2, name="own_frozen")
frozen[1] = 1
frozen.freeze()
drops = create("percpu_hash", key="u32", value="struct { u64 n; }", max_entries=4, name="own_drops")
drops.update_batch({n: [[n]] * cpus() for n in range(1, 4)})
ticks = create("percpu_array", value="u64", max_entries=1, name="own_ticks")
ticks[0] = [5] + [0] * (cpus() - 1)
ring = create("ringbuf", max_entries=4096, name="own_ring")
[ring.kernel.output(n, type="u32") for n in range(2)]
seen = create("ringbuf", max_entries=4096, name="own_seen")
seen.kernel.output(b"\x01" * 40)
write(tmp + "/list", "10.1.0.0/16\n10.2.0.0/16\n")
write(tmp + "/odd", "10.1.0.0/16\n10.2.0.1/16\n10.2.0.0/24\n")
write(tmp + "/none", "# nobody\n")
`

const nothingPlanned = "plan: nothing would change\n"

// scriptRuns are what TestScriptsPlan runs. A ~ is a space inside of a word.
var scriptRuns = []struct {
	script, args string
	refused      string // what --readonly says; "": it does as without
	status       int    // of --dry-run, and of --readonly where nothing is refused
	prints       string // a part of what --dry-run prints before the plan
	warns        string // a part of what it reports; "": nothing
	plan         string
}{
	{script: "blocklist.star", args: "own_trie TMP/list", refused: `apply: map "own_trie": --readonly: nothing is changed (EPERM)`, prints: "\nown_trie,2,1,0,1\n", plan: `plan: map "own_trie" (id N): 1 added, 1 removed
  + "10.2.0.0/16" -> 1
  - "10.3.0.0/16"
`},
	{script: "blocklist.star", args: "DIR/trie TMP/odd --lenient --value 7 --quiet", refused: `apply: map "own_trie": --readonly:`, warns: "TMP/odd:2:1: ", plan: `plan: map "own_trie" (id N): 2 added, 1 changed, 1 removed
  ~ "10.1.0.0/16" 1 -> 7
  + "10.2.0.0/16" -> 7
  + "10.2.0.0/24" -> 7
  - "10.3.0.0/16"
`},
	{script: "blocklist.star", args: "own_trie TMP/odd", status: 1, warns: "1 of the lines are bad: nothing is changed", plan: nothingPlanned},
	{script: "blocklist.star", args: "own_trie TMP/none --allow-empty", refused: `apply: map "own_trie": --readonly:`, plan: `plan: map "own_trie" (id N): 2 removed
  - "10.1.0.0/16"
  - "10.3.0.0/16"
`},
	{script: "blocklist.star", args: "own_outer TMP/list --slot 0", refused: `swap: map "own_outer": --readonly: nothing is changed (EPERM)`, prints: "\nown_outer,2,2,0,1\n", plan: `plan: create lpm_trie "own_inner" key=cidr4 value=u32 max_entries=2: 2 added
  + "10.1.0.0/16" -> 1
  + "10.2.0.0/16" -> 1
plan: map "own_outer" (id N): 1 changed
  ~ 0 <map id=N> -> map "own_inner"
`},
	{script: "changes.star", args: "own_flows --every 1ms --count 2", warns: "nothing has changed", plan: nothingPlanned},
	{script: "changes.star", args: "own_times --key u32 --value ktime --save TMP/new.jsonl", warns: "TMP/new.jsonl: 2 entries", plan: nothingPlanned},
	{script: "changes.star", args: "own_flows --since TMP/since.jsonl --limit 1 --exit-code", status: 1, prints: "\nchanged,1,1,1,1,10,", plan: nothingPlanned},
	{script: "changes.star", args: "own_flows --since TMP/since.jsonl --restore --save TMP/restored.jsonl", refused: `restore: map "own_flows": --readonly: nothing is changed (EPERM)`, prints: "\nadded,3,", warns: "TMP/restored.jsonl: 2 entries", plan: `plan: map "own_flows" (id N): 1 changed, 1 removed
  ~ 1 record(seen=1, n=10) -> record(seen=1, n=1)
  - 3
`},
	{script: "expire.star", args: "own_flows --older 1ms", refused: `delete: map "own_flows": key 1: --readonly: nothing is changed (EPERM)`, prints: "\nown_flows,3,1\n", plan: `plan: map "own_flows" (id N): 1 removed
  - 1
`},
	{script: "expire.star", args: "DIR/flows --seen seen --where n<10 --older 1ms", prints: "\nDIR/flows,3,0\n", plan: nothingPlanned},
	{script: "expire.star", args: "own_times --hint value=ktime --older 1ms", refused: `delete: map "own_times": key 1: --readonly:`, plan: `plan: map "own_times" (id N): 1 removed
  - 1
`},
	{script: "expire.star", args: "own_times --key i32 --value ktime --older 1ms", refused: `delete: map "own_times": key 1: --readonly:`, plan: `plan: map "own_times" (id N): 1 removed
  - 1
`},
	{script: "fullness.star", args: "own_*", warns: `"own_trie" id=`, plan: nothingPlanned},
	{script: "fullness.star", args: "own_* --walk", prints: "own_flows", plan: nothingPlanned},
	{script: "fullness.star", args: "own_* --warn 25 -q --walk", status: 1, warns: `map "own_trie" (lpm_trie id=N) is 25% full: 2 of 8 entries`, plan: nothingPlanned},
	{script: "fullness.star", args: "own_* --prometheus", prints: "# TYPE bpf_map_entries gauge\n", plan: nothingPlanned},
	{script: "resize.star", args: "DIR/flows --strict", refused: `create: hash "own_flows": --readonly: nothing is changed (EPERM)`, prints: "\nown_flows,8,16,3,DIR/flows\n", warns: `map "own_flows" id=N stays as long as something holds it: `, plan: `plan: create hash "own_flows" key=u32 value=struct { ktime seen; u32 n; } max_entries=16: 3 added
  + 1 -> record(seen=1, n=10)
  + 2 -> record(seen=4611686018427387904, n=2)
  + 3 -> record(seen=4611686018427387904, n=3)
plan: pin map "own_flows" at DIR/flows, in place of id N
`},
	{script: "resize.star", args: "own_frozen --pin DIR/larger --name own_larger --entries 3", refused: `create: array "own_larger": --readonly: nothing is changed (EPERM)`, plan: `plan: create array "own_larger" key=u32 value=u32 max_entries=3: 1 added
  + 1 -> 1
plan: freeze map "own_larger"
plan: pin map "own_larger" at DIR/larger
`},
	{script: "skew.star", args: "own_drops --by n", prints: "cpu,count,percent,of_mean\n", plan: nothingPlanned},
	{script: "skew.star", args: "own_drops --by n --keys -n 1 --least 3", prints: "key,total,cpu,skew\n", plan: nothingPlanned},
	{script: "skew.star", args: "own_ticks --key u32 --value u64 --warn 1", status: 1, warns: "CPU 0 has ", plan: nothingPlanned},
	{script: "skew.star", args: "own_ticks --over 1ms", warns: "nothing was counted", plan: nothingPlanned},
	{script: "tail.star", args: "own_ring --backlog --type u32 -n 2 --timeout 10s", prints: "0\n1\n", plan: nothingPlanned},
	{script: "tail.star", args: "own_seen --backlog --type struct~flow --object ../../testdata/object/flow.o --idle 1ms", prints: "packets,seen,verdict,comm\n72340172838076673,", plan: nothingPlanned},
	{script: "tail.star", args: "own_ring --consume --idle 1ms", refused: `events: map "own_ring": --readonly: nothing is changed (EPERM)`, status: 1, warns: "--dry-run: it is not known which records come: a dry run takes none", plan: nothingPlanned},
	{script: "talkers.star", args: "own_flows --by n -n 1 --hint value.n=hex", plan: nothingPlanned},
	{script: "talkers.star", args: "own_times --key u32 --value u64", plan: nothingPlanned},
	{script: "talkers.star", args: "own_flows --by n --over 1ms", warns: "nothing grew", plan: nothingPlanned},
	{script: "tour.star", refused: `create: hash "own_flows": --readonly: nothing is changed (EPERM)`, prints: "\n# freeze: user space writes no more\nTrue clear: map \"own_flows\": stopped after 0: the map is frozen", plan: `plan: create hash "own_flows" key=ipv4 value=struct { u64 packets; u64 bytes; } max_entries=1024
plan: create array "own_hits" key=u32 value=u64 max_entries=4: 1 added
  + 2 -> 5
plan: create lpm_trie "own_routes" key=cidr4 value=u32 max_entries=16: 2 added
  + "10.0.0.0/8" -> 1
  + "10.1.0.0/16" -> 2
plan: create queue "own_jobs" value=u32 max_entries=2: 2 pushed, 2 popped
  push 1
  push 2
  pop 1
  pop 2
plan: create percpu_array "own_ticks" key=u32 value=u64 max_entries=1: 1 added
  + 0 -> percpu(100, ...)
plan: create hash "own_locked" key=u32 value=struct { struct bpf_spin_lock lock; u32 hits; } max_entries=4
plan: pin map "own_flows" at DIR/bpfsh_tour
plan: freeze map "own_flows"
plan: unpin map "own_flows" from DIR/bpfsh_tour
`},
}

// TestScriptsPlan runs each script, with each of its flags, under --readonly, where those that write fail, and under
// --dry-run, where they plan. Maps, what is in them, and pins stay as they are.
func TestScriptsPlan(t *testing.T) {
	tmp := t.TempDir()
	w := newWorld(t, "tmp = \""+tmp+"\"\n"+scriptMaps)
	t.Setenv(bpffsVariable, w.dir)
	before := w.state(t)
	given := strings.NewReplacer("TMP", tmp, "DIR", w.dir, "~", " ")
	ids := regexp.MustCompile(`\bid([ =])\d+`)
	eachCPU := regexp.MustCompile(`percpu\(100(, 2)*\)`)
	used := map[string]string{} // what each script was run with
	for _, row := range scriptRuns {
		t.Run(row.script+" "+row.args, func(t *testing.T) {
			used[row.script] += " " + row.args + " "
			text := strings.ReplaceAll(scriptText(t, row.script), "\"tour_", "\""+w.prefix)
			var args []string
			for _, word := range strings.Fields(row.args) {
				args = append(args, w.named(given.Replace(word)))
			}
			run := func(o options) (stdout, stderr string, status int) {
				o.format = "csv"
				stdout, stderr, status = runText(t, o, row.script, text, args...)
				scrubbed := func(text string) string {
					text = strings.ReplaceAll(w.scrubbed(text), tmp, "TMP")
					return eachCPU.ReplaceAllString(ids.ReplaceAllString(text, "id${1}N"), "percpu(100, ...)")
				}
				w.unchanged(t, before)
				return scrubbed(stdout), scrubbed(stderr), status
			}
			stdout, stderr, status := run(options{readonly: true})
			if row.refused != "" && (status != statusFailure || !strings.Contains(stderr, row.refused)) || row.refused == "" && status != row.status {
				t.Errorf("--readonly: status %d, printed %q and %q, want %q", status, stdout, stderr, row.refused)
			}
			stdout, stderr, status = run(options{dryRun: true})
			at := max(0, strings.Index(stdout, "plan: "))
			if plan := stdout[at:]; plan != row.plan {
				t.Errorf("the plan is\n%swant\n%s", plan, row.plan)
			}
			if status != row.status || !strings.Contains("\n"+stdout[:at], row.prints) || (stderr == "") != (row.warns == "") || !strings.Contains(stderr, row.warns) {
				t.Errorf("--dry-run: status %d, printed %q and %q, want %d, %q and %q", status, stdout[:at], stderr, row.status, row.prints, row.warns)
			}
		})
	}
	scripts, err := filepath.Glob("../../scripts/*.star")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, script := range scripts {
		name := filepath.Base(script)
		if used[name] == "" {
			t.Errorf("%s is not run", name)
		}
		for _, flag := range regexp.MustCompile(`(?m)^    (\w+)=\(`).FindAllStringSubmatch(scriptText(t, name), -1) {
			sign := "--"
			if len(flag[1]) == 1 {
				sign = "-"
			}
			if sign += strings.ReplaceAll(flag[1], "_", "-"); !strings.Contains(used[name], " "+sign+" ") {
				t.Errorf("%s is not run with %s", name, sign)
			}
		}
	}
	// What a dry run saves to a file is there, with what it would have made of the map.
	if got := w.run(`[len(load_snapshot(tmp + "/" + name)) for name in ["new.jsonl", "restored.jsonl"]]`); got != "[2, 2]" {
		t.Errorf("the files have %s entries", got)
	}
	if _, err := os.Stat(w.dir + "/larger"); !os.IsNotExist(err) {
		t.Errorf("there is a pin: %v", err)
	}
}
