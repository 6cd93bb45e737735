package object

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

const flow = "../../testdata/object/flow.o"

// TestRead reads what an object declares.
func TestRead(t *testing.T) {
	o, err := Read(flow)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]Map{}
	for _, m := range o.Maps {
		found[m.Name] = m
	}
	for _, row := range []struct {
		name                       string
		typ, key, value, max, flag uint32
	}{
		{".bss", 2, 4, 24, 1, unix.BPF_F_MMAPABLE},
		{".data", 2, 4, 48, 1, unix.BPF_F_MMAPABLE},
		{".rodata", 2, 4, 4, 1, unix.BPF_F_MMAPABLE | unix.BPF_F_RDONLY_PROG},
		{"flows_with_a_long_name", 1, 8, 40, 1024, 0},
		{"outer", 12, 4, 4, 2, 0},
		{"slots", 2, 4, 8, 4, 0},
	} {
		m, ok := found[row.name]
		if s := m.Spec; !ok || s.Type != row.typ || s.KeySize != row.key || s.ValueSize != row.value || s.MaxEntries != row.max || s.Flags != row.flag {
			t.Errorf("%s: %+v, want %+v", row.name, m.Spec, row)
		}
		if _, void := m.Spec.Key.(*btf.Void); void {
			t.Errorf("%s: its key is void", row.name)
		}
	}
	if len(o.Maps) != 6 {
		t.Errorf("%d maps, want 6", len(o.Maps))
	}
	if in := found["outer"].Spec.Inner; in == nil || in.Type != 2 || in.ValueSize != 8 || in.MaxEntries != 4 {
		t.Errorf("outer holds %+v", in)
	}
	if c := found["outer"].Contents; len(c) != 1 || c[0].Map != "slots" || binary.NativeEndian.Uint32(c[0].Key) != 1 {
		t.Errorf("outer holds %+v from the start", c)
	}
	if !found[".rodata"].Frozen || found[".data"].Frozen || found["slots"].Frozen {
		t.Error("constants are frozen, and nothing else")
	}
	c := found[".data"].Contents
	if len(c) != 1 || binary.NativeEndian.Uint64(c[0].Value) != 5 || len(c[0].Key) != 4 {
		t.Errorf("the data are %x", c)
	}
}

// TestBroken reads what is no object, or a part of one: an error, and no panic.
func TestBroken(t *testing.T) {
	whole, err := os.ReadFile(flow)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.o")
	try := func(what string, b []byte) {
		t.Helper()
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		o, err := Read(path)
		if err == nil && len(b) < len(whole)/2 {
			t.Errorf("%s: got %d maps", what, len(o.Maps))
		}
	}
	try("nothing", nil)
	try("text", []byte("this is no object\n"))
	for n := 0; n < len(whole); n += 61 {
		try("cut", whole[:n])
		broken := append([]byte(nil), whole...)
		for i := n; i < min(n+8, len(broken)); i++ {
			broken[i] ^= 0xff
		}
		try("changed", broken)
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none.o")); !os.IsNotExist(err) {
		t.Errorf("no file: %v", err)
	}
}

// TestNoObject reads what is no object at all: the error names it, and nothing is waited for.
func TestNoObject(t *testing.T) {
	dir := t.TempDir()
	text, pipe := filepath.Join(dir, "text"), filepath.Join(dir, "pipe")
	if err := os.WriteFile(text, []byte("this is no object, however long the text of it is\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	short := filepath.Join(dir, "short")
	if err := os.WriteFile(short, []byte("\x7fELF"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		text:        text + " is no ELF object: bad magic number",
		short:       short + " is no ELF object: it ends too early",
		pipe:        pipe + " is no file",
		dir:         dir + " is no file",
		"/dev/zero": "/dev/zero is no file",
	} {
		if o, err := Read(path); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Read(%s) = %v, %v; want %s", path, o, err, want)
		}
	}
}

// FuzzRead reads arbitrary objects: an error or not, but it ends, and takes no more memory than the file is worth.
func FuzzRead(f *testing.F) {
	for _, path := range []string{flow, "../../testdata/object/shapes.o"} {
		seed, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "x.o")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		o, err := Read(path)
		if err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("the error does not name the file: %v", err)
		}
		if (o == nil) == (err == nil) {
			t.Errorf("Read = %v, %v", o, err)
		}
	})
}
