package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/dryrun"
	"bpfsh/builtins/engine/kernel"
	"bpfsh/builtins/engine/kernel/kerneltest"
	"bpfsh/runtime"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// dryMaps makes maps of all kinds, with entries, and pins some of them.
const dryMaps = `
flows = create("hash", key="ipv4", value="struct { u64 packets; u64 bytes; }", max_entries=16, name="own_flows")
flows["10.0.0.1"] = (3, 180)
flows["10.0.0.2"] = (1, 60)
flows.pin(dir + "/flows")
slots = create("array", value="u64", max_entries=4, flags=BPF_F_MMAPABLE, name="own_slots")
slots[1] = 1
slots.pin(dir + "/slots")
recent = create("lru_hash", key="u32", value="u32", max_entries=64, name="own_recent")
recent.update_batch({n: n for n in range(10)})
hits = create("percpu_hash", key="u32", value="u64", max_entries=4, name="own_hits")
hits[1] = [1] * cpus()
ticks = create("percpu_array", value="u64", max_entries=2, name="own_ticks")
routes = create("lpm_trie", key="cidr4", value="u32", max_entries=8, name="own_routes")
routes["10.0.0.0/8"] = 8
jobs = create("queue", value="u32", max_entries=4, name="own_jobs")
jobs.push(1)
undo = create("stack", value="u32", max_entries=4, name="own_undo")
undo.push(1)
seen = create("bloom_filter", value="u32", max_entries=64, name="own_seen")
seen.push(1)
inner = create("array", value="u32", max_entries=2, name="own_inner")
outer = create("hash_of_maps", key="u32", inner=inner, max_entries=4, name="own_outer")
outer[1] = inner
frozen = create("hash", key="u32", value="u32", max_entries=4, name="own_frozen")
frozen[1] = 1
frozen.freeze()
many = create("hash", key="u32", value="u32", max_entries=10000, name="own_many")
many.update_batch({n: n for n in range(9000)})
tails = create("prog_array", max_entries=2, name="own_tails")
stock = create("hash", key="u32", value="u32", max_entries=4, name="own_stock")
stock.update_batch({1: 1, 2: 2, 3: 3})
back = create(like=stock, name="own_back")
back[5] = 5
levels = create("array", value="u32", max_entries=4, name="own_levels")
levels.update_batch({0: 1, 1: 1})
list1 = create("hash", key="u32", value="u32", max_entries=4, name="own_list1")
list1[1] = 1
lists = create("array_of_maps", inner=list1, max_entries=2, name="own_lists")
lists[0] = list1
`

