package kernel_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// pinned is the id of the map that is pinned at path.
func pinned(t *testing.T, e *kernel.Engine, path string) uint32 {
	t.Helper()
	m, err := e.OpenPin(path, true)
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return 0
	}
	defer m.Close()
	return m.Info().ID
}

// names are what is in a directory, without what the kernel puts into every bpffs.
func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Error(err)
	}
	var names []string
	for _, entry := range entries {
		if name := entry.Name(); name != "maps.debug" && name != "progs.debug" {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// One handle can pin its map twice, and any handle can take a pin away.
func TestPinTwice(t *testing.T) {
	e := kerneltest.Engine(t)
	dir, m := kerneltest.BPFFS(t), hash(t, e)
	for _, name := range []string{"a", "b"} {
		if err := m.Pin(filepath.Join(dir, name), false); err != nil {
			t.Fatal(err)
		}
	}
	if got := names(t, dir); got != "a b" {
		t.Errorf("pins are %q, want a and b", got)
	}
	opened, err := e.OpenPin(dir+"/a", false)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if err := opened.Pin(dir+"/c", false); err != nil { // a handle that came from a pin does not move it
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c"} {
		if id := pinned(t, e, filepath.Join(dir, name)); id != m.Info().ID {
			t.Errorf("at %s is map %d, want %d", name, id, m.Info().ID)
		}
	}
	if err := e.Unpin(dir + "/b"); err != nil {
		t.Error(err)
	}
	if got := names(t, dir); got != "a c" {
		t.Errorf("pins are %q, want a and c", got)
	}
}

// A pin keeps the map when nothing else does.
func TestPinKeeps(t *testing.T) {
	e := kerneltest.Engine(t)
	dir, m := kerneltest.BPFFS(t), hash(t, e)
	if err := errors.Join(m.Update(number(1), number(10), 0), m.Pin(dir+"/m", false), m.Close()); err != nil {
		t.Fatal(err)
	}
	opened, err := e.OpenPin(dir+"/m", false)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	holds(t, opened, 1, 10)
	if err := e.Unpin(dir + "/m"); err != nil {
		t.Error(err)
	}
	holds(t, opened, 1, 10)
}

func TestPinFails(t *testing.T) {
	e := kerneltest.Engine(t)
	dir, m, other := kerneltest.BPFFS(t), hash(t, e), hash(t, e)
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.SocketFilter, License: "MIT",
		Instructions: asm.Instructions{asm.LoadImm(asm.R0, 0, asm.DWord), asm.Return()},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer prog.Close()
	if err := errors.Join(other.Pin(dir+"/map", false), prog.Pin(dir+"/program"), os.Mkdir(dir+"/directory", 0o700)); err != nil {
		t.Fatal(err)
	}
	before := names(t, dir)
	for _, c := range []struct {
		path    string
		replace bool
		want    string
	}{
		{dir + "/map", false, "file exists"},
		{dir + "/program", false, "file exists"},
		{dir + "/directory", false, "file exists"},
		{dir + "/program", true, "what is at " + dir + "/program cannot be replaced: another kind of object is pinned there, not a map"},
		{dir + "/directory", true, "is a directory"},
		{dir + "/none/m", false, "no such file or directory"},
		{dir + "/none/m", true, "no such file or directory"},
		{dir + "/m.1", false, "operation not permitted"},
		{dir + "/m.1", true, "operation not permitted"},
		{dir + "/map/m", false, "not a directory"},
		{dir + "/" + strings.Repeat("m", 300), false, "file name too long"},
	} {
		t.Run(strings.TrimPrefix(c.path, dir), func(t *testing.T) {
			if err := m.Pin(c.path, c.replace); err == nil || !strings.HasSuffix(err.Error(), c.want) {
				t.Errorf("replace %v: got %v, want %s", c.replace, err, c.want)
			}
			if after := names(t, dir); after != before {
				t.Errorf("there is %q, before there was %q", after, before)
			}
			if id := pinned(t, e, dir+"/map"); id != other.Info().ID {
				t.Errorf("at map is %d, want %d", id, other.Info().ID)
			}
		})
	}
}

func TestNotBPFFS(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, e := range []*kernel.Engine{
		kerneltest.Engine(t),
		{Mounted: func(dir string) { t.Errorf("a bpffs was mounted at %s", dir) }},
	} {
		m := hash(t, e)
		open := func(path string) error { _, err := e.OpenPin(path, true); return err }
		for _, c := range []struct {
			what string
			err  error
			dir  string
		}{
			{"pin", m.Pin(dir+"/m", false), dir},
			{"pin over a file", m.Pin(dir+"/file", true), dir},
			{"pin behind a dot", m.Pin(dir+"/m.1", false), dir},
			{"unpin", e.Unpin(dir + "/file"), dir},
			{"open", open(dir + "/file"), dir + "/file"},
			{"open a directory", open(dir), dir},
		} {
			t.Run(c.what, func(t *testing.T) {
				if e, ok := errors.AsType[*engine.NotBPFFSError](c.err); !ok || e.Dir != c.dir {
					t.Errorf("got %v, want that %s is not on a bpffs", c.err, c.dir)
				}
			})
		}
	}
	if got := names(t, dir); got != "file" {
		t.Errorf("there is %q now", got)
	}
}

func TestUnpin(t *testing.T) {
	e := kerneltest.Engine(t)
	dir := kerneltest.BPFFS(t)
	if err := os.Mkdir(dir+"/directory", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		want error
	}{{"none", unix.ENOENT}, {"none/m", unix.ENOENT}, {"directory", unix.EISDIR}} {
		t.Run(c.name, func(t *testing.T) {
			if err := e.Unpin(filepath.Join(dir, c.name)); err != c.want {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
	if got := names(t, dir); got != "directory" {
		t.Errorf("there is %q now", got)
	}
}

// While one map takes the place of another, there is always a map at the path.
func TestPinReplaces(t *testing.T) {
	e := kerneltest.Engine(t)
	dir := kerneltest.BPFFS(t)
	maps := []engine.Map{hash(t, e), hash(t, e)}
	path := filepath.Join(dir, "m")
	if err := maps[0].Pin(path, true); err != nil { // there was nothing: that is no error
		t.Fatal(err)
	}
	done, watched := make(chan bool), make(chan int)
	go func() {
		n := 0
		defer func() { watched <- n }()
		for ; ; n++ {
			select {
			case <-done:
				return
			default:
			}
			m, err := e.OpenPin(path, true)
			if err != nil {
				t.Errorf("after %d times: %v", n, err)
				return
			}
			m.Close()
		}
	}()
	for i := range 500 {
		m := maps[i%2]
		if err := m.Pin(path, true); err != nil {
			t.Fatal(err)
		}
		if id := pinned(t, e, path); id != m.Info().ID {
			t.Fatalf("map %d is there, want %d", id, m.Info().ID)
		}
	}
	close(done)
	if n := <-watched; n == 0 {
		t.Error("nobody looked")
	}
	if got := names(t, dir); got != "m" {
		t.Errorf("there is %q, want m", got)
	}
}

// A private bpffs is nowhere else, and all in it goes with it.
func TestPrivateBPFFS(t *testing.T) {
	e := kerneltest.Engine(t)
	other := kerneltest.BPFFS(t)
	dir, closeDir, err := kernel.PrivateBPFFS()
	if err != nil {
		kerneltest.Skip(t, "a private bpffs is not permitted", err)
	}
	m := hash(t, e)
	id := m.Info().ID
	if err := errors.Join(m.Pin(dir+"/m", false), m.Close()); err != nil {
		t.Fatal(err)
	}
	if got := names(t, other); got != "" {
		t.Errorf("in another bpffs is %q", got)
	}
	if mounts, err := os.ReadFile("/proc/self/mounts"); err != nil || strings.Contains(string(mounts), dir) {
		t.Errorf("it is mounted, or %v", err)
	}
	if pinned(t, e, dir+"/m") != id {
		t.Error("the pin does not hold the map")
	}
	if err := closeDir(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, unix.ENOENT) {
		t.Errorf("the directory after close: %v, want ENOENT", err)
	}
	gone(t, e, id)
}

// Nothing but a map that is returned keeps a descriptor. One that is forgotten would be closed by the collector, some
// time, and is kept from that here.
func TestDescriptors(t *testing.T) {
	e := kerneltest.Engine(t)
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	spec := engine.Spec{Type: kerneltest.Type(t, "hash"), KeySize: 4, ValueSize: 4, MaxEntries: 100, Key: u32, Value: u32}
	m, other := kerneltest.Map(t, e, spec), kerneltest.Map(t, e, spec)
	dir := kerneltest.BPFFS(t)
	if err := errors.Join(other.Pin(dir+"/m", false), os.Mkdir(dir+"/directory", 0o700)); err != nil {
		t.Fatal(err)
	}
	m.Types() // what cilium/ebpf keeps for good is open now
	closed := func(m engine.Map, err error) {
		if err == nil {
			m.Close()
		}
	}
	for what, call := range map[string]func(){
		"create":                 func() { closed(kerneltest.Create(t, e, spec)) },
		"open by id":             func() { closed(e.OpenID(m.Info().ID, true)) },
		"open by pin":            func() { closed(e.OpenPin(dir+"/m", true)) },
		"open what is not a map": func() { closed(e.OpenPin(dir+"/directory", true)) },
		"types":                  func() { m.Types() },
		"memory":                 func() { m.Memory() },
		"pin":                    func() { m.Pin(dir+"/n", false); e.Unpin(dir + "/n") },
		"pin, refused":           func() { m.Pin(dir+"/m", false) },
		"replace":                func() { m.Pin(dir+"/m", true) },
		"replace, refused":       func() { m.Pin(dir+"/directory", true) },
		"private bpffs": func() {
			if _, unmount, err := kernel.PrivateBPFFS(); err == nil {
				unmount()
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			before := names(t, "/proc/self/fd")
			call()
			if after := names(t, "/proc/self/fd"); after != before {
				t.Errorf("open before: %s; after: %s", before, after)
			}
		})
	}
}
