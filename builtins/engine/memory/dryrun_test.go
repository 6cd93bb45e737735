package memory_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/dryrun"
	"bpfsh/builtins/engine/memory"

	"golang.org/x/sys/unix"
)

// TestDryRun does the same steps on an engine, and in a dry run on another that is like it, and wants the same answers.
// The other must be as before, and what the plan says must lead from what it has to what the first has then.
// BPFSH_DIFF_OPS and BPFSH_DIFF_SEED are as for TestDifferential.
func TestDryRun(t *testing.T) {
	want := int(number(t, "BPFSH_DIFF_OPS", 20_000))
	seed := number(t, "BPFSH_DIFF_SEED", uint64(time.Now().UnixNano()))
	t.Logf("BPFSH_DIFF_SEED=%d", seed)
	done, unknown, planned, found := 0, 0, 0, 0
	for ; done < want && found < 5; seed++ {
		r := rand.New(rand.NewPCG(seed, 0))
		s := newScenario(r, 40+r.IntN(300))
		if s.exact && (s.buckets() || s.bloom()) { // a copy has another order, and its own false answers
			done++
			continue
		}
		p := &planning{t: t, s: s}
		if err := p.run(r.IntN(len(s.ops))); err != nil {
			t.Errorf("BPFSH_DIFF_SEED=%d\n%v", seed, err)
			found++
		}
		done += p.done
		planned += p.planned
		if p.unknown {
			unknown++
		}
	}
	t.Logf("%d steps, %d entries in plans; in %d scenarios something could not be known", done, planned, unknown)
}

// planning is one scenario.
type planning struct {
	t       *testing.T
	s       *scenario
	done    int
	planned int
	unknown bool
}

// run does the first steps on two engines, and the rest on one of them and in a dry run on the other.
func (p *planning) run(before int) error {
	var real [2]*memory.Engine
	var worlds [2]*world
	for i := range worlds {
		real[i] = &memory.Engine{Processors: cpus}
		w := &world{e: real[i], s: p.s, added: map[string]bool{}}
		for _, in := range p.s.inner {
			w.inner = append(w.inner, create(p.t, real[i], in))
		}
		m, err := real[i].Create(p.s.spec)
		if err != nil {
			return nil
		}
		defer m.Close()
		w.handles[0], w.id = m, m.Info().ID
		for _, o := range p.s.ops[:before] {
			if o.path != "" {
				o.path = "/sys/fs/bpf/" + o.path
			}
			if o.name != "close" && o.name != "write_at" { // a copy has zeros between values and behind them
				w.do(&o)
			}
		}
		worlds[i] = w
	}
	for i, w := range worlds { // from here on by handles that were opened
		if i == 1 {
			w.e = dryrun.New(real[1])
		}
		reopened := func(m engine.Map) engine.Map {
			again, err := w.e.OpenID(m.Info().ID, false)
			if err != nil {
				p.t.Fatal(err)
			}
			p.t.Cleanup(func() { again.Close() })
			return again
		}
		w.handles = [handles]engine.Map{reopened(w.handles[0])}
		for j, m := range w.inner {
			w.inner[j] = reopened(m)
		}
		w.cur = engine.Cursor{}
	}
	as := state(p.t, real[1])
	err := p.compare(worlds, p.s.ops[before:])
	if err == nil && !p.unknown {
		err = p.plan(worlds[1].e.(*dryrun.Engine), real, worlds[0].id)
	}
	if now := state(p.t, real[1]); now != as {
		err = errors.Join(err, fmt.Errorf("the engine was\n%s\nand is\n%s", as, now))
	}
	return err
}

