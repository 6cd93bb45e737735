package layout

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"
)

func variable(offset, size uint32, name string, t btf.Type) btf.VarSecinfo {
	return btf.VarSecinfo{Type: &btf.Var{Name: name, Type: t}, Offset: offset, Size: size}
}

func TestSection(t *testing.T) {
	flexible := fields(4, at(0, "n", uint32Type), at(32, "rest", arrayType(uint16Type, 0)))
	section := &btf.Datasec{Name: ".data", Size: 56, Vars: []btf.VarSecinfo{
		variable(0, 4, "count", &btf.Volatile{Type: uint32Type}),
		variable(8, 16, "stats", fields(16, at(0, "packets", uint64Type), at(64, "bytes", uint64Type))),
		variable(24, 12, "list", flexible),
		variable(36, 4, "main.buf", arrayType(charType, 4)),
		variable(40, 4, "later", &btf.Fwd{Name: "sock"}),
		variable(44, 4, "wide", uint64Type), // more than its room
		{Type: &btf.Func{Name: "f", Type: &btf.FuncProto{}}, Offset: 48, Size: 8},
	}}
	vars, err := new(Host).Variables(section)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range vars {
		got = append(got, fmt.Sprintf("%d+%d %s %s", v.Offset, v.Size, v.Type, v.Name))
	}
	want := `0+4 u32 count
8+16 struct { u64 packets; u64 bytes; } stats
24+12 struct { u32 n; u16 rest[0]; } list
36+4 char[4] main.buf
40+4 bytes[4] later
44+4 bytes[4] wide
48+8 bytes[8] f`
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("got\n%s\nwant\n%s", s, want)
	}

	// The value as a whole is a record of the variables.
	check(t, map[string]btf.Type{"data": section}, []expr{
		{`dec(data, "07" + "00" * 3 + "99" * 4 + "01" + "00" * 7 + "02" + "00" * 7 + "11" * 12 + "61 62 00 00" + "22" * 16)`,
			`.data(count=7, stats=record(packets=1, bytes=2), list=record(n=286331153, rest=()), main.buf="ab", later=b"\"\"\"\"", wide=b"\"\"\"\"", f=b"\"\"\"\"\"\"\"\"")`},
		{`data()["main.buf"], data().count`, `("", 0)`},
		{`data(count=1).replace(count=2).count`, `2`},
	})
}

// Variables of a compiled program, each of its section's own bytes.
func TestSectionOfObject(t *testing.T) {
	spec, err := btf.LoadSpec("testdata/shapes.o")
	if err != nil {
		t.Fatal(err)
	}
	var section *btf.Datasec
	if err := spec.TypeByName(".bss", &section); err != nil {
		t.Fatal(err)
	}
	vars, err := new(Host).Variables(section)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, s := range shapes(t) {
		for _, v := range vars {
			if v.Name != s.name+"_" {
				continue
			}
			found++
			if v.Type.Size() != v.Size || v.Offset+v.Size > int(section.Size) || s.name != "enums64" && v.Type.name != mustParse(t, s.spelling).name {
				t.Errorf("%s of %s has %d bytes at %d", v.Name, v.Type, v.Size, v.Offset)
			}
		}
	}
	if n := len(shapes(t)); found != n || len(vars) != n {
		t.Errorf("%d of %d variables for %d shapes", found, len(vars), n)
	}
	whole, err := Of(section)
	if err != nil {
		t.Fatal(err)
	}
	checkAgain(t, whole)
	b := make([]byte, whole.Size())
	for i := range b {
		b[i] = byte(3 * i)
	}
	checkBytes(t, whole, b)
}
