package memory_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// scenario is a map and what is done with it. It is the same for the same seed.
type scenario struct {
	spec  engine.Spec
	inner []engine.Spec // the maps that a map of maps may be given
	ops   []operation
	// exact says that the order of entries and the shape of batches are the kernel's: the map has no seed of its own.
	exact bool
}

func (s *scenario) kind() *engine.Kind { return engine.KindOf(s.spec.Type) }
func (s *scenario) bloom() bool        { return s.kind().Shape == engine.Members }
func (s *scenario) buckets() bool      { return s.kind().Shape == engine.Hashed && !s.kind().Trie }

var (
	types = []string{"hash", "array", "percpu_hash", "percpu_array", "lru_hash", "lru_percpu_hash", "lpm_trie", "queue", "stack",
		"bloom_filter", "hash_of_maps", "array_of_maps"}
	keySizes   = []uint32{1, 2, 3, 4, 4, 4, 5, 7, 8, 8, 12, 13, 16, 24, 33, 100, 512}
	trieSizes  = []uint32{5, 6, 8, 8, 8, 12, 20, 37, 260}
	valueSizes = []uint32{1, 2, 3, 4, 4, 4, 7, 8, 8, 8, 12, 16, 16, 31, 64, 100, 1000}
	largeSizes = []uint32{4096, 10001, 32767, 32768}
	entryCount = []uint32{1, 2, 3, 4, 5, 8, 16, 31, 64}
)

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// one in n.
func one(r *rand.Rand, n int) bool { return r.IntN(n) == 0 }

var (
	u32    = &btf.Int{Name: "u32", Size: 4}
	u64    = &btf.Int{Name: "u64", Size: 8}
	lock   = &btf.Struct{Name: "bpf_spin_lock", Size: 4, Members: []btf.Member{{Name: "val", Type: u32}}}
	timer  = &btf.Struct{Name: "bpf_timer", Size: 16, Members: []btf.Member{{Name: "__opaque", Type: &btf.Array{Type: u64, Index: u32, Nelems: 2}}}}
	locked = &btf.Struct{Name: "locked", Size: 16, Members: []btf.Member{
		{Name: "a", Type: u32}, {Name: "lock", Type: lock, Offset: 32}, {Name: "b", Type: u64, Offset: 64}}}
)

// newScenario is a map that the kernel takes, and n steps.
func newScenario(r *rand.Rand, n int) *scenario {
	s := &scenario{}
	typ := pick(r, present(types))
	s.spec.Type, _ = engine.TypeByName(typ)
	kind := s.kind()
	s.spec.KeySize, s.spec.ValueSize, s.spec.MaxEntries = pick(r, keySizes), pick(r, valueSizes), pick(r, entryCount)
	if one(r, 20) {
		s.spec.ValueSize = pick(r, largeSizes)
	}
	flags := []uint32{}
	switch {
	case kind.Trie:
		s.spec.KeySize = pick(r, trieSizes)
	case kind.Shape == engine.Indexed, kind.Shape == engine.Slots:
		s.spec.KeySize = 4
	case !kind.Keyed():
		s.spec.KeySize = 0
	case strings.HasPrefix(typ, "lru"): // large enough that nothing is evicted; the rest is TestLRU's
		s.spec.MaxEntries, s.spec.ValueSize = 2048, min(s.spec.ValueSize, 64)
		flags = append(flags, unix.BPF_F_NO_COMMON_LRU, 0)
	default:
		flags = append(flags, unix.BPF_F_NO_PREALLOC, 0)
	}
	if s.buckets() || s.bloom() {
		s.exact = one(r, 2)
	} else {
		s.exact = true
	}
	if s.exact && (s.buckets() || s.bloom()) {
		s.spec.Flags |= unix.BPF_F_ZERO_SEED
	}
	if len(flags) > 0 {
		s.spec.Flags |= pick(r, flags)
	}
	if kind.Nests {
		s.spec.ValueSize = 4
		s.nest(r)
		s.exact = s.exact && !(typ == "hash_of_maps" && kerneltest.Older("6.15")) // it does not overwrite in place yet
		n = max(1, n/8)                                                           // the kernel waits for all its CPUs after each write
	} else if one(r, 20) {
		s.spec.Flags |= pick(r, []uint32{unix.BPF_F_RDONLY_PROG, unix.BPF_F_WRONLY_PROG})
	}
	if typ == "array" && one(r, 3) {
		s.spec.Flags |= unix.BPF_F_MMAPABLE
	}
	if one(r, 30) {
		s.spec.Flags |= pick(r, []uint32{unix.BPF_F_RDONLY, unix.BPF_F_WRONLY})
	}
	if typ == "bloom_filter" {
		s.spec.MapExtra = uint64(r.IntN(16))
	}
	if one(r, 8) {
		s.giveTypes(r, typ)
	}
	g := &generator{r: r, s: s, programs: one(r, 4)}
	g.universe()
	for range n {
		s.ops = append(s.ops, g.next())
	}
	s.fit()
	return s
}