// dryRun changes them, by every way there is, and says what it sees.
const dryRun = `
flows = open(dir + "/flows")
[slots, recent, hits, ticks, routes, jobs, undo, seen, inner, outer, frozen, many, tails] = [
    open("own_" + name) for name in "slots recent hits ticks routes jobs undo seen inner outer frozen many tails".split()]
flows["10.0.0.1"] = flows["10.0.0.1"].replace(packets=4)
flows.update("10.0.0.9", (1, 60), BPF_NOEXIST)
print(flows.pop("10.0.0.2"), flows.count(), sorted(flows.keys()), open("own_flows")["10.0.0.1"].packets)
slots[0] = 5
print(slots.clear(), slots[1])
recent.update_batch({n: n for n in range(5, 20)})
print(recent.count(), [sum([len(b) for b in recent.pop_batch()]), recent.count()])
hits.kernel.update(1, 7, cpu=0)
print(hits[1][0], hits.kernel.lookup(1, cpu=0))
ticks.kernel.add(0, 2, cpu=0)
routes["10.1.0.0/16"] = 16
print(routes["10.1.2.3"], routes["10.2.0.0"], routes.match("10.2.0.0"))
jobs.push(2)
print(jobs.peek(), jobs.pop(), catch(jobs.pop)[1])
undo.push(2)
undo.push(3)
print(undo.pop(), undo.pop(), undo.pop(), catch(undo.peek)[1])
seen.push(2)
print(1 in seen, 2 in seen)
new = create("array", value="u32", max_entries=2, name="own_new")
new[1] = 9
outer[2] = new
outer[1][0] = 4
print(outer[2] == new, outer[2][1], inner[0], outer.count(), outer[1].id == inner.id)
print(catch(frozen.update, 1, 2)[1].errno, frozen.kernel.update(1, 2), frozen[1])
gone = 0
for n, _ in many.items():
    if n % 2:
        many.delete(n)
        gone += 1
print(gone, many.count(), sum([len(b) for b in many.lookup_batch(100)]))
key, n = many.next_key(), 0
while key != None:
    n += 1
    key = many.next_key(key)
print(n)
print(catch(tails.delete, 0)[1])
print([m.name for m in maps("own_new")], open("own_new") == new, maps("own_many", count=True)[0].entries)
new.pin(dir + "/new")
inner.pin(dir + "/slots", replace=True)
flows.unpin(dir + "/flows")
print(open(dir + "/new") == new, open(dir + "/slots") == inner, catch(open, dir + "/flows")[1].errno, catch(new.pin, dir + "/slots")[1].errno)
flows.freeze()
print(flows.frozen, open(flows.id).frozen, catch(flows.clear)[1].errno)

[stock, back, levels, list1, lists] = [open("own_" + name) for name in "stock back levels list1 lists".split()]
def told(a):
    return a.added, a.changed, a.removed, a.same
first = snapshot(stock)
print(told(apply(stock, {1: 1, 2: 20, 4: 40}, dry_run=True)), snapshot(stock) == first)
print(told(apply(stock, {1: 1, 2: 20, 4: 40})), sorted(open("own_stock").items()), diff(first, stock))
print(told(apply(stock, {1: 1, 2: 20, 4: 40}, dry_run=True)), catch(apply, stock, {n: n for n in range(5)})[1])
print(told(apply(levels, {0: 5})), list(levels.values()))
print(told(restore(back, first)), snapshot(back) == first, told(restore(back, first, dry_run=True)))
print(first.save(file), load_snapshot(file) == snapshot(back), snapshot(stock).save(file), load_snapshot(file)[4])
print(told(apply(recent, {1: 1, 2: 2})), told(restore(recent, snapshot(recent))), recent.count())
for refused in [lambda: apply(frozen, {1: 3}), lambda: apply(frozen, {1: 3}, dry_run=True), lambda: restore(frozen, first), lambda: restore(frozen, first, dry_run=True)]:
    print(catch(refused)[1])
old = lists.swap(0, lambda new: new.update_batch({1: 10, 2: 20}), name="own_list2")
print(old == list1, dict(old.items()), lists[0].name, sorted(lists[0].items()), lists[0] == open("own_list2"))
print(catch(lists.swap, 0, lambda new: fail("no list"), name="own_list3")[1], lists[0].name)
print(lists.swap(1, lambda new: new.update(7, 7), name="own_list4"), dict(lists[1].items()))
list1.clear()
list1[9] = 9
print(list(old.items()))
`

const drySees = `record(packets=1, bytes=60) 2 ["10.0.0.1", "10.0.0.9"] 4
4 0
20 [20, 0]
7 7
16 8 ("10.0.0.0/8", 8)
1 1 pop: map "own_jobs": --dry-run: it is not known which value is behind the first: only taking that out would tell (EPERM)
3 2 1 peek: map "own_undo": --dry-run: it is not known which value is behind the first: only taking that out would tell (EPERM)
True True
True 9 4 2 True
EPERM None 2
4500 4500 4500
4500
delete: map "own_tails": key 0: --dry-run: it is not known what a write does to a map of this type, which only a kernel has (EPERM)
["own_new"] True 4500
True True ENOENT EEXIST
True True EPERM
(1, 1, 1, 1) True
(1, 1, 1, 1) [(1, 1), (2, 20), (4, 40)] <diff: 1 added, 1 removed, 1 changed, 1 same>
(0, 0, 0, 3) apply: map "own_stock" has room for 4 entries, and 5 are wanted; nothing was done
(0, 2, 0, 2) [5, 0, 0, 0]
(3, 0, 1, 0) True (0, 0, 0, 3)
3 True 3 40
(2, 0, 0, 0) (0, 0, 0, 2) 2
apply: map "own_frozen": the map is frozen: only programs may write to it (EPERM)
apply: map "own_frozen": the map is frozen: only programs may write to it (EPERM)
restore: map "own_frozen": the map is frozen: only programs may write to it (EPERM)
restore: map "own_frozen": the map is frozen: only programs may write to it (EPERM)
True {1: 1} own_list2 [(1, 10), (2, 20)] True
fail: no list own_list2
None {7: 7}
[(9, 9)]
`

