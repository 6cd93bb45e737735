package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
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

	"golang.org/x/sys/unix"
)

// dryMaps makes maps of all kinds, with entries, and pins some of them.
const dryMaps = `
flows = create("hash", key="ipv4", value="struct { u64 packets; u64 bytes; }", max_entries=16, name="dry_flows")
flows["10.0.0.1"] = (3, 180)
flows["10.0.0.2"] = (1, 60)
flows.pin(dir + "/flows")
slots = create("array", value="u64", max_entries=4, flags=BPF_F_MMAPABLE, name="dry_slots")
slots[1] = 1
slots.pin(dir + "/slots")
recent = create("lru_hash", key="u32", value="u32", max_entries=64, name="dry_recent")
recent.update_batch({n: n for n in range(10)})
hits = create("percpu_hash", key="u32", value="u64", max_entries=4, name="dry_hits")
hits[1] = [1] * cpus()
ticks = create("percpu_array", value="u64", max_entries=2, name="dry_ticks")
routes = create("lpm_trie", key="cidr4", value="u32", max_entries=8, name="dry_routes")
routes["10.0.0.0/8"] = 8
jobs = create("queue", value="u32", max_entries=4, name="dry_jobs")
jobs.push(1)
undo = create("stack", value="u32", max_entries=4, name="dry_undo")
undo.push(1)
seen = create("bloom_filter", value="u32", max_entries=64, name="dry_seen")
seen.push(1)
inner = create("array", value="u32", max_entries=2, name="dry_inner")
outer = create("hash_of_maps", key="u32", inner=inner, max_entries=4, name="dry_outer")
outer[1] = inner
frozen = create("hash", key="u32", value="u32", max_entries=4, name="dry_frozen")
frozen[1] = 1
frozen.freeze()
many = create("hash", key="u32", value="u32", max_entries=10000, name="dry_many")
many.update_batch({n: n for n in range(9000)})
tails = create("prog_array", max_entries=2, name="dry_tails")
`

// dryRun changes them, by every way there is, and says what it sees.
const dryRun = `
flows = open(dir + "/flows")
[slots, recent, hits, ticks, routes, jobs, undo, seen, inner, outer, frozen, many, tails] = [
    open("dry_" + name) for name in "slots recent hits ticks routes jobs undo seen inner outer frozen many tails".split()]
flows["10.0.0.1"] = flows["10.0.0.1"].replace(packets=4)
flows.update("10.0.0.9", (1, 60), BPF_NOEXIST)
print(flows.pop("10.0.0.2"), flows.count(), sorted(flows.keys()), open("dry_flows")["10.0.0.1"].packets)
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
new = create("array", value="u32", max_entries=2, name="dry_new")
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
print([m.name for m in maps("dry_new")], open("dry_new") == new, maps("dry_many", count=True)[0].entries)
new.pin(dir + "/new")
inner.pin(dir + "/slots", replace=True)
flows.unpin(dir + "/flows")
print(open(dir + "/new") == new, open(dir + "/slots") == inner, catch(open, dir + "/flows")[1].errno, catch(new.pin, dir + "/slots")[1].errno)
flows.freeze()
print(flows.frozen, open(flows.id).frozen, catch(flows.clear)[1].errno)
`

const drySees = `record(packets=1, bytes=60) 2 ["10.0.0.1", "10.0.0.9"] 4
4 0
20 [20, 0]
7 7
16 8 ("10.0.0.0/8", 8)
1 1 pop: map "dry_jobs": --dry-run: it is not known which value is behind the first: only taking that out would tell (EPERM)
3 2 1 peek: map "dry_undo": --dry-run: it is not known which value is behind the first: only taking that out would tell (EPERM)
True True
True 9 4 2 True
EPERM None 2
4500 4500 4500
4500
delete: map "dry_tails": key 0: --dry-run: it is not known what a write does to a map of this type, which only a kernel has (EPERM)
["dry_new"] True 4500
True True ENOENT EEXIST
True True EPERM
`

const dryPlan = `plan: map "dry_flows" (id N): 1 added, 1 changed, 1 removed
  ~ "10.0.0.1" record(packets=3, bytes=180) -> record(packets=4, bytes=180)
  - "10.0.0.2"
  + "10.0.0.9" -> record(packets=1, bytes=60)
plan: map "dry_slots" (id N): 1 changed
  ~ 1 1 -> 0
plan: map "dry_recent" (id N): 10 removed
  - 0
  - 1
  - 2
  - 3
  - 4
  - 5
  - 6
  - 7
  - 8
  - 9
plan: map "dry_hits" (id N): 1 changed
plan: map "dry_ticks" (id N): 1 changed
plan: map "dry_routes" (id N): 1 added
  + "10.1.0.0/16" -> 16
plan: map "dry_jobs" (id N): 1 pushed, 1 popped
  push 2
  pop 1
plan: map "dry_undo" (id N): 2 pushed, 3 popped
  push 2
  push 3
  pop 3
  pop 2
  pop 1
plan: map "dry_seen" (id N): 1 pushed
  push 2
plan: create array "dry_new" key=u32 value=u32 max_entries=2: 1 added
  + 1 -> 9
plan: map "dry_outer" (id N): 1 added
  + 2 -> map "dry_new"
plan: map "dry_inner" (id N): 1 changed
  ~ 0 0 -> 4
plan: map "dry_frozen" (id N): 1 changed
  ~ 1 1 -> 2
plan: map "dry_many" (id N): 4,500 removed
  - 1
  - 3
  ... 4,498 more
plan: pin map "dry_new" at DIR/new
plan: pin map "dry_inner" (id N) at DIR/slots, in place of id N
plan: unpin map "dry_flows" (id N) from DIR/flows
plan: freeze map "dry_flows" (id N)
`

