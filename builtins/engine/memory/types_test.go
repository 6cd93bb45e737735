package memory_test

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// The kernel keeps types with some maps, and makes others without, or not at all.
func TestTypes(t *testing.T) {
	named := &btf.Struct{Name: "not a name", Size: 16, Members: []btf.Member{{Name: "a", Type: &btf.Array{Type: u64, Index: u32, Nelems: 2}}}}
	cidr := &btf.Struct{Name: "cidr", Size: 8, Members: []btf.Member{{Name: "prefixlen", Type: u32}, {Name: "addr", Type: u32, Offset: 32}}}
	enum := &btf.Enum{Name: "e", Size: 4, Values: []btf.EnumValue{{Name: "A"}}}
	two := &btf.Array{Type: u64, Index: u32, Nelems: 2}
	in := &btf.Struct{Name: "outer", Size: 16, Members: []btf.Member{{Name: "in", Type: locked}}}
	twice := &btf.Struct{Name: "twice", Size: 16, Members: []btf.Member{{Name: "a", Type: lock}, {Name: "b", Type: lock, Offset: 32}, {Name: "c", Type: u64, Offset: 64}}}
	timed := &btf.Struct{Name: "timed", Size: 16, Members: []btf.Member{{Name: "t", Type: timer}}}
	engines(t, func(t *testing.T, e engine.Engine) {
		for _, c := range []struct {
			typ        string
			key, value btf.Type
			flags      uint32
			kept       bool
			freeze     error
			want       error
			since      string // the kernel answers so
		}{
			{"hash", u32, two, 0, true, nil, nil, ""},
			{"hash", &btf.Typedef{Name: "ipv4", Type: u32}, two, 0, true, nil, nil, ""},
			{"hash", enum, two, 0, true, nil, nil, ""},
			{"hash", nil, two, 0, false, nil, nil, ""},
			{"hash", u32, nil, 0, false, nil, nil, ""},
			{"hash", u64, two, 0, false, nil, nil, ""},
			{"hash", u32, u64, 0, false, nil, nil, ""},
			{"hash", u32, named, 0, false, nil, nil, ""},
			{"hash", u32, locked, 0, true, engine.NotSupported, nil, "6.2"},
			{"hash", u32, locked, unix.BPF_F_RDONLY_PROG, false, nil, unix.EACCES, ""},
			{"hash", u32, locked, unix.BPF_F_WRONLY_PROG, false, nil, unix.EACCES, "6.2"},
			{"hash", u32, in, 0, true, engine.NotSupported, nil, "6.11"},
			{"hash", u32, twice, 0, false, nil, nil, ""},
			{"hash", u32, timed, 0, true, engine.NotSupported, nil, "5.15"},
			{"lru_hash", u32, timed, 0, true, engine.NotSupported, nil, "5.15"},
			{"lru_hash", u32, locked, 0, false, nil, unix.EOPNOTSUPP, "6.2"},
			{"percpu_hash", u32, locked, 0, false, nil, unix.EOPNOTSUPP, "6.2"},
			{"percpu_array", u32, locked, 0, false, nil, unix.EOPNOTSUPP, "6.2"},
			{"lpm_trie", cidr, locked, 0, false, nil, unix.EOPNOTSUPP, "6.2"},
			{"array", u32, locked, 0, true, engine.NotSupported, nil, "6.2"},
			{"array", enum, two, 0, false, nil, nil, ""},
			{"array", nil, two, 0, false, nil, nil, ""},
			{"lpm_trie", cidr, two, 0, true, nil, nil, ""},
			{"lpm_trie", u64, two, 0, false, nil, nil, ""},
			{"queue", nil, two, 0, false, nil, nil, ""},
			{"queue", nil, locked, 0, false, nil, nil, ""},
			{"bloom_filter", nil, two, 0, true, nil, nil, ""},
		} {
			t.Run(fmt.Sprintf("%s %v %v", c.typ, c.key, c.value), func(t *testing.T) {
				if c.since != "" {
					since(t, e, c.since, "this answer")
				}
				spec := good(t, c.typ)
				if older(e, engine.KindOf(spec.Type).Since) {
					kerneltest.Since(t, engine.KindOf(spec.Type).Since, c.typ)
				}
				spec.ValueSize, spec.Key, spec.Value = 16, c.key, c.value
				spec.Flags |= c.flags
				m, err := e.Create(spec)
				if err != c.want {
					t.Fatalf("got %v, want %v", err, c.want)
				}
				if err != nil {
					return
				}
				defer m.Close()
				key, value := m.Types()
				if !c.kept {
					c.key, c.value = nil, nil
				}
				if !reflect.DeepEqual(key, c.key) || !reflect.DeepEqual(value, c.value) || m.Info().BTF != c.kept {
					t.Errorf("types are %v and %v, BTF %v; want %v and %v", key, value, m.Info().BTF, c.key, c.value)
				}
				if err := m.Freeze(); err != c.freeze {
					t.Errorf("freeze: %v, want %v", err, c.freeze)
				}
			})
		}
	})
}

// A lock's bytes go neither in nor out; what is beside them does.
func TestLockBytes(t *testing.T) {
	engines(t, func(t *testing.T, e engine.Engine) {
		for _, typ := range []string{"hash", "array"} {
			spec := good(t, typ)
			spec.ValueSize, spec.Key, spec.Value = 16, u32, locked
			m := create(t, e, spec)
			all, want := bytes.Repeat([]byte{0xff}, 16), bytes.Repeat([]byte{0xff}, 16)
			clear(want[4:8])
			for _, flags := range []uint64{0, unix.BPF_F_LOCK, unix.BPF_EXIST | unix.BPF_F_LOCK} {
				if err := m.Update(key32(1), all, flags); err != nil {
					t.Errorf("%s, flags %d: %v", typ, flags, err)
				}
				got := make([]byte, 16)
				if err := m.Lookup(key32(1), got, flags&unix.BPF_F_LOCK); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s, flags %d: %x, %v, want %x", typ, flags, got, err, want)
				}
			}
		}
	})
}