const dryPlan = `plan: map "own_flows" (id N): 1 added, 1 changed, 1 removed
  ~ "10.0.0.1" record(packets=3, bytes=180) -> record(packets=4, bytes=180)
  - "10.0.0.2"
  + "10.0.0.9" -> record(packets=1, bytes=60)
plan: map "own_slots" (id N): 1 changed
  ~ 1 1 -> 0
plan: map "own_recent" (id N): 8 removed
  - 0
  - 3
  - 4
  - 5
  - 6
  - 7
  - 8
  - 9
plan: map "own_hits" (id N): 1 changed
plan: map "own_ticks" (id N): 1 changed
plan: map "own_routes" (id N): 1 added
  + "10.1.0.0/16" -> 16
plan: map "own_jobs" (id N): 1 pushed, 1 popped
  push 2
  pop 1
plan: map "own_undo" (id N): 2 pushed, 3 popped
  push 2
  push 3
  pop 3
  pop 2
  pop 1
plan: map "own_seen" (id N): 1 pushed
  push 2
plan: create array "own_new" key=u32 value=u32 max_entries=2: 1 added
  + 1 -> 9
plan: map "own_outer" (id N): 1 added
  + 2 -> map "own_new"
plan: map "own_inner" (id N): 1 changed
  ~ 0 0 -> 4
plan: map "own_frozen" (id N): 1 changed
  ~ 1 1 -> 2
plan: map "own_many" (id N): 4,500 removed
  - 1
  - 3
  ... 4,498 more
plan: pin map "own_new" at DIR/new
plan: pin map "own_inner" (id N) at DIR/slots, in place of id N
plan: unpin map "own_flows" (id N) from DIR/flows
plan: freeze map "own_flows" (id N)
plan: map "own_stock" (id N): 1 added, 1 changed, 1 removed
  ~ 2 2 -> 20
  - 3
  + 4 -> 40
plan: map "own_levels" (id N): 2 changed
  ~ 0 1 -> 5
  ~ 1 1 -> 0
plan: map "own_back" (id N): 3 added, 1 removed
  + 1 -> 1
  + 2 -> 2
  + 3 -> 3
  - 5
plan: create hash "own_list2" key=u32 value=u32 max_entries=4: 2 added
  + 1 -> 10
  + 2 -> 20
plan: map "own_lists" (id N): 1 added, 1 changed
  ~ 0 <map id=N> -> map "own_list2"
  + 1 -> map "own_list4"
plan: create hash "own_list3" key=u32 value=u32 max_entries=4 (closed again, and nothing holds it)
plan: create hash "own_list4" key=u32 value=u32 max_entries=4: 1 added
  + 7 -> 7
plan: map "own_list1" (id N): 1 added, 1 removed
  - 1
  + 9 -> 9
`

// TestDryRunKernel changes maps of the kernel in a dry run, and finds them afterwards as they were.
func TestDryRunKernel(t *testing.T) {
	kerneltest.Since(t, "5.16", "bloom_filter")
	w := newWorld(t, dryMaps)
	before := w.state(t)
	var stdout, stderr bytes.Buffer
	o := &options{engine: "kernel", dryRun: true, noMount: true, color: "never"}
	sh := newShell(o, strings.NewReader(""), &stdout, &stderr)
	if sh.label != "dry-run" {
		t.Errorf("the prompt's label is %q, want dry-run", sh.label)
	}
	code := fmt.Sprintf("dir, file = %q, %q\n", w.dir, filepath.Join(t.TempDir(), "saved.jsonl")) + w.named(dryRun)
	err := sh.run(o, source{name: "dry.star", text: []byte(code)})
	w.madeNone(t) // what is still open
	if len(w.held) < 10 {
		t.Errorf("this process has %d maps open", len(w.held))
	}
	sh.close()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%v\n%s%s", err, &stdout, &stderr)
	}
	w.unchanged(t, before)
	sees, plan, _ := strings.Cut(w.scrubbed(stdout.String()), "plan: ")
	if diff := cmp.Diff(drySees, sees); diff != "" {
		t.Errorf("the script saw (-want +got):\n%s", diff)
	}
	plan = regexp.MustCompile(`\bid([ =])\d+`).ReplaceAllString("plan: "+plan, "id${1}N")
	plan = regexp.MustCompile(`(?m)^  ~ \d percpu.*\n`).ReplaceAllString(plan, "")
	plan = regexp.MustCompile(`(?s)(  - 1\n  - 3\n)(  - \d+\n)+`).ReplaceAllString(plan, "$1")
	plan = strings.Replace(plan, "  ... 4,460 more", "  ... 4,498 more", 1) // 38 more are cut from the text here
	if diff := cmp.Diff(dryPlan, plan); diff != "" {
		t.Errorf("the plan (-want +got):\n%s", diff)
	}
}

// TestDryRunMapped reads and writes the memory of a map of the kernel, as the variables of a program are.
func TestDryRunMapped(t *testing.T) {
	needKernel(t)
	real := &kernel.Engine{}
	array, _ := engine.TypeByName("array")
	m, err := real.Create(engine.Spec{Type: array, KeySize: 4, ValueSize: 8, MaxEntries: 2, Flags: unix.BPF_F_MMAPABLE})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.WriteAt([]byte{7}, 9); err != nil {
		t.Fatal(err)
	}
	planned, err := dryrun.New(real).OpenID(m.Info().ID, false)
	if err != nil {
		t.Fatal(err)
	}
	defer planned.Close()
	at := func(m engine.Map) byte {
		t.Helper()
		b := make([]byte, 1)
		if err := m.ReadAt(b, 9); err != nil {
			t.Fatal(err)
		}
		return b[0]
	}
	before := at(planned)
	if err := planned.WriteAt([]byte{8}, 9); err != nil {
		t.Fatal(err)
	}
	if got := []byte{before, at(planned), at(m)}; !bytes.Equal(got, []byte{7, 8, 7}) {
		t.Errorf("before the write, after it and in the kernel: got %v, want [7 8 7]", got)
	}
}

