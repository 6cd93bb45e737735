package kernel_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

var (
	u32  = &btf.Int{Name: "u32", Size: 4}
	u64  = &btf.Int{Name: "u64", Size: 8}
	addr = &btf.Typedef{Name: "ipv4", Type: u32}
	flow = &btf.Struct{Name: "flow", Size: 8, Members: []btf.Member{
		{Name: "from", Type: addr},
		{Name: "port", Type: &btf.Array{Type: &btf.Int{Name: "u16", Size: 2}, Index: u32, Nelems: 2}, Offset: 32},
	}}
	cidr = &btf.Struct{Name: "cidr4", Size: 8, Members: []btf.Member{{Name: "prefixlen", Type: u32}, {Name: "addr", Type: addr, Offset: 32}}}
	odd  = &btf.Struct{Name: "not a name", Size: 8, Members: []btf.Member{{Name: "all", Type: u64}}}
)

// The kernel keeps the types, for whoever opens the map.
func TestTypes(t *testing.T) {
	for _, c := range []struct {
		typ        string
		key, value btf.Type
		inner      *engine.Spec
		kept       bool
	}{
		{"hash", flow, flow, nil, true},
		{"hash", addr, flow, nil, true},
		{"array", u32, flow, nil, true},
		{"percpu_hash", addr, u64, nil, true},
		{"lru_hash", addr, u64, nil, true},
		{"bloom_filter", nil, flow, nil, true},
		{"hash", u32, nil, nil, false},
		{"hash", nil, nil, nil, false},
		{"queue", nil, flow, nil, false},
		{"stack", nil, u64, nil, false},
		{"lpm_trie", cidr, flow, nil, true},
		{"lpm_trie", u64, flow, nil, false}, // the key of a trie must be a struct
		{"devmap_hash", u32, u64, nil, false},
		{"hash", u64, flow, nil, false}, // of another size than the map says
		{"hash", addr, odd, nil, false}, // the kernel does not take the type itself
		{"array_of_maps", u32, u32, &engine.Spec{Type: 2, KeySize: 4, ValueSize: 8, MaxEntries: 1, Key: u32, Value: u64}, false},
		{"array_of_maps", u32, u32, &engine.Spec{Type: 2, KeySize: 4, ValueSize: 8, MaxEntries: 1, Key: u32, Value: odd}, false},
	} {
		t.Run(fmt.Sprintf("%s %v %v", c.typ, c.key, c.value), func(t *testing.T) {
			e := kerneltest.Engine(t)
			spec := engine.Spec{Type: kerneltest.Type(t, c.typ), KeySize: 4, ValueSize: 8, MaxEntries: 4, Key: c.key, Value: c.value, Inner: c.inner}
			switch {
			case c.inner != nil:
				spec.ValueSize = 4
			case c.typ == "bloom_filter", c.typ == "queue", c.typ == "stack":
				spec.KeySize = 0
			case c.typ == "lpm_trie", c.key == btf.Type(flow):
				spec.KeySize = 8
			}
			m := kerneltest.Map(t, e, spec)
			pin := filepath.Join(kerneltest.BPFFS(t), "m")
			if err := m.Pin(pin, false); err != nil {
				t.Fatal(err)
			}
			byID, err := e.OpenID(m.Info().ID, false)
			if err != nil {
				t.Fatal(err)
			}
			defer byID.Close()
			byPin, err := e.OpenPin(pin, true)
			if err != nil {
				t.Fatal(err)
			}
			defer byPin.Close()
			var wantKey, wantValue btf.Type
			if c.kept {
				wantKey, wantValue = c.key, c.value
			}
			for _, m := range []engine.Map{m, byID, byPin} {
				key, value := m.Types()
				if !reflect.DeepEqual(key, wantKey) || !reflect.DeepEqual(value, wantValue) {
					t.Errorf("types are %9v and %9v, want %9v and %9v", key, value, wantKey, wantValue)
				}
			}
		})
	}
}

