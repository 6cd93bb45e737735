package kernel

import (
	"reflect"
	"testing"

	"github.com/cilium/ebpf/btf"
)

func TestValueOf(t *testing.T) {
	var (
		u8  = &btf.Int{Name: "u8", Size: 1}
		u32 = &btf.Int{Name: "u32", Size: 4}
		u64 = &btf.Int{Name: "u64", Size: 8}
	)
	kept := func(name string, size uint32) *btf.Struct { return &btf.Struct{Name: name, Size: size} }
	of := func(size uint32, members ...btf.Member) *btf.Struct {
		return &btf.Struct{Name: "s", Size: size, Members: members}
	}
	at := func(offset btf.Bits, t btf.Type) btf.Member { return btf.Member{Type: t, Offset: 8 * offset} }
	tagged := func(tag string) btf.Type {
		return &btf.Pointer{Target: &btf.TypeTag{Type: kept("task_struct", 8), Value: tag}}
	}
	lock, timer := kept("bpf_spin_lock", 4), kept("bpf_timer", 16)
	for _, c := range []struct {
		name   string
		t      btf.Type
		size   int
		spans  []span
		lockAt int
	}{
		{"none", nil, 8, nil, -1},
		{"a number", u64, 8, nil, -1},
		{"a struct of numbers", of(12, at(0, u64), at(8, u32)), 12, nil, -1},
		{"a pointer", of(8, at(0, &btf.Pointer{Target: kept("task_struct", 8)})), 8, nil, -1},
		{"a tag for users", of(8, at(0, tagged("user"))), 8, nil, -1},
		{"lock first", of(16, at(0, lock), at(8, u64)), 16, []span{{4, 16}}, 0},
		{"lock last", of(12, at(0, u64), at(8, lock)), 12, []span{{0, 8}}, 8},
		{"lock between", of(13, at(0, u32), at(4, lock), at(8, u32), at(12, u8)), 13, []span{{0, 4}, {8, 13}}, 4},
		{"lock alone", of(4, at(0, lock)), 4, []span{}, 0},
		{"lock in a struct", of(24, at(0, u64), at(8, of(16, at(4, lock), at(8, u64)))), 24, []span{{0, 12}, {16, 24}}, 12},
		{"lock behind names", &btf.Typedef{Name: "v", Type: &btf.Const{Type: of(8, at(0, u32), at(4, lock))}}, 8, []span{{0, 4}}, 4},
		{"timer", of(32, at(0, u64), at(8, timer), at(24, u64)), 32, []span{{0, 8}, {24, 32}}, -1},
		{"timer and lock, in the other order", of(32, at(24, lock), at(0, timer), at(16, u64)), 32, []span{{16, 24}, {28, 32}}, 24},
		{"work", of(24, at(0, kept("bpf_wq", 16)), at(16, u64)), 24, []span{{16, 24}}, -1},
		{"list", of(24, at(0, u64), at(8, kept("bpf_list_head", 16))), 24, []span{{0, 8}}, -1},
		{"tree", of(24, at(0, u64), at(8, kept("bpf_rb_root", 16))), 24, []span{{0, 8}}, -1},
		{"queued lock", of(16, at(0, kept("bpf_res_spin_lock", 8)), at(8, u64)), 16, []span{{8, 16}}, -1},
		{"kernel pointer", of(16, at(0, tagged("kptr")), at(8, u64)), 16, []span{{8, 16}}, -1},
		{"kernel pointer until Linux 6.2", of(16, at(0, u64), at(8, tagged("kptr_ref"))), 16, []span{{0, 8}}, -1},
		{"kernel pointers of all kinds", of(32, at(0, tagged("kptr_untrusted")), at(8, tagged("percpu_kptr")), at(16, tagged("uptr")), at(24, u64)), 32, []span{{24, 32}}, -1},
		{"array of kernel pointers", of(32, at(0, u64), at(8, &btf.Array{Type: tagged("kptr"), Nelems: 3})), 32, []span{{0, 8}}, -1},
		{"array of structs", of(48, at(0, &btf.Array{Type: of(16, at(0, tagged("kptr")), at(8, u64)), Nelems: 3})), 48, []span{{8, 16}, {24, 32}, {40, 48}}, -1},
		{"array of numbers", of(40, at(0, &btf.Array{Type: u64, Nelems: 5})), 40, nil, -1},
		{"global variables", &btf.Datasec{Name: ".bss", Size: 24, Vars: []btf.VarSecinfo{
			{Type: &btf.Var{Name: "n", Type: u64}, Offset: 0, Size: 8},
			{Type: &btf.Var{Name: "lock", Type: lock}, Offset: 8, Size: 4},
			{Type: &btf.Var{Name: "k", Type: u64}, Offset: 16, Size: 8},
		}}, 24, []span{{0, 8}, {12, 24}}, 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := valueOf(c.t, c.size)
			if v.size != c.size || !reflect.DeepEqual(v.spans, c.spans) || v.lockAt != c.lockAt {
				t.Errorf("got %+v, want %v, %d", v, c.spans, c.lockAt)
			}
		})
	}
}
