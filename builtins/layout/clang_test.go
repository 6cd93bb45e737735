package layout

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/cilium/ebpf/btf"
)

// shape is a line of testdata/shapes.c: a spelling, and the name of the type.
type shape struct{ spelling, word, name string }

func shapes(t *testing.T) []shape {
	t.Helper()
	src, err := os.ReadFile("testdata/shapes.c")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^((struct|union) (?:__attribute__\(\(packed\)\) )?(\w+) \{.*) (\w+)_;$`)
	var list []shape
	for _, m := range line.FindAllStringSubmatch(string(src), -1) {
		if m[3] != m[4] {
			t.Fatalf("the variable of %s is %s_", m[3], m[4])
		}
		list = append(list, shape{m[1], m[2], m[3]})
	}
	if len(list) < 50 {
		t.Fatalf("%d shapes were found", len(list))
	}
	return list
}

// What clang wrote down for a struct is what the same line means here: names, offsets, sizes and types.
func TestClang(t *testing.T) {
	checkShapes(t, "testdata/shapes.o")
}

// The object in testdata is what clang makes of the source.
func TestClangAgain(t *testing.T) {
	clang, err := exec.LookPath("clang")
	if err != nil {
		t.Skip("clang is not installed")
	}
	object := filepath.Join(t.TempDir(), "shapes.o")
	if out, err := exec.Command(clang, "-g", "-O2", "-target", "bpf", "-c", "testdata/shapes.c", "-o", object).CombinedOutput(); err != nil {
		t.Fatalf("clang: %v\n%s", err, out)
	}
	checkShapes(t, object)
}

func checkShapes(t *testing.T, object string) {
	spec, err := btf.LoadSpec(object)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range shapes(t) {
		t.Run(s.name, func(t *testing.T) {
			here := mustParse(t, s.spelling)
			var compiled btf.Type
			if s.word == "union" {
				compiled = shapeOf[*btf.Union](t, spec, s.name)
			} else {
				compiled = shapeOf[*btf.Struct](t, spec, s.name)
			}
			there, err := Of(compiled)
			if err != nil {
				t.Fatal(err)
			}
			placesOnly := s.name == "enums64"
			if here.name != there.name && !placesOnly || here.size != there.size {
				t.Errorf("here %s of %d bytes\nin C %s of %d", here, here.size, there, there.size)
			}
			for i, f := range there.record.fields {
				if g := here.record.fields[i]; f.name != g.name || f.start != g.start || f.end != g.end || f.typ.name != g.typ.name && !placesOnly || f.kernel != g.kernel {
					t.Errorf("field %s is %s in bits %d to %d, in C %s %s in %d to %d", g.name, g.typ, g.start, g.end, f.typ, f.name, f.start, f.end)
				}
			}
			checkAgain(t, there)
			b := make([]byte, there.size)
			for i := range b {
				b[i] = byte(7 * i)
			}
			checkBytes(t, there, b)
		})
	}
}

func shapeOf[T btf.Type](t *testing.T, spec *btf.Spec, name string) (typ T) {
	t.Helper()
	if err := spec.TypeByName(name, &typ); err != nil {
		t.Fatal(err)
	}
	return typ
}