func TestCreate(t *testing.T) {
	e := kerneltest.Engine(t)
	cpus, err := e.CPUs()
	if err != nil || cpus < 1 {
		t.Fatalf("CPUs() = %d, %v", cpus, err)
	}
	for _, c := range []struct {
		spec engine.Spec
		cpus int
		want error
	}{
		{engine.Spec{Type: 1, KeySize: 4, ValueSize: 70, MaxEntries: 9}, 0, nil},
		{engine.Spec{Type: 5, KeySize: 16, ValueSize: 4, MaxEntries: 9}, cpus, nil},
		{engine.Spec{Type: 1, KeySize: 4, ValueSize: 4, MaxEntries: 9, Flags: unix.BPF_F_ZERO_SEED | unix.BPF_F_NO_PREALLOC}, 0, nil},
		{engine.Spec{Type: 30, ValueSize: 4, MaxEntries: 9, MapExtra: 3}, 0, nil},
		{engine.Spec{Type: 1, KeySize: 4, ValueSize: 4, MaxEntries: 9, Flags: unix.BPF_F_NUMA_NODE}, 0, nil},
		{engine.Spec{Type: 1, KeySize: 0, ValueSize: 4, MaxEntries: 9}, 0, unix.EINVAL},
		{engine.Spec{Type: 1, KeySize: 4, ValueSize: 4}, 0, unix.EINVAL},
		{engine.Spec{Type: 5, KeySize: 4, ValueSize: 1 << 20, MaxEntries: 9}, 0, unix.E2BIG},
		{engine.Spec{Type: 1, KeySize: 4, ValueSize: 4, MaxEntries: 9, Flags: unix.BPF_F_NUMA_NODE, NumaNode: 1000}, 0, unix.EINVAL},
		{engine.Spec{Type: 9999, KeySize: 4, ValueSize: 4, MaxEntries: 9}, 0, unix.EINVAL},
	} {
		t.Run(fmt.Sprintf("%+v", c.spec), func(t *testing.T) {
			m, err := kerneltest.Create(t, e, c.spec)
			if c.want != nil || err != nil {
				if err != c.want {
					t.Errorf("got %v, want %v", err, c.want)
				}
				return
			}
			i := m.Info()
			if i.ID == 0 || i.Type != c.spec.Type || i.KeySize != c.spec.KeySize || i.ValueSize != c.spec.ValueSize || i.MaxEntries != c.spec.MaxEntries ||
				i.Flags != c.spec.Flags || i.MapExtra != c.spec.MapExtra || i.CPUs != c.cpus || i.ReadOnly || i.Name == "" {
				t.Errorf("got %+v", *i)
			}
		})
	}
}

