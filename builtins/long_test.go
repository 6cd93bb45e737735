package builtins_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
	"time"

	"bpfsh/builtins"
	"bpfsh/builtins/engine/kernel/kerneltest"
	bpfsh "bpfsh/runtime"
)

// usage is what a process holds.
type usage struct {
	goroutines, descriptors int
	heap                    uint64
}

// usageNow collects garbage first: what nobody holds any more closes itself then.
func usageNow(t *testing.T) usage {
	t.Helper()
	runtime.GC()
	runtime.GC()
	time.Sleep(10 * time.Millisecond) // descriptors are closed by a goroutine
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return usage{runtime.NumGoroutine(), openDescriptors(t), s.HeapAlloc}
}

// TestLong lets a script look at a map that another one churns, again and again, and everything that it opens, makes and
// leaves half-way goes: memory, descriptors and goroutines stay as they are after the first rounds. BPFSH_LONG is how long
// it goes on; without it, a second or two.
func TestLong(t *testing.T) {
	length := 1500 * time.Millisecond
	if text := os.Getenv("BPFSH_LONG"); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	library := builtins.New(kerneltest.Engine(t), nil)
	defer library.Close()
	s := bpfsh.New(bpfsh.Config{Predeclared: library.Predeclared()})
	run := func(code string) {
		t.Helper()
		if err := chunk(s, code); err != nil {
			t.Fatal(err)
		}
	}
	run(`
m = create("hash", key="u32", value="struct { u64 packets; u64 bytes; }", max_entries=20000, name="long_flows")
jobs = create("queue", value="u32", max_entries=64)
ring = create("ringbuf", max_entries=4096)
drops = create("percpu_array", value="u64", max_entries=4)
outer = create("hash_of_maps", key="u32", max_entries=4, inner=create("hash", key="u32", value="u32", max_entries=8))
last = snapshot(m)

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
    watch(lambda: drops[seed % 4], every="50ms", max=1)
    pictures = (hist(m.values(), by="bytes"), percpu(drops), changes.same, len(seen), len(taken))
    return (total, best, pictures, str(m.info(holders=True)), [i.name for i in maps("long_*", count=True)], str(m.info()))
`)
	round := func() { run(fmt.Sprintf("churn(%d)\nlook(%d)", rand.IntN(1<<20), rand.IntN(1<<20))) }
	begin := time.Now()
	warm := begin.Add(length / 5)
	for time.Now().Before(warm) {
		round()
	}
	first := usageNow(t)
	most, rounds := first, 0
	sample := time.Now()
	for time.Since(begin) < length {
		round()
		rounds++
		if time.Since(sample) > length/20 {
			now := usageNow(t)
			most.goroutines, most.descriptors, most.heap = max(most.goroutines, now.goroutines), max(most.descriptors, now.descriptors), max(most.heap, now.heap)
			sample = time.Now()
		}
	}
	last := usageNow(t)
	runtime.KeepAlive(s) // else what the script holds is garbage too
	t.Logf("%d rounds in %v: first %+v, most %+v, last %+v", rounds, length, first, most, last)
	const slack = 4 << 20
	if last.goroutines > first.goroutines || last.descriptors > first.descriptors || last.heap > first.heap+slack {
		t.Errorf("after the first rounds it held %+v, and at the end %+v", first, last)
	}
}
