package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
)

// TestProgramAgrees lets a program that clang has compiled read what a script has written, and a script what the program
// has written: a struct of every shape.
func TestProgramAgrees(t *testing.T) {
	needKernel(t)
	const object = "../../testdata/object/shapes.o"
	run := runner(t, "kernel")
	dir, closeFS := privateBPFFS("kernel")
	defer closeFS()
	if dir == "" {
		t.Skip("no private bpffs could be made")
	}
	run(`
o = load_object("` + object + `")
shapes = o.maps["shapes"].open_or_create("` + dir + `/shapes")
fields = o.maps["fields"].open_or_create("` + dir + `/fields")
written = {
    "a": 250, "b": 65000, "c": 5, "d": 100, "e": -9, "f": 1 << 62, "g": -(1 << 62), "port": 0x5000, "mac": [1, 0, 0, 0, 0, 255],
    "word": 0x00ab0000, "p": {"x": -100, "y": 4000000000}, "v": "DROP", "on": True, "name": b"\x00\x00\x00\x00z", "grid": [[0, 0], [77, 0]],
}
shapes[0] = written
`)
	spec, err := ebpf.LoadCollectionSpec(object)
	if err != nil {
		t.Fatal(err)
	}
	replacements := map[string]*ebpf.Map{}
	for _, name := range []string{"shapes", "fields"} {
		m, err := ebpf.LoadPinnedMap(filepath.Join(dir, name), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		replacements[name] = m
	}
	programs, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{MapReplacements: replacements})
	if err != nil {
		t.Fatal(err)
	}
	defer programs.Close()
	for _, name := range []string{"read_shapes", "write_shapes"} {
		if _, err := programs.Programs[name].Run(&ebpf.RunOptions{Data: make([]byte, 64)}); err != nil {
			t.Fatal(err)
		}
	}
	const want = "[250, 65000, 5, 100, -9, 4611686018427387904, -4611686018427387904, 80, 1, 255, 171, -100, 4000000000, 1000, 1, 122, 77]"
	if got := run(`list(fields.values())[:17]`); got != want {
		t.Errorf("the program has read %s, want %s", got, want)
	}
	if got := run(`shapes[0] == shapes[1]`); got != "True" {
		t.Errorf("the program has written %s, want %s", run(`shapes[1]`), run(`shapes[0]`))
	}
	run(`shapes[0] = shapes[1]`)
	if got := run(`[b for b in shapes.lookup_batch()][0].values[0] == shapes[1]`); got != "True" {
		t.Error("what was read is not written back as it was")
	}
}

// TestObjectsAreCurrent compiles the objects of testdata again, where clang is installed, and compares what they declare.
func TestObjectsAreCurrent(t *testing.T) {
	clang, err := exec.LookPath("clang")
	if err != nil {
		t.Skip("clang is not installed")
	}
	sources, err := filepath.Glob("../../testdata/object/*.c")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	for _, c := range sources {
		t.Run(filepath.Base(c), func(t *testing.T) {
			o := filepath.Join(t.TempDir(), "new.o")
			if out, err := exec.Command(clang, "-O2", "-g", "-target", "bpf", "-c", c, "-o", o).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			run := runner(t, "memory")
			declared := func(path string) string {
				return run(`{n: (m.type, str(m.key_type), str(m.value_type), m.max_entries, m.flags) for n, m in load_object("` + path + `").maps.items()}`)
			}
			if old, now := declared(strings.TrimSuffix(c, ".c")+".o"), declared(o); old != now {
				t.Errorf("the object declares\n%s, its source\n%s", old, now)
			}
		})
	}
}

// TestForgottenStruct asks by its name for a struct that clang leaves out of an object's BTF, does what the error says, and
// finds it.
func TestForgottenStruct(t *testing.T) {
	clang, err := exec.LookPath("clang")
	if err != nil {
		t.Skip("clang is not installed")
	}
	const source = `
struct event { unsigned pid; char comm[16]; };
static long (*output)(void *ring, void *data, unsigned long size, unsigned long flags) = (void *) 130;
__attribute__((section("socket"), used)) int send(void *ctx)
{
	struct event e = { .pid = 1 };
	return output(ctx, &e, sizeof e, 0);
}
`
	dir := t.TempDir()
	ask := func(source string) string {
		t.Helper()
		c, o := filepath.Join(dir, "event.c"), filepath.Join(dir, "event.o")
		if err := os.WriteFile(c, []byte(source), 0o666); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(clang, "-O2", "-g", "-target", "bpf", "-c", c, "-o", o).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return runner(t, "memory")(`
found, err = catch(load_object("` + o + `").type, "struct event")
print(err.hint if err else found)
`)
	}
	_, cure, _ := strings.Cut(ask(source), "keeps it there: ")
	if got, want := ask(source+cure), "struct event { u32 pid; char comm[16]; }"; cure == "" || got != want {
		t.Errorf("with %q it finds %s, want %s", cure, got, want)
	}
}
