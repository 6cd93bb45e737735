package builtins_test

import (
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"bpfsh/builtins"
	"bpfsh/builtins/engine/kernel/kerneltest"
	"bpfsh/builtins/engine/memory"
	"bpfsh/builtins/engine/memory/faulttest"
	bpfsh "bpfsh/runtime"

	"golang.org/x/sys/unix"
)

// TestNoMemoryAgain makes a map for which there was no memory once more, where another that nobody holds any more may have
// had it, and only there.
func TestNoMemoryAgain(t *testing.T) {
	for _, row := range []struct{ before, err string }{
		{`create("array", value="u64", max_entries=4)`, ""},
		{`m = create("array", value="u64", max_entries=4)`, "there is not enough memory"},
	} {
		e := faulttest.New(&memory.Engine{}, faulttest.Fault{Op: "Create", Nth: 2, Err: unix.ENOMEM})
		_, err := runOn(e, row.before+"\nfor i in range(100): pass\n"+`create("array", value="u64", max_entries=4)`)
		if row.err == "" && err != nil || row.err != "" && (err == nil || !strings.Contains(err.Error(), row.err)) {
			t.Errorf("behind %s: %v, want %q", row.before, err, row.err)
		}
	}
}

// TestDropped opens and makes maps and drops them where the collector never runs for the heap's sake: what they hold stays
// bounded, and what is closed, or held on purpose, is seldom looked for.
func TestDropped(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector takes so much memory that what maps hold is little beside it")
	}
	engine := kerneltest.Engine(t)
	if !alone(t) {
		return
	}
	debug.SetGCPercent(-1)
	pin := fmt.Sprintf("%q", filepath.Join(kerneltest.BPFFS(t), "pinned"))
	for _, row := range []struct {
		code        string
		times       int
		may         usage // beside what there was
		collections uint32
	}{
		{`open(PIN)`, 12000, usage{descriptors: 5000}, 40},
		{`create("array", value="u64", max_entries=4).kernel.update(0, 1)`, 2000, usage{descriptors: 4000}, 20},
		{`events(ring, backlog=True)`, 5000, usage{descriptors: 3000, mappings: 5000}, 40},
		{`create("array", value="u64", max_entries=1 << 17)`, 300, usage{maps: 160 << 20}, 8},
		{`create("array", value="u64", max_entries=1 << 17) if kept else hold()`, 300, usage{maps: 160 << 20}, 8},
		{`outer.swap(0, lambda new: None)`, 40, usage{maps: 160 << 20}, 8},
		{`open(PIN).close()`, 5000, usage{descriptors: 10}, 0},
		{`kept.append(open(PIN))`, 3000, usage{descriptors: 3010}, 4}, // the limit may be 4096
	} {
		library := builtins.New(engine, nil)
		s := bpfsh.New(bpfsh.Config{Predeclared: library.Predeclared()})
		run := func(code string) {
			t.Helper()
			if err := chunk(s, strings.ReplaceAll(code, "PIN", pin)); err != nil {
				t.Fatal(err)
			}
		}
		run(`
create("array", value="u64", max_entries=4).pin(PIN, replace=True)
ring = create("ringbuf", max_entries=4096)
outer = create("array_of_maps", max_entries=1, inner=create("array", value="u64", max_entries=1 << 20))
kept = []
def hold():
    kept.extend([create("array", value="u64", max_entries=1 << 17) for n in range(150)])
    [m.close() for m in kept]
`)
		debug.FreeOSMemory()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		first, most := usageNow(t), usage{}
		for range 20 {
			run(fmt.Sprintf("for i in range(%d): %s", row.times/20, row.code))
			most.most(usageNow(t))
		}
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(s)
		collections := after.NumGC - before.NumGC
		t.Logf("%s: at first %+v, at most %+v, %d collections", row.code, first, most, collections)
		may := first.plus(row.may)
		may.goroutines, may.resident = most.goroutines, most.resident
		if row.may.descriptors == 0 {
			may.descriptors = most.descriptors
		}
		if row.may.mappings == 0 {
			may.mappings = most.mappings
		}
		if row.may.maps == 0 {
			may.maps = most.maps
		}
		if most.exceeds(may) || collections > row.collections {
			t.Errorf("%s: it held %+v at first, and at most %+v; the collector ran %d times", row.code, first, most, collections)
		}
		library.Close()
	}
}
