package object

import (
	"encoding/binary"
	"os"
	"path/filepath"
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
