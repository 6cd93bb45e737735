package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"bpfsh/runtime"
)

// TestReadOnly opens maps of the kernel by path and by id: they can be read, in every way, and not be written.
func TestReadOnly(t *testing.T) {
	needKernel(t)
	dir, closeFS := privateBPFFS("kernel")
	if dir == "" {
		t.Fatal("there is no bpffs")
	}
	defer closeFS()
	pin := filepath.Join(dir, "flows")
	var out bytes.Buffer
	owner := newShell(&options{engine: "kernel", noMount: true, color: "never"}, strings.NewReader(""), &out, &out)
	defer owner.close()
	made := fmt.Sprintf(`
m = create("hash", key="u32", value="u64", max_entries=4, name="flows")
m[1] = 5
m.pin(%q)
a = create("array", key="u32", value="u64", max_entries=2, flags=BPF_F_MMAPABLE, name="slots")
print(m.id, a.id)`, pin)
	if err := owner.run(&options{interactive: false}, source{name: "made.star", text: []byte(made), code: true}); err != nil {
		t.Fatal(err, out.String())
	}
	ids := strings.Fields(out.String())
	script := fmt.Sprintf(`
for m in [open(%q), open(%s), open(%q, readonly=False)]:
    print(m[1], list(m.items()), m.count(), m.kernel.lookup(1), m.frozen, 1 in m, [len(b) for b in m.lookup_batch()])
    for write in [lambda: m.update(1, 6), lambda: m.kernel.update(1, 6), lambda: m.clear(), m.freeze, lambda: m.pin(%q)]:
        print(catch(write)[1])
slots = open(%s)
print(slots[0], catch(slots.update, 0, 1)[1])
print(catch(create, "hash", key="u32", value="u64", max_entries=1)[1])
print(catch(m.unpin, %q)[1])`, pin, ids[0], pin, pin+"2", ids[1], pin)
	var got bytes.Buffer
	sh := newShell(&options{engine: "kernel", readonly: true, noMount: true, color: "never"}, strings.NewReader(""), &got, &got)
	defer sh.close()
	if sh.label != "ro" {
		t.Errorf("the prompt's label is %q, want ro", sh.label)
	}
	if err := sh.run(&options{}, source{name: "look.star", text: []byte(script)}); runtime.Status(err) != 0 {
		t.Fatalf("%v\n%s", err, &got)
	}
	const refused = `%s: map "flows": --readonly: nothing is changed (EPERM)` + "\n"
	each := "5 [(1, 5)] 1 5 False True [1]\n" +
		`update: map "flows": key 1: --readonly: nothing is changed (EPERM)` + "\n" +
		`kernel.update: map "flows": key 1: --readonly: nothing is changed (EPERM)` + "\n" +
		`clear: map "flows": stopped after 0: --readonly: nothing is changed (EPERM)` + "\n" +
		fmt.Sprintf(refused, "freeze") + fmt.Sprintf(refused, "pin")
	want := strings.Repeat(each, 3) + `0 update: map "slots": key 0: --readonly: nothing is changed (EPERM)
create: hash: --readonly: nothing is changed (EPERM)
` + fmt.Sprintf(refused, "unpin")
	if got.String() != want {
		t.Errorf("got\n%swant\n%s", &got, want)
	}
	if err := owner.run(&options{}, source{name: "still.star", text: []byte(`list(m.items()) == [(1, 5)] and not m.frozen or fail("it was changed")`), code: true}); err != nil {
		t.Error(err, out.String())
	}
}
