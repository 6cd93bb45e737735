package builtins_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"bpfsh/builtins"
	"bpfsh/builtins/engine/kernel/kerneltest"
	bpfsh "bpfsh/runtime"
	"bpfsh/runtime/render"
	"bpfsh/runtime/repl"

	"github.com/creack/pty"
)

// TestLong lets a script churn a map, look at it in every way, watch it on a terminal, and drop what it opens, makes and
// loads, again and again: in the last third the process holds no more than in the first, also where the collector has not
// been yet. BPFSH_LONG is how long it goes on; without it, some rounds.
func TestLong(t *testing.T) {
	const rounds = 24
	var length time.Duration
	if text := os.Getenv("BPFSH_LONG"); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	engine := kerneltest.Engine(t)
	if !alone(t) {
		return
	}
	library := builtins.New(engine, nil)
	defer library.Close()
	output := terminal(t)
	s := bpfsh.New(bpfsh.Config{Predeclared: library.Predeclared(), Stdout: output})
	library.SetDisplay(builtins.Display{Out: s.Output(), Flush: s.Flush, Screen: func() builtins.Screen { return output }})
	run := func(code string) {
		t.Helper()
		if err := chunk(s, code); err != nil {
			t.Fatal(err)
		}
	}
	run(strings.ReplaceAll(longScript, "PIN", fmt.Sprintf("%q", filepath.Join(kerneltest.BPFFS(t), "pinned"))))
	var thirds [3]usage // the most of each
	var first usage     // what it held when a collection had been, behind the first third
	begin := time.Now()
	for n := 0; ; n++ {
		done := float64(n) / rounds
		if length > 0 {
			done = float64(time.Since(begin)) / float64(length)
		}
		if done >= 1 {
			t.Logf("%d rounds in %v", n, time.Since(begin))
			break
		}
		if done >= 1.0/3 && first == (usage{}) {
			first = usageCollected(t)
		}
		third := &thirds[int(3*done)]
		run("drop()")
		third.most(usageNow(t))
		run(fmt.Sprintf("churn(%d)\nlook(%d)", rand.IntN(1<<20), rand.IntN(1<<20)))
		third.most(usageNow(t))
	}
	for i, most := range thirds {
		t.Logf("third %d: at most %+v", i+1, most)
	}
	may := thirds[0].plus(usage{goroutines: 8, descriptors: 1500, mappings: 1000, resident: 40 << 20, maps: 64 << 20})
	if thirds[2].exceeds(may) {
		t.Errorf("in the first third it held at most %+v, and in the last %+v", thirds[0], thirds[2])
	}
	may = first.plus(usage{mappings: 100, resident: 40 << 20, maps: 4 << 20})
	for end := time.Now().Add(10 * time.Second); ; {
		last := usageCollected(t)
		if !last.exceeds(may) {
			break
		}
		if time.Now().After(end) {
			t.Errorf("when a collection has been it held %+v behind the first third, and %+v at the end", first, last)
			break
		}
	}
	runtime.KeepAlive(s) // else what the script holds is garbage too
}

// usageCollected is what is held when a collection has been.
func usageCollected(t *testing.T) usage {
	t.Helper()
	runtime.GC()
	time.Sleep(50 * time.Millisecond) // descriptors are closed by a goroutine
	return usageNow(t)
}

// terminal is an output that draws on a terminal that nobody looks at.
func terminal(t *testing.T) *repl.Output {
	t.Helper()
	master, slave, err := pty.Open()
	if err == nil {
		err = pty.Setsize(slave, &pty.Winsize{Rows: 40, Cols: 120})
	}
	if err != nil {
		t.Fatal(err)
	}
	seen := make(chan int64)
	go func() {
		n, _ := io.Copy(io.Discard, master) // it ends with an error when the other side is closed
		seen <- n
	}()
	t.Cleanup(func() {
		slave.Close()
		if <-seen == 0 {
			t.Error("nothing was drawn")
		}
		master.Close()
	})
	return repl.NewOutput(slave, render.Escape, false)
}

// longScript is what TestLong does in a round.
const longScript = `
m = create("hash", key="u32", value="struct { u64 packets; u64 bytes; }", max_entries=20000, name="long_flows")
jobs = create("queue", value="u32", max_entries=64)
ring = create("ringbuf", max_entries=4096)
drops = create("percpu_array", value="u64", max_entries=4)
outer = create("hash_of_maps", key="u32", max_entries=4, inner=create("hash", key="u32", value="u32", max_entries=8))
last = snapshot(m)
one = create("array", value="u64", max_entries=4, name="long_pinned")
one.pin(PIN)

def drop():
    for n in range(200):
        load_object("../testdata/object/flow.o").maps
    for n in range(200):
        open(PIN)
    for n in range(100):
        create("array", value="u64", max_entries=4)
    for n in range(10):
        create("array", value="u64", max_entries=4).kernel.update(0, n)
        events(ring, backlog=True)
    for n in range(8):
        create("array", value="u64", max_entries=1 << 19)
    outer.swap(0, lambda new: new.update(1, 1))

def churn(seed):
    m.update_batch([(n * seed % 30000, (n, 60 * n)) for n in range(500)] if m.count() < 15000 else [])
    for k, v in m.items():
        if v.packets % 7 == seed % 7:
            m.delete(k, missing_ok=True)

def look(seed):
    total = sum(m.values(), by="bytes")
    best = top(m.items(), 10, by="packets")
    for batch in m.lookup_batch(100):
        break
    for k in m:
        break
    copy = create(like=m)
    copy.update_batch(m.lookup_batch())
    for batch in copy.pop_batch(64):
        break
    again = open(m.id)
    if seed % 2:
        again.close()
    catch(lambda: again["no key"])
    m.kernel.update(seed % 1000, (seed, seed))
    again.kernel.lookup(seed % 1000) if seed % 2 == 0 else None
    jobs.push(seed % 100, BPF_EXIST)
    catch(lambda: [fail("half-way") for _ in m])
    ring.kernel.output((seed % 100, seed), type="struct { u32 a; u64 b; }")
    seen = [e.a for e in events(ring, type="struct { u32 a; u64 b; }", backlog=True, max=1)]
    taken = [e.a for e in events(ring, type="struct { u32 a; u64 b; }", consume=True, max=1)]
    for e in events(ring, backlog=True, idle="1ms"):
        break
    now = snapshot(m)
    changes = diff(last, now)
    apply(copy, now)
    outer.swap(seed % 4, lambda new: new.update(1, seed % 100))
    drops[seed % 4] = [seed % 1000] * cpus()
    watch(m, by="bytes", every="50ms", max=2)
    watch(m, by="packets", every="50ms", max=1, format="jsonl")
    watch(lambda: drops[seed % 4], every="50ms", max=1)
    pictures = (hist(m.values(), by="bytes"), percpu(drops), changes.same, len(seen), len(taken))
    return (total, best, pictures, str(m.info(holders=True)), [i.name for i in maps("long_*", count=True)], str(m.info()))
`
