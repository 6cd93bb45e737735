package layout

import (
	"testing"

	"github.com/cilium/ebpf/btf"
)

func kptrTo(tag string, target btf.Type) btf.Type {
	return &btf.Pointer{Target: &btf.TypeTag{Value: tag, Type: target}}
}

// What the kernel keeps is seen, given back as it was read, and never made by a script.
func TestKernelObjects(t *testing.T) {
	task := &btf.Struct{Name: "task_struct", Size: 9000}
	check(t, map[string]btf.Type{
		"held":  fields(16, at(0, "n", uint32Type), at(64, "task", kptrTo("kptr", task))),
		"timed": mustParse(t, "struct { struct bpf_timer timer; u64 n; }").BTF(),
		"two":   mustParse(t, "struct { struct bpf_wq work[2]; struct { struct bpf_list_head head; } in; u64 n; }").BTF(),
	}, []expr{
		{`timed(n=1)`, `record(timer=<bpf_timer>, n=1)`},
		{`dec(timed, "11" * 16 + "01" + "00" * 7)`, `record(timer=<bpf_timer>, n=1)`},
		{`dec(timed, "11" * 16 + "01" + "00" * 7).replace(n=2).timer`, `<bpf_timer>`},
		{`enc(timed, dec(timed, "11" * 16 + "01" + "00" * 7).replace(n=2))`, `11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 02 00 00 00 00 00 00 00`},
		{`enc(timed, {"n": 2, "timer": dec(timed, "11" * 16 + "01" + "00" * 7).timer})`, `11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 02 00 00 00 00 00 00 00`},
		{`enc(timed, {"n": 2, "timer": None})`, `00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00`},
		{`enc(timed, {"n": 2, "timer": b"\x00" * 16})`, `00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00`},
		{`enc(timed, {"n": 2, "timer": {"__opaque": (0, 0)}})`, `00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00`},
		{`enc(timed, {"n": 2, "timer": {"__opaque": (0, 1)}})`, `timer: got dict of 1, want the <bpf_timer> that was read, or nothing: the kernel keeps it for itself`},
		{`enc(timed, {"n": 2, "timer": b"\x01" * 16})`, `timer: got 16 bytes, want the <bpf_timer> that was read, or nothing: the kernel keeps it for itself`},
		{`enc(timed, {"n": 2, "timer": dec(two, "11" * 56).work[0]})`, `timer: got kernel_object, want the <bpf_timer> that was read, or nothing: the kernel keeps it for itself`},
		{`timed(n=1).replace(timer=5)`, `replace: timer: got 5, want the <bpf_timer> that was read, or nothing: the kernel keeps it for itself`},
		{`timed(1)`, `record(timer=<bpf_timer>, n=1)`},
		{`timed.fields`, `{"timer": struct bpf_timer { u64 __opaque[2]; }, "n": u64}`},

		{`dec(two, "11" * 48 + "01" + "00" * 7)`, `record(work=(<bpf_wq>, <bpf_wq>), in=record(head=<bpf_list_head>), n=1)`},
		{`two(n=1, work=(None, 5))`, `struct: work[1]: got 5, want the <bpf_wq> that was read, or nothing: the kernel keeps it for itself`},

		{`dec(held, "01 00 00 00 00 00 00 00 11 11 11 11 11 11 11 11")`, `record(n=1, task=<kptr>)`},
		{`enc(held, {"n": 1, "task": 0})`, `01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00`},
		{`enc(held, {"n": 1, "task": 1})`, `task: got 1, want the <kptr> that was read, or nothing: the kernel keeps it for itself`},
		{`enc(held, {"n": 1})`, `01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00`},
		{`held(1).task == held(2).task, held(1).task != dec(held, "11" * 16).task`, `(True, True)`},
		{`held(1).task < held(2).task`, `kernel_object < kernel_object not implemented`},
		{`{held(1).task: 1}[held(2).task], type(held(1).task), bool(held(1).task)`, `(1, "kernel_object", True)`},
		{`json.encode(held(1)), json.encode(held(1).task)`, `("{\"n\":1,\"task\":\"<kptr>\"}", "\"<kptr>\"")`},
		{`percpu(held, held(1), held(2)).sum()`, `sum(n=3)`},

		// In front of a name there is nothing to write, and nothing to name.
		{`T("struct { struct bpf_timer; u8 n; }")(n=1)`, `record(n=1)`},
		{`T("struct { struct bpf_timer; u8 n; }").size`, `24`},
	})
}

func TestSpellKernelObjects(t *testing.T) {
	for _, test := range []struct {
		name string
		typ  btf.Type
		want string
	}{
		{"kptr", kptrTo("kptr", &btf.Struct{Name: "task_struct", Size: 9000}), "struct task_struct __kptr *"},
		{"const", kptrTo("kptr", &btf.Const{Type: &btf.Struct{Name: "task_struct"}}), "struct task_struct __kptr *"},
		{"const outside", &btf.Pointer{Target: &btf.Const{Type: &btf.TypeTag{Value: "kptr", Type: &btf.Struct{Name: "a"}}}}, "struct a __kptr *"},
		{"forward", kptrTo("kptr_untrusted", &btf.Fwd{Name: "sock", Kind: btf.FwdStruct}), "struct sock __kptr_untrusted *"},
		{"of each CPU", kptrTo("percpu_kptr", &btf.Struct{Name: "counts"}), "struct counts __percpu_kptr *"},
		{"before 6.4", kptrTo("kptr_ref", &btf.Struct{Name: "counts"}), "struct counts __kptr_ref *"},
		{"without a name", kptrTo("kptr", &btf.Struct{}), "void __kptr *"},
		{"of Rust", kptrTo("kptr", &btf.Struct{Name: "Box<T>"}), "void __kptr *"},
		{"integer", kptrTo("kptr", uint32Type), "void __kptr *"},
		{"typedef", &btf.Typedef{Name: "task_t", Type: kptrTo("kptr", &btf.Struct{Name: "a"})}, "struct a __kptr *"},
		{"another tag", kptrTo("rcu", &btf.Struct{Name: "a"}), "void *"},
		{"pointer to one", &btf.Pointer{Target: kptrTo("kptr", &btf.Struct{Name: "a"})}, "void *"},
	} {
		t.Run(test.name, func(t *testing.T) {
			typ, err := Of(test.typ)
			if err != nil {
				t.Fatal(err)
			}
			if typ.name != test.want {
				t.Errorf("got %s, want %s", typ, test.want)
			}
			checkAgain(t, typ)
			_, kept := typ.codec.(kernelCodec)
			if again := mustParse(t, typ.name); kept != (test.want != "void *") || kernelObject(typ.btf) != kernelObject(again.btf) {
				t.Errorf("%s is kept: %t, and parses back as %T", typ, kept, again.codec)
			}
		})
	}
}

// The kernel's own objects have the sizes of its interface, and need no body.
func TestParseKernelObjects(t *testing.T) {
	for spelling, size := range map[string]int{
		"struct bpf_spin_lock": 4, "struct bpf_res_spin_lock": 4, "struct bpf_timer": 16, "struct bpf_wq": 16, "struct bpf_task_work": 8,
		"struct bpf_refcount": 4, "struct bpf_list_head": 16, "struct bpf_list_node": 24, "struct bpf_rb_root": 16, "struct bpf_rb_node": 32,
	} {
		typ := mustParse(t, spelling)
		if _, ok := typ.codec.(kernelCodec); !ok || typ.size != size {
			t.Errorf("%s has %d bytes and is %T, want %d that the kernel keeps", spelling, typ.size, typ.codec, size)
		}
		checkAgain(t, typ)
	}
}