// nest makes the inner maps: the template, another like it, and some that are not.
func (s *scenario) nest(r *rand.Rand) {
	hash, _ := engine.TypeByName("hash")
	array, _ := engine.TypeByName("array")
	in := engine.Spec{Type: pick(r, []uint32{hash, array}), KeySize: 4, ValueSize: 8, MaxEntries: 2}
	if in.Type == array && one(r, 2) {
		in.Flags = unix.BPF_F_INNER_MAP
	}
	s.spec.Inner = &in
	other, longer, frozen := in, in, in
	other.ValueSize, longer.MaxEntries = 16, 3
	s.inner = []engine.Spec{in, frozen, other, longer}
}

func (s *scenario) giveTypes(r *rand.Rand, typ string) {
	s.spec.Key, s.spec.Value = &btf.Array{Type: &btf.Int{Name: "u8", Size: 1}, Index: u32, Nelems: s.spec.KeySize}, locked
	if s.spec.KeySize == 4 {
		s.spec.Key = u32
	}
	if s.spec.KeySize == 0 {
		s.spec.Key = nil
	}
	if typ != "hash" && typ != "array" || one(r, 3) {
		s.spec.Value = &btf.Array{Type: u64, Index: u32, Nelems: 2}
	}
	if !s.kind().Nests {
		s.spec.ValueSize = 16
	}
	if s.spec.Value == btf.Type(locked) {
		s.spec.Flags &^= unix.BPF_F_RDONLY_PROG | unix.BPF_F_WRONLY_PROG
	}
}

// generator makes the steps of a scenario.
type generator struct {
	r        *rand.Rand
	s        *scenario
	programs bool
	keys     [][]byte
}

// universe chooses the keys: few, so that they meet.
func (g *generator) universe() {
	size := int(g.s.spec.KeySize)
	if size == 0 {
		return
	}
	n := 1 + g.r.IntN(40)
	addrs := [][]byte{}
	for range n {
		key := make([]byte, size)
		switch {
		case g.s.kind().Trie:
			if len(addrs) < 4 {
				addrs = append(addrs, g.bytes(size-4))
			}
			copy(key[4:], pick(g.r, addrs))
			if one(g.r, 2) {
				key[4+g.r.IntN(size-4)] ^= 1 << g.r.IntN(8)
			}
			bits := 8 * (size - 4)
			length := pick(g.r, []int{0, 1, 7, 8, 9, bits - 1, bits, g.r.IntN(bits + 1), g.r.IntN(bits + 1), g.r.IntN(bits + 1)})
			if one(g.r, 25) {
				length = bits + 1 + g.r.IntN(1<<20)
			}
			binary.NativeEndian.PutUint32(key, uint32(length))
		case g.s.buckets():
			copy(key, g.bytes(size))
		default:
			binary.NativeEndian.PutUint32(key, uint32(g.r.IntN(int(g.s.spec.MaxEntries)+1)))
			if one(g.r, 25) {
				binary.NativeEndian.PutUint32(key, 1<<32-1)
			}
		}
		g.keys = append(g.keys, key)
	}
}

