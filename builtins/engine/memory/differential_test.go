package memory_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel"
	"bpfsh/builtins/engine/kernel/kerneltest"
	"bpfsh/builtins/engine/memory"

	"golang.org/x/sys/unix"
)

// cpus is the number of possible CPUs, the same for both engines.
var cpus, _ = new(kernel.Engine).CPUs()

// number is what an environment variable asks for.
func number(t testing.TB, name string, otherwise uint64) uint64 {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestDifferential does the same on the kernel and in memory, and wants the same answers: results, errnos, counts,
// and what is in the map at the end. BPFSH_DIFF_OPS is how many steps to do, in scenarios of some hundred;
// BPFSH_DIFF_SEED the seed of the first scenario, as it was printed.
func TestDifferential(t *testing.T) {
	p := &pair{t: t, kernel: kerneltest.Engine(t), dir: kerneltest.BPFFS(t)}
	defer p.kernel.Close()
	want := int(number(t, "BPFSH_DIFF_OPS", 10_000))
	seed := number(t, "BPFSH_DIFF_SEED", uint64(time.Now().UnixNano()))
	t.Logf("BPFSH_DIFF_SEED=%d", seed)
	done, scenarios, found := 0, 0, 0
	for ; done < want; seed++ {
		r := rand.New(rand.NewPCG(seed, 0))
		s := newScenario(r, 20+r.IntN(300))
		n, at := p.run(s, nil)
		if scenarios++; (done+n)/100_000 > done/100_000 {
			t.Logf("%d steps", done+n)
		}
		done += n
		if at < 0 {
			continue
		}
		first := p.differs
		s.ops = s.ops[:at+1]
		p.shrink(s)
		notes := map[int]string{}
		p.run(s, notes)
		t.Errorf("BPFSH_DIFF_SEED=%d\nfirst %s\n%s", seed, first, s.script(notes))
		if found++; found == 5 {
			t.Fatal("and so on")
		}
	}
	t.Logf("%d steps in %d scenarios; %d ended early, as the kernel had no memory", done, scenarios, p.outOfMemory)
}

// pair runs scenarios on both engines.
type pair struct {
	t      *testing.T
	kernel *kernel.Engine
	dir    string
	// outOfMemory is how many scenarios ended early, because the kernel had no memory for an entry. It keeps a stock for
	// those that are made when they are written, and of a percpu_hash with large values it is small.
	outOfMemory int
	// differs is the last step on which they did not agree.
	differs string
}

// worlds are the two engines at the start of a scenario.
func (p *pair) worlds(s *scenario) (worlds [2]*world, err [2]error) {
	for i, e := range []engine.Engine{p.kernel, &memory.Engine{BPFFS: p.dir}} {
		w := &world{e: e, s: s, added: map[string]bool{}}
		worlds[i] = w
		for _, in := range s.inner {
			w.inner = append(w.inner, create(p.t, e, in))
		}
		m, failed := kerneltest.Create(p.t, e, s.spec)
		if err[i] = failed; failed != nil {
			continue
		}
		w.handles[0], w.id = m, m.Info().ID
	}
	return worlds, err
}

func create(t testing.TB, e engine.Engine, spec engine.Spec) engine.Map {
	t.Helper()
	return kerneltest.Map(t, e, spec)
}

// run does the steps on both, until they do not agree: that is the step at, or the number of steps for what is there
// at the end, or -1. notes get the answers.
func (p *pair) run(s *scenario, notes map[int]string) (done, at int) {
	worlds, err := p.worlds(s)
	for _, w := range worlds {
		defer w.close(p.t)
	}
	if err[0] != nil || err[1] != nil {
		tooLarge := err[0] == unix.E2BIG && err[1] == unix.ENOMEM && kerneltest.Older("5.11") // which counts it itself
		if err[0] == err[1] || tooLarge {
			return 1, -1
		}
		note(notes, 0, fmt.Sprintf("create: kernel %v, memory %v", err[0], err[1]))
		return 1, 0
	}
	last := []operation{{name: "info"}, {name: "walk"}, {name: "counts"}, {name: "holders"}}
	if s.kind().Shape == engine.Ordered {
		for range s.spec.MaxEntries {
			last = append(last, operation{name: "pop"})
		}
	}
	last = slices.DeleteFunc(last, func(o operation) bool { return !s.there(o) })
	for i, o := range slices.Concat(s.ops, last) {
		if o.path != "" {
			o.path = p.dir + "/" + o.path
		}
		a, ok := worlds[0].do(&o)
		b, _ := worlds[1].do(&o)
		if ok {
			done++
		}
		if i < len(s.ops) {
			note(notes, i, a.String())
		}
		if a.err == "ENOMEM" { // the kernel has no memory in stock for an entry that was not made beforehand
			p.outOfMemory++
			return done, -1
		}
		if a != b {
			p.differs = fmt.Sprintf("%s: kernel %v, memory %v", &o, a, b)
			note(notes, min(i, len(s.ops)-1), p.differs)
			return done, min(i, len(s.ops)-1)
		}
	}
	return done, -1
}

func note(notes map[int]string, i int, text string) {
	if notes != nil {
		notes[i] += "  # " + text
	}
}

// shrink leaves out what the engines do not agree without.
func (p *pair) shrink(s *scenario) {
	fails := func(ops []operation) bool {
		smaller := *s
		smaller.ops = ops
		_, at := p.run(&smaller, nil)
		return at >= 0
	}
	for size := len(s.ops) / 2; size > 0; size /= 2 {
		for at := 0; at+size <= len(s.ops) && len(s.ops) > 1; {
			if fewer := slices.Concat(s.ops[:at], s.ops[at+size:]); len(fewer) > 0 && fails(fewer) {
				s.ops = fewer
			} else {
				at += size
			}
		}
	}
}

func key32(n uint32) []byte { return binary.NativeEndian.AppendUint32(nil, n) }
