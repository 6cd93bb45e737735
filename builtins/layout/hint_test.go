package layout

import (
	"testing"

	"github.com/cilium/ebpf/btf"
)

func TestParseHints(t *testing.T) {
	checkSpelling(t, []spelled{
		{"struct { ktime seen; duration idle; ifindex dev; uid user; errno err; ksym ip; proto p; comm name; }",
			"struct { ktime seen; duration idle; ifindex dev; uid user; errno err; ksym ip; proto p; comm name; }"},
		{"ktime[4]", "ktime[4]"},
		{"ktime(u64)", "ktime"},
		{"ktime(unsigned long long)", "ktime"},
		{"errno(i32)", "errno"},
		{"errno(long)", "errno(i64)"},
		{"ifindex(int)", "ifindex(i32)"},
		{"ksym(void *)", "ksym(void *)"},
		{"hex(u8)", "hex(u8)"},
		{"hex(be16)", "hex(be16)"},
		{"hex(u128)[2]", "hex(u128)[2]"},
		{"hex(ktime)", "hex(u64)"},
		{"ktime(hex(u64))", "ktime"},
		{"struct { hex(u32) flags : 3; hex(i8) a[2]; u32 hex; u8 ktime; }", "struct { hex(u32) flags : 3; hex(i8) a[2]; u32 hex; u8 ktime; }"},
		{"comm[2]", "comm[2]"},
		{"hex(char)[4]", "hex(char)[4]"},

		{"hex", `type "hex", column 1: hex needs an integer, such as hex(u32)`},
		{"struct { hex flags; }", `type "struct { hex flags; }", column 10: hex needs an integer, such as hex(u32)`},
		{"ktime(u32)", `type "ktime(u32)", column 7: ktime is of an integer of 8 bytes, got u32`},
		{"errno(u16)", `type "errno(u16)", column 7: errno is of an integer of 4 or 8 bytes, got u16`},
		{"hex(f32)", `type "hex(f32)", column 5: hex is of an integer of 1, 2, 4, 8 or 16 bytes, got f32`},
		{"hex(bool)", `type "hex(bool)", column 5: hex is of an integer of 1, 2, 4, 8 or 16 bytes, got bool`},
		{"uid(ipv4)", `type "uid(ipv4)", column 5: uid is of an integer of 4 bytes, got ipv4`},
		{"ktime(struct task_struct __kptr *)", `type "ktime(struct task_struct __kptr *)", column 7: ktime is of an integer of 8 bytes, got struct task_struct __kptr *`},
		{"hex(u32", `type "hex(u32", column 8: got the end, want ")"`},
		{"hex()", `type "hex()", column 5: got ")", want a type`},
		{"ktme", `type "ktme", column 1: no type ktme (did you mean ktime?)`},
	})
}

// A hint leaves an int an int, whatever bytes another program has written.
func TestHintValues(t *testing.T) {
	check(t, nil, []expr{
		{`dec("ktime", "ff" * 8)`, `18446744073709551615`},
		{`dec("errno", "fe ff ff ff")`, `-2`},
		{`dec("hex(be16)", "01 02")`, `258`},
		{`enc("hex(be16)", 258)`, `01 02`},
		{`enc("uid", -1)`, `-1 is out of range for u32 (0 to 4294967295)`},
		{`enc("ktime", "now")`, `got "now", want u64`},
		{`dec("struct { ktime a; hex(u8) b : 4; }", "01 00 00 00 00 00 00 00 0a 00 00 00 00 00 00 00")`, `record(a=1, b=10)`},
		{`dec("comm", "62 61 73 68 00 00 00 00 00 00 00 00 00 00 00 00")`, `bash`},
		{`dec("comm", "62 61 73 68 00 11 00 00 00 00 00 00 00 00 00 00")`, "b\"bash\\x00\\x11\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\""},
		{`enc("comm", "sixteen letters..")`, `text of 17 bytes does not fit char[16]`},
		{`percpu("duration", 3, 4).sum()`, `7`},
		{`T("ktime").size, T("hex(u16)").fields`, `(8, {})`},
	})
}

// A typedef that only has the name of a hint is another program's.
func TestHintOfBTF(t *testing.T) {
	uint := &btf.Int{Name: "unsigned int", Size: 4}
	for _, test := range []struct {
		name string
		typ  btf.Type
		want string
	}{
		{"uid", def("uid", uint), "uid"},
		{"through another", def("owner_t", &btf.Const{Type: def("uid", uint)}), "uid"},
		{"around another", def("hex", def("uid", uint)), "hex(u32)"},
		{"of network order", def("hex", def("__be32", uint)), "hex(be32)"},
		{"under network order", def("__be32", def("uid", uint)), "be32"},
		{"another size", def("ktime", uint), "u32"},
		{"struct", def("uid", fields(4, at(0, "val", uint))), "struct { u32 val; }"},
		{"bool", def("hex", &btf.Int{Name: "bool", Size: 1, Encoding: btf.Bool}), "bool"},
		{"enum", def("errno", &btf.Enum{Size: 4, Values: []btf.EnumValue{{Name: "A"}}}), "enum { A = 0 }"},
		{"address", def("hex", def("ipv4", uint)), "ipv4"},
		{"odd size", def("hex", &btf.Int{Name: "u24", Size: 3}), "bytes[3]"},
		{"text", arrayType(def("hex", charType), 4), "hex(char)[4]"},
		{"comm of another size", def("comm", arrayType(charType, 8)), "char[8]"},
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
		})
	}
}

// What a map's BTF keeps of a hint is a typedef, from which the same type comes back.
func TestHintSurvives(t *testing.T) {
	for _, h := range hintTable {
		for _, size := range h.sizes {
			typ, err := Of(h.around(&btf.Int{Name: "x", Size: uint32(size)}))
			if err != nil {
				t.Fatal(err)
			}
			d, ok := mustParse(t, typ.name).btf.(*btf.Typedef)
			if !ok || d.Name != h.name || typ.hint != h || typ.size != size {
				t.Errorf("%s of %d bytes is %s, typedef %v", h.name, size, typ, d)
			}
		}
	}
}