// bytes are some that are all alike, or not.
func (g *generator) bytes(n int) []byte {
	b := make([]byte, n)
	switch g.r.IntN(6) {
	case 0:
	case 1:
		for i := range b {
			b[i] = 0xff
		}
	default:
		for i := range b {
			b[i] = byte(g.r.Uint32())
		}
	}
	return b
}

func (g *generator) values(n int) []byte {
	stride := int(g.s.spec.ValueSize)
	if g.s.kind().PerCPU {
		stride = (stride + 7) &^ 7 * cpus
	}
	if !g.s.kind().Nests {
		return g.bytes(n * stride)
	}
	var b []byte
	for range n {
		b = binary.NativeEndian.AppendUint32(b, uint32(g.r.IntN(len(g.s.inner)+2)))
	}
	return b
}

func (g *generator) many(n int) []byte {
	var b []byte
	for range n {
		if g.s.spec.KeySize > 0 {
			b = append(b, pick(g.r, g.keys)...)
		}
	}
	return b
}

// flags are good ones, mostly.
func (g *generator) flags() uint64 {
	return pick(g.r, []uint64{0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 4, 4, 3, 5, 6, 7, 8, 16, 8 | 1<<32, 1 << 31, 1 << 63})
}

// The names that are picked from, the frequent ones several times.
var (
	keyedSteps = strings.Fields(`update update update update update update update update delete delete delete lookup lookup lookup lookup pop
		next_key next_key keys walk walk lookup_batch lookup_batch lookup_batch pop_batch update_batch update_batch delete_batch update_all delete_all clear`)
	endSteps = strings.Fields(`update update update update lookup lookup lookup pop pop delete next_key lookup_batch pop_batch
		update_batch delete_batch walk update_all delete_all`)
	mappedSteps  = strings.Fields(`read_at write_at`)
	lifeSteps    = strings.Fields(`freeze info info counts holders open_id open_id open_pin pin pin pinnable unpin close`)
	programSteps = strings.Fields(`kernel.lookup kernel.lookup kernel.lookup_percpu kernel.update kernel.update kernel.update kernel.delete kernel.push kernel.pop
		kernel.peek kernel.add kernel.count kernel.items`)
	programEndSteps = strings.Fields(`kernel.push kernel.push kernel.push kernel.pop kernel.peek kernel.peek kernel.lookup kernel.update kernel.count kernel.items`)
	pinNames        = strings.Fields(`one two one/x none/x a.b one/ none/`)
)