// compare does steps on both. It ends where the dry run cannot know something.
func (p *planning) compare(worlds [2]*world, ops []operation) error {
	notes := map[int]string{}
	last := []operation{{name: "info"}, {name: "walk"}, {name: "counts"}, {name: "holders"}}
	for i, o := range slices.Concat(ops, last) {
		if o.path != "" {
			o.path = "/sys/fs/bpf/" + o.path
		}
		a, ok := worlds[0].do(&o)
		b, _ := worlds[1].do(&o)
		if ok {
			p.done++
		}
		note(notes, i, b.String())
		kind := p.s.kind()
		switch {
		case a == b:
		case b.err == errUnknown && (kind.Nests || kind.Shape == engine.Ordered),
			kind.Shape == engine.Ordered && a.err == "E2BIG": // whether there is room is not known
			p.unknown = true
			return nil
		default:
			p.s.ops = ops
			return fmt.Errorf("%s: got %v, want %v\n%s", &o, b, a, p.s.script(notes))
		}
	}
	return nil
}

// plan wants that the plan leads from the contents of the second engine to those of the first.
func (p *planning) plan(e *dryrun.Engine, real [2]*memory.Engine, id uint32) error {
	changes, err := e.Plan()
	if err != nil {
		return err
	}
	if !p.s.kind().Keyed() {
		return nil
	}
	got := contents(p.t, real[1], id)
	for _, c := range changes {
		if c.Map.ID != id || c.Entries.Each == nil {
			continue
		}
		n := 0
		if err := c.Entries.Each(nil, func(e engine.EntryChange) error {
			n++
			key := string(e.Key)
			if old, there := got[key]; there != (e.Old != nil) || there && old != string(e.Old) {
				return fmt.Errorf("plan: key %x was %x, and not %x", key, old, e.Old)
			}
			if delete(got, key); e.New != nil {
				got[key] = string(e.New)
			}
			return nil
		}); err != nil {
			return err
		}
		if n != c.Entries.Added+c.Entries.Changed+c.Entries.Removed {
			return fmt.Errorf("plan: %d entries, said to be %+v", n, c.Entries)
		}
		p.planned += n
	}
	want := contents(p.t, real[0], id)
	if p.s.kind().Nests || p.s.kind().Trie { // ids differ; a prefix may have other bits behind it
		if len(got) != len(want) {
			return fmt.Errorf("plan: leads to %d entries, want %d", len(got), len(want))
		}
		return nil
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		return fmt.Errorf("plan: leads to %x, want %x", got, want)
	}
	return nil
}

// contents are the entries of a map with keys.
func contents(t *testing.T, e engine.Engine, id uint32) map[string]string {
	m, err := e.OpenID(id, true)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	got := map[string]string{}
	k, v := int(m.Info().KeySize), m.Info().Stride()
	for walk := engine.NewWalk(m, 0); ; {
		b, err := walk.Next()
		if err == io.EOF {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.N {
			got[string(b.Keys[i*k:(i+1)*k])] = string(b.Values[i*v : (i+1)*v])
		}
	}
}

// state is all that there is on an engine: ids, what is frozen, entries, and pins.
func state(t *testing.T, e engine.Engine) string {
	var sb bytes.Buffer
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
		if err != nil {
			t.Fatal(err)
		}
		frozen, err := m.Frozen()
		fmt.Fprintf(&sb, "%d: %+v frozen %v %v\n", id, *m.Info(), frozen, err)
		switch kind := engine.KindOf(m.Info().Type); {
		case kind.Keyed():
			fmt.Fprintf(&sb, "%x\n", contents(t, e, id))
		case kind.Shape == engine.Ordered:
			value := make([]byte, m.Info().ValueSize)
			err := m.Lookup(nil, value, 0)
			fmt.Fprintf(&sb, "%x %v\n", value, err)
		}
		m.Close()
	}
	for _, name := range pinNames {
		m, err := e.OpenPin("/sys/fs/bpf/"+name, true)
		fmt.Fprintf(&sb, "%s: %v", name, err)
		if err == nil {
			fmt.Fprintf(&sb, "%d", m.Info().ID)
			m.Close()
		}
		sb.WriteByte('\n')
	}
	return sb.String()
}