// TestDryRunKernel changes maps of the kernel in a dry run, and finds them afterwards as they were.
func TestDryRunKernel(t *testing.T) {
	needKernel(t)
	kerneltest.Since(t, "5.16", "bloom_filter")
	dir, closeFS := privateBPFFS("kernel")
	if dir == "" {
		t.Fatal("there is no bpffs")
	}
	defer closeFS()
	// Names are the run's own, since kernels keep a prog_array now and then that nobody holds any more.
	prefix := fmt.Sprintf("d%05x_", rand.N(1<<20))
	named := func(text string) string { return strings.ReplaceAll(text, "dry_", prefix) }
	var out bytes.Buffer
	owner := newShell(&options{engine: "kernel", noMount: true, color: "never"}, strings.NewReader(""), &out, &out)
	defer owner.close()
	where := fmt.Sprintf("dir = %q\n", dir)
	if err := owner.run(&options{}, source{name: "made.star", text: []byte(where + named(dryMaps)), code: true}); err != nil {
		t.Fatal(err, out.String())
	}
	defer clear(owner.session.Globals())
	before := dryState(t, dir, prefix)
	var stdout, stderr bytes.Buffer
	o := &options{engine: "kernel", dryRun: true, noMount: true, color: "never"}
	sh := newShell(o, strings.NewReader(""), &stdout, &stderr)
	if sh.label != "dry-run" {
		t.Errorf("the prompt's label is %q, want dry-run", sh.label)
	}
	err := sh.run(o, source{name: "dry.star", text: []byte(where + named(dryRun))})
	sh.close()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%v\n%s%s", err, &stdout, &stderr)
	}
	after := dryState(t, dir, prefix)
	if !maps.Equal(before, after) {
		for _, key := range slices.Sorted(maps.Keys(after)) {
			if before[key] != after[key] {
				t.Errorf("%s was %.200q and is %.200q", key, before[key], after[key])
			}
		}
		t.Errorf("%d things there, %d before", len(after), len(before))
	}
	sees, plan, _ := strings.Cut(stdout.String(), "plan: ")
	if sees != named(drySees) {
		t.Errorf("the script saw\n%s, want\n%s", sees, named(drySees))
	}
	plan = regexp.MustCompile(`\bid \d+`).ReplaceAllString("plan: "+plan, "id N")
	plan = strings.ReplaceAll(plan, dir, "DIR")
	plan = regexp.MustCompile(`(?m)^  ~ \d percpu.*\n`).ReplaceAllString(plan, "")
	plan = regexp.MustCompile(`(?s)(  - 1\n  - 3\n)(  - \d+\n)+`).ReplaceAllString(plan, "$1")
	plan = strings.Replace(plan, "  ... 4,460 more", "  ... 4,498 more", 1) // 38 more are cut from the text here
	if plan != named(dryPlan) {
		t.Errorf("got\n%swant\n%s", plan, named(dryPlan))
	}
}

// dryState is all that can be read of the test's own maps and pins.
func dryState(t *testing.T, dir, prefix string) map[string]string {
	e := &kernel.Engine{}
	state := map[string]string{}
	for id := uint32(0); ; {
		next, err := e.NextID(id)
		if errors.Is(err, unix.ENOENT) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		id = next
		m, err := e.OpenID(id, true)
		if errors.Is(err, unix.ENOENT) { // of another test
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(m.Info().Name, prefix) {
			name := fmt.Sprintf("%s id=%d", m.Info().Name, id)
			frozen, err := m.Frozen()
			memory, err2 := m.Memory()
			state[name] = fmt.Sprintf("%+v frozen %v %v memory %d %v", *m.Info(), frozen, err, memory, err2)
			dryEntries(t, m, state, name)
		}
		m.Close()
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		m, err := e.OpenPin(dir+"/"+f.Name(), true)
		if err != nil { // the kernel puts things of its own there
			state["pin "+f.Name()] = err.Error()
			continue
		}
		state["pin "+f.Name()] = fmt.Sprint(m.Info().ID)
		m.Close()
	}
	if len(state) < 10 {
		t.Fatalf("there are only %d things", len(state))
	}
	return state
}

func dryEntries(t *testing.T, m engine.Map, state map[string]string, name string) {
	switch kind := engine.KindOf(m.Info().Type); kind.Shape {
	case engine.Members:
		var found []bool
		for n := range 100 {
			found = append(found, m.Lookup(nil, []byte{byte(n), 0, 0, 0}, 0) == nil)
		}
		state[name+" members"] = fmt.Sprint(found)
		return
	case engine.Ordered:
		value := make([]byte, m.Info().ValueSize)
		err := m.Lookup(nil, value, 0)
		state[name+" next"] = fmt.Sprint(value, err)
		return
	}
	k, v := int(m.Info().KeySize), m.Info().Stride()
	for walk := engine.NewWalk(m, 0); ; {
		b, err := walk.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.N {
			state[fmt.Sprintf("%s[%x]", name, b.Keys[i*k:(i+1)*k])] = fmt.Sprintf("%x", b.Values[i*v:(i+1)*v])
		}
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
	kernelside_lacks_use events_errors events_missed events_object events_perf events_ring events_show scripts_tail`)

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
