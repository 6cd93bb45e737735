package memory_test

import (
	"bytes"
	"fmt"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"
	"bpfsh/builtins/engine/memory"

	"golang.org/x/sys/unix"
)

// What user space writes between the values of two CPUs comes back.
func TestPadding(t *testing.T) {
	engines(t, func(t *testing.T, e engine.Engine) {
		for _, typ := range []string{"percpu_hash", "percpu_array", "lru_percpu_hash"} {
			m := create(t, e, good(t, typ))
			want := bytes.Repeat([]byte{0xab}, m.Info().Stride())
			got := make([]byte, len(want))
			if err := m.Update(key32(1), want, 0); err != nil {
				t.Fatal(err)
			}
			if _, inMemory := e.(*memory.Engine); !inMemory && !kerneltest.Older("7.0") { // which clears it
				for at := 0; at < len(want); at += 8 {
					clear(want[at+4 : at+8])
				}
			}
			if err := m.Lookup(key32(1), got, 0); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %x, %v", typ, got, err)
			}
		}
	})
}

// The hot paths of user space allocate nothing.
func TestAllocations(t *testing.T) {
	m := counted(t, &memory.Engine{}, good(t, "hash"), 2)
	there, missing, v := key32(1), key32(7), make([]byte, 4)
	for _, c := range []struct {
		op   string
		call func() error
		want error
	}{
		{"lookup, hit", func() error { return m.Lookup(there, v, 0) }, nil},
		{"lookup, miss", func() error { return m.Lookup(missing, v, 0) }, unix.ENOENT},
		{"update", func() error { return m.Update(there, v, 0) }, nil},
		{"next key", func() error { return m.NextKey(nil, v) }, nil},
	} {
		if n := testing.AllocsPerRun(100, func() {
			if err := c.call(); err != c.want {
				t.Fatalf("%s: %v, want %v", c.op, err, c.want)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations, want 0", c.op, n)
		}
	}
}

// What an engine says of the machine.
func TestMachine(t *testing.T) {
	e := &memory.Engine{}
	if n, err := e.CPUs(); n != cpus || err != nil {
		t.Errorf("CPUs are %d, %v; want %d", n, err, cpus)
	}
	if n, err := (&memory.Engine{Processors: 7}).CPUs(); n != 7 || err != nil {
		t.Errorf("CPUs are %d, %v; want 7", n, err)
	}
	if e.Missing(engine.Finding) != "" {
		t.Errorf("missing is %q", e.Missing(engine.Finding))
	}
	before, err := e.Clock()
	after, again := e.Clock()
	if before == 0 || after < before || err != nil || again != nil {
		t.Errorf("the clock says %d, %v and %d, %v", before, err, after, again)
	}
	counted(t, e, good(t, "hash"), 3)
	array := opened(t)(e.Create(good(t, "array")))
	counts, err := e.Counts()
	if _, has := counts[array.Info().ID]; len(counts) != 1 || counts[1] != 3 || has || err != nil {
		t.Errorf("counts are %v, %v", counts, err)
	}
}

// There are no objects beside maps.
func TestObjects(t *testing.T) {
	e := &memory.Engine{}
	_, _, program := e.Program(1)
	_, _, pinned := e.ProgramPin("/sys/fs/bpf/p")
	_, path := e.Path("/")
	_, process := e.Process(1)
	_, descriptor := e.Descriptor(1, 0)
	for what, err := range map[string]error{"program": program, "pin": pinned, "path": path, "process": process, "descriptor": descriptor} {
		if fmt.Sprint(err) != "the memory engine has maps alone, no programs and no other objects" {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := e.NextProgram(0); err != unix.ENOENT {
		t.Errorf("next program: %v, want ENOENT", err)
	}
	m := opened(t)(e.Create(good(t, "array")))
	if owner, err := m.Owner(); owner != 0 || err != nil || m.Value() != m.Info().ID {
		t.Errorf("owner %d, %v; value %d", owner, err, m.Value())
	}
}