// TestDryRunTour runs the tour of all operations on each engine.
func TestDryRunTour(t *testing.T) {
	for _, name := range []string{"kernel", "memory"} {
		t.Run(name, func(t *testing.T) {
			if name == "kernel" {
				needKernel(t)
			}
			text, err := os.ReadFile("../../scripts/tour.star")
			if err != nil {
				t.Fatal(err)
			}
			dir, closeFS := privateBPFFS(name)
			defer closeFS()
			t.Setenv(bpffsVariable, dir)
			run := func(dry bool) string {
				var out bytes.Buffer
				o := &options{engine: name, dryRun: dry, noMount: true, color: "never", format: "table"}
				sh := newShell(o, strings.NewReader(""), &out, &out)
				defer sh.close()
				if status := runtime.Status(sh.run(o, source{name: "tour.star", text: text})); status != 0 {
					t.Fatalf("status %d\n%s", status, &out)
				}
				return out.String()
			}
			free := run(false)
			dry, plan, _ := strings.Cut(run(true), "\nplan: ")
			if strings.TrimSpace(dry) != strings.TrimSpace(free) {
				t.Errorf("got\n%s\nwant\n%s", dry, free)
			}
			if !strings.Contains(plan, `freeze map "tour_flows"`) {
				t.Errorf("the plan is\n%s", plan)
			}
		})
	}
}

// onlyKernels are the scripts that make maps of types which the memory engine has not: a dry run says of each that it is
// not known what making one comes to.
var onlyKernels = strings.Fields(`create_ring create_types create_types_later element_slots handle_objects handle_programs kernelside_device
	kernelside_lacks_use events_errors events_missed events_object events_perf events_ring events_show events_unconsumed scripts_tail`)

// loaded are the scripts that look at the programs which m.kernel loads: in a dry run it loads none.
var loaded = []string{"find_maps_programs"}

// TestDryRunGoldens runs the scripts of testdata in a dry run: they print what they print without, and the plan behind it.
func TestDryRunGoldens(t *testing.T) {
	scripts, err := filepath.Glob("../../testdata/*.star")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts in testdata: %v", err)
	}
	t.Setenv("TMPDIR", t.TempDir()) // for what they write
	for _, name := range []string{"kernel", "memory"} {
		t.Run(name, func(t *testing.T) {
			if name == "kernel" {
				needKernel(t)
			}
			g, close := newGolden(name, false)
			defer close()
			g.Run = func(script string, stdout, stderr io.Writer) int {
				text, err := os.ReadFile(script)
				if err != nil {
					t.Fatal(err)
				}
				t.Setenv(directoryVariable, filepath.Dir(script))
				var out, log bytes.Buffer
				o := &options{engine: name, dryRun: true, noMount: true, color: "never", format: "table"}
				sh := newShell(o, strings.NewReader(""), &out, &log)
				defer sh.close()
				status := runtime.Status(sh.run(o, source{name: script, text: text}))
				seen, _, ok := strings.Cut("\n"+out.String(), "\nplan: ")
				if !ok {
					t.Errorf("there is no plan:\n%s", &out)
				}
				const ended = "bpfsh: it ended in an error: the plan is what would have changed up to there\n"
				io.WriteString(stdout, strings.TrimPrefix(seen+"\n", "\n"))
				io.WriteString(stderr, strings.ReplaceAll(log.String(), ended, ""))
				return status
			}
			for _, script := range scripts {
				base := strings.TrimSuffix(filepath.Base(script), ".star")
				t.Run(base, func(t *testing.T) {
					if slices.Contains(loaded, base) {
						t.Skip("in a dry run m.kernel loads no program")
					}
					err := g.Check(script)
					var lacking *runtime.Lacking
					if errors.As(err, &lacking) {
						t.Skip(err)
					}
					kernels := name == "kernel" && (slices.Contains(onlyKernels, base) || strings.HasPrefix(base, "type_") || strings.HasPrefix(base, "events_"))
					switch {
					case !kernels && err != nil:
						t.Error(err)
					case err != nil && !strings.Contains(err.Error(), "--dry-run: it is not known"):
						t.Errorf("got %v, want that it is not known", err)
					}
				})
			}
		})
	}
}
