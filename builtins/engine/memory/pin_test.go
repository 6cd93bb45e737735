package memory_test

import (
	"fmt"
	"testing"

	"bpfsh/builtins/engine/memory"

	"golang.org/x/sys/unix"
)

func TestPins(t *testing.T) {
	const dir = "/sys/fs/bpf"
	e := &memory.Engine{}
	m := opened(t)(e.Create(good(t, "hash")))
	for _, c := range []struct {
		what string
		do   func() error
		want any
	}{
		{"pin", func() error { return m.Pin(dir+"/one", false) }, nil},
		{"pin again", func() error { return m.Pin(dir+"/one", false) }, unix.EEXIST},
		{"replace", func() error { return m.Pin(dir+"/one", true) }, nil},
		{"a second", func() error { return m.Pin(dir+"/./two", false) }, nil},
		{"the directory", func() error { return m.Pin(dir, false) }, unix.EEXIST},
		{"below a pin", func() error { return m.Pin(dir+"/one/x", false) }, unix.ENOTDIR},
		{"no directory", func() error { return m.Pin(dir+"/no/such", false) }, unix.ENOENT},
		{"a dot", func() error { return m.Pin(dir+"/a.b", false) }, unix.EPERM},
		{"a long name", func() error { return m.Pin(fmt.Sprintf("%s/%0300d", dir, 0), false) }, unix.ENAMETOOLONG},
		{"elsewhere", func() error { return m.Pin("/tmp/x", false) }, "/tmp is not on a bpffs"},
		{"beside", func() error { return m.Pin("/sys/fs/bpfx", false) }, "/sys/fs is not on a bpffs"},
		{"the root", func() error { return m.Pin("/", false) }, "/ is not on a bpffs"},
		{"nowhere", func() error { return m.Pin("/no_such_directory/x", false) }, unix.ENOENT},
		{"open the directory", func() error { _, err := e.OpenPin(dir, false); return err }, unix.EISDIR},
		{"open nothing", func() error { _, err := e.OpenPin(dir+"/none", false); return err }, unix.ENOENT},
		{"unpin nothing", func() error { return e.Unpin(dir + "/none") }, unix.ENOENT},
		{"unpin the directory", func() error { return e.Unpin(dir) }, "/sys/fs is not on a bpffs"},
		{"unpin", func() error { return e.Unpin(dir + "/one") }, nil},
		{"unpin again", func() error { return e.Unpin(dir + "/one") }, unix.ENOENT},
	} {
		if err := c.do(); fmt.Sprint(err) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, want %v", c.what, err, c.want)
		}
	}
	m.Close()
	if got := opened(t)(e.OpenPin(dir+"/two", true)).Info(); got.ID != 1 || !got.ReadOnly {
		t.Errorf("opened %+v", got)
	}
	other := &memory.Engine{BPFFS: "/somewhere/else/"}
	if err := opened(t)(other.Create(good(t, "hash"))).Pin("/somewhere/else/x", false); err != nil {
		t.Error(err)
	}
}