// A handle that was opened for reading only cannot write, however it was opened.
func TestReadOnly(t *testing.T) {
	e := kerneltest.Engine(t)
	m := hash(t, e)
	if err := m.Update(number(1), number(10), 0); err != nil {
		t.Fatal(err)
	}
	pin := filepath.Join(kerneltest.BPFFS(t), "m")
	if err := m.Pin(pin, false); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		how  string
		open func(readonly bool) (engine.Map, error)
	}{
		{"id", func(readonly bool) (engine.Map, error) { return e.OpenID(m.Info().ID, readonly) }},
		{"pin", func(readonly bool) (engine.Map, error) { return e.OpenPin(pin, readonly) }},
	} {
		for _, readonly := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s %v", c.how, readonly), func(t *testing.T) {
				opened, err := c.open(readonly)
				if err != nil {
					t.Fatal(err)
				}
				defer opened.Close()
				if got := opened.Info(); got.ID != m.Info().ID || got.ReadOnly != readonly {
					t.Errorf("got %+v, want id %d, read-only %v", *got, m.Info().ID, readonly)
				}
				cur, buf := engine.Cursor{}, make([]byte, 4)
				if _, err := opened.LookupBatch(&cur, make([]byte, 400), make([]byte, 400), 100); err != unix.ENOENT {
					t.Errorf("reading a batch: %v, want ENOENT with the end", err)
				}
				holds(t, opened, 1, 10)
				for op, write := range map[string]func() error{
					"Update":      func() error { return opened.Update(number(1), number(10), 0) },
					"UpdateBatch": func() error { _, err := opened.UpdateBatch(number(1), number(10), 1, 0); return err },
					"Delete":      func() error { return errors.Join(opened.Delete(number(1)), opened.Update(number(1), number(10), 0)) },
					"LookupAndDelete": func() error {
						return errors.Join(opened.LookupAndDelete(number(1), buf, 0), opened.Update(number(1), number(10), 0))
					},
					"DeleteBatch": func() error {
						_, err := opened.DeleteBatch(number(1), 1)
						return errors.Join(err, opened.Update(number(1), number(10), 0))
					},
				} {
					if err := write(); errors.Is(err, unix.EPERM) != readonly {
						t.Errorf("%s: %v, want EPERM: %v", op, err, readonly)
					}
				}
				holds(t, opened, 1, 10)
			})
		}
	}
}

func TestNextID(t *testing.T) {
	e := kerneltest.Engine(t)
	first, second := hash(t, e).Info().ID, hash(t, e).Info().ID
	found, last := map[uint32]bool{}, uint32(0)
	for {
		next, err := e.NextID(last)
		if err == unix.ENOENT {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if next <= last {
			t.Fatalf("after %d comes %d", last, next)
		}
		found[next], last = true, next
	}
	if !found[first] || !found[second] {
		t.Errorf("%d and %d are not among %v", first, second, found)
	}
	if next, err := e.NextID(first - 1); next != first || err != nil {
		t.Errorf("after %d comes %d, %v; want %d", first-1, next, err, first)
	}
}

func TestOpenFails(t *testing.T) {
	e := kerneltest.Engine(t)
	dir := kerneltest.BPFFS(t)
	m := hash(t, e)
	id := m.Info().ID
	m.Close()
	gone(t, e, id)
	for _, c := range []struct {
		what string
		open func() (engine.Map, error)
		want error
	}{
		{"no id", func() (engine.Map, error) { return e.OpenID(0, false) }, unix.ENOENT},
		{"a high id", func() (engine.Map, error) { return e.OpenID(1<<31-1, false) }, unix.ENOENT},
		{"no pin", func() (engine.Map, error) { return e.OpenPin(dir+"/none", false) }, unix.ENOENT},
		{"no directory", func() (engine.Map, error) { return e.OpenPin(dir+"/none/m", true) }, unix.ENOENT},
		{"a directory", func() (engine.Map, error) { return e.OpenPin(dir, false) }, unix.EISDIR},
	} {
		t.Run(c.what, func(t *testing.T) {
			if m, err := c.open(); err != c.want || m != nil {
				t.Errorf("got %v, %v; want %v", m, err, c.want)
			}
		})
	}
}

// Clock is what a program gets. The program returns 32 bits of it, which are good for 50 days.
func TestClock(t *testing.T) {
	const shift = 20
	e := kerneltest.Engine(t)
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.SocketFilter, License: "Dual MIT/GPL",
		Instructions: asm.Instructions{asm.FnKtimeGetNs.Call(), asm.RSh.Imm(asm.R0, shift), asm.Return()},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer prog.Close()
	before, err := e.Clock()
	if err != nil {
		t.Fatal(err)
	}
	there, err := prog.Run(&ebpf.RunOptions{Data: make([]byte, 14)})
	if err != nil {
		t.Fatal(err)
	}
	after, _ := e.Clock()
	if from, to := uint32(before>>shift), uint32(after>>shift); there-from > to-from {
		t.Errorf("a program's clock says %d, ours %d before and %d after", there, from, to)
	}
}