func (g *generator) next() operation {
	o := operation{cpu: engine.AnyCPU}
	names := keyedSteps
	if !g.s.kind().Keyed() {
		names = endSteps
	}
	switch {
	case one(g.r, 25):
		names = lifeSteps
	case one(g.r, 4) && g.s.spec.Flags&unix.BPF_F_MMAPABLE != 0 || one(g.r, 200):
		names = mappedSteps
	case g.programs && one(g.r, 3) && g.s.kind().Keyed():
		names = programSteps
	case g.programs && one(g.r, 3):
		names = programEndSteps
	}
	o.name = pick(g.r, names)
	if one(g.r, 3) {
		o.handle = g.r.IntN(handles)
	}
	switch o.name {
	case "freeze", "close": // ends much, and so is rare
		if !one(g.r, 4) {
			o.name = "info"
		}
	case "read_at", "write_at":
		size := int(g.s.spec.MaxEntries) * ((int(g.s.spec.ValueSize) + 7) &^ 7)
		o.offset, o.n = g.r.IntN(size), 1+g.r.IntN(min(size, 200))
		if one(g.r, 10) {
			o.offset += pick(g.r, []int{size, 4096})
		}
		o.value = g.bytes(o.n)
		return o
	case "open_id", "open_pin", "pin", "pinnable", "unpin":
		o.n, o.yes, o.path = 1+g.r.IntN(handles-1), one(g.r, 3), pick(g.r, pinNames)
		return o
	case "keys", "walk", "clear":
		o.n = pick(g.r, []int{0, 0, 1, 3, 100})
		return o
	case "lookup_batch", "pop_batch":
		o.n, o.yes = 1+g.r.IntN(8), one(g.r, 2)
		if !g.s.exact { // the whole map at once
			o.n, o.yes = 4096, false
		}
		return o
	case "update_batch", "delete_batch", "update_all", "delete_all":
		o.n, o.yes = g.r.IntN(9), one(g.r, 2)
		o.key, o.value = g.many(o.n), g.values(o.n)
		if one(g.r, 3) {
			o.flags = g.flags()
		}
		if strings.HasPrefix(o.name, "delete") {
			o.value, o.flags = nil, 0
		}
		return o
	}
	o.key, o.value, o.flags = g.many(1), g.values(1), g.flags()
	switch {
	case o.name == "next_key" && one(g.r, 4):
		o.key = nil
	case o.name == "next_key" && !g.s.exact: // which key follows which is not known: a key that is never there
		o.name = "keys"
	case o.name == "lookup" || o.name == "pop" || o.name == "kernel.push":
		if !one(g.r, 4) {
			o.flags = 0
		}
	case o.name == "kernel.add":
		size := int(g.s.spec.ValueSize)
		o.size, o.flags = pick(g.r, []int{4, 8}), g.r.Uint64()
		o.offset = g.r.IntN(size/4+1) * 4
		if one(g.r, 10) {
			o.offset = g.r.IntN(size + 1)
		}
	}
	if o.name == "next_key" && !g.s.exact {
		o.name = "keys"
	}
	if one(g.r, 3) {
		o.cpu = g.r.IntN(cpus)
	} else if g.s.kind().PerCPU { // memory's programs run on the first, if they may run on any
		o.cpu = 0
	}
	if o.name == "kernel.lookup_percpu" {
		o.cpu = g.r.IntN(cpus) // the helper finds nothing on a CPU that is not there
	} else if one(g.r, 60) {
		o.cpu = pick(g.r, []int{cpus, 1 << 20, -2})
	}
	return o
}

// script shows a scenario as bpfsh would be told it.
func (s *scenario) script(notes map[int]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "m0 = create(%q, key=\"bytes[%d]\", value=\"bytes[%d]\", max_entries=%d, flags=%#x, map_extra=%d)",
		s.kind().Name, s.spec.KeySize, s.spec.ValueSize, s.spec.MaxEntries, s.spec.Flags, s.spec.MapExtra)
	if s.spec.Value != nil {
		fmt.Fprintf(&b, " # types %v, %v", s.spec.Key, s.spec.Value)
	}
	b.WriteByte('\n')
	for i, in := range s.inner {
		fmt.Fprintf(&b, "inner%d = create(%q, max_entries=%d, value size %d, flags=%#x)\n", i+1, engine.KindOf(in.Type).Name, in.MaxEntries, in.ValueSize, in.Flags)
	}
	for i := range s.ops {
		fmt.Fprintf(&b, "%s%s\n", &s.ops[i], notes[i])
	}
	return b.String()
}

func (o *operation) String() string {
	var args []string
	add := func(name string, shown bool, value any) {
		if shown {
			args = append(args, fmt.Sprintf("%s=%v", name, value))
		}
	}
	short := func(b []byte) string {
		switch {
		case len(b) > 64 && len(slices.Compact(slices.Clone(b))) == 1:
			return fmt.Sprintf("%d * unhex(\"%x\")", len(b), b[:1])
		case len(b) > 256:
			return fmt.Sprintf("unhex(\"%x…\")[:%d]", b[:16], len(b))
		}
		return fmt.Sprintf("unhex(\"%x\")", b)
	}
	add("path", o.path != "", o.path)
	add("key", len(o.key) > 0, short(o.key))
	add("value", len(o.value) > 0, short(o.value))
	add("n", o.n != 0, o.n)
	add("flags", o.flags != 0, fmt.Sprintf("%#x", o.flags))
	add("offset", o.size > 0 || o.offset > 0, o.offset)
	add("size", o.size > 0, o.size)
	add("cpu", o.cpu != engine.AnyCPU, o.cpu)
	add("yes", o.yes, "True")
	return fmt.Sprintf("m%d.%s(%s)", o.handle, o.name, strings.Join(args, ", "))
}
