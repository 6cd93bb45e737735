package layout

import (
	"errors"
	"slices"
	"testing"

	"github.com/cilium/ebpf/btf"
)

func TestFindType(t *testing.T) {
	spec, err := btf.LoadSpec("testdata/shapes.o")
	if err != nil {
		t.Fatal(err)
	}
	names := NamesOf(spec)
	for _, test := range []struct{ name, want string }{
		{"struct signs", "struct signs { i8 a; i16 b; i32 c; i64 d; }"},
		{"union sizes", "union sizes { u8 a[5]; u32 b; u16 c; }"},
		{"mac", "mac"},
		{"union signs", ""},
		{"signs", ""},
		{"struct mac", ""},
		{"struct none_", ""}, // a variable
		{"struct .bss", ""},  // a section
	} {
		typ, err := FindType(spec, test.name)
		if test.want == "" {
			if !errors.Is(err, btf.ErrNotFound) || slices.Contains(names, test.name) {
				t.Errorf("%s: got %v, %v, and it is listed: %t", test.name, typ, err, slices.Contains(names, test.name))
			}
			continue
		}
		if err != nil || spell(typ) != test.want || !slices.Contains(names, test.name) {
			t.Errorf("%s: got %v, %v, want %s, and it is listed: %t", test.name, typ, err, test.want, slices.Contains(names, test.name))
		}
	}
}

// The types of an object come before the machine's.
func TestHostWith(t *testing.T) {
	host := testHost().With(func(name string) (btf.Type, error) {
		switch name {
		case "flow_t":
			return def("flow_t", uint64Type), nil
		case "struct bad":
			return nil, errors.New("cut off")
		default:
			return nil, btf.ErrNotFound
		}
	}, func() []string { return []string{"struct of_object"} })
	for _, test := range []spelled{
		{"flow_t", "u64"},
		{"union addr", "union addr { ipv4 v4; }"},
		{"struct bad", `type "struct bad", column 1: struct bad: cut off`},
		{"struct of_objekt", `type "struct of_objekt", column 1: no struct of_objekt is known (did you mean struct of_object?)`},
		{"struct flow_kye", `type "struct flow_kye", column 1: no struct flow_kye is known (did you mean struct flow_key?)`},
	} {
		got := ""
		if typ, err := host.Parse(test.src); err != nil {
			got = err.Error()
		} else {
			got = typ.name
		}
		if got != test.want {
			t.Errorf("%s: got %s, want %s", test.src, got, test.want)
		}
	}
}
