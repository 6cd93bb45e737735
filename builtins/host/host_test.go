package host

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf/btf"
)

// TestFind finds types of the running kernel by their names.
func TestFind(t *testing.T) {
	h := New()
	if _, err := os.Stat("/sys/kernel/btf/vmlinux"); err != nil {
		t.Skip("this kernel has no types for itself: ", err)
	}
	for _, row := range []struct{ name, kind string }{
		{"struct task_struct", "*btf.Struct"}, {"enum bpf_map_type", "*btf.Enum"}, {"pid_t", "*btf.Typedef"},
	} {
		got, err := h.Find(row.name)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		if _, last, _ := strings.Cut(row.name, " "); got.TypeName() != last && got.TypeName() != row.name {
			t.Errorf("%s: got %v", row.name, got)
		}
	}
	for _, name := range []string{"task_struct", "struct pid_t", "struct none_such", "none_such"} {
		if got, err := h.Find(name); !errors.Is(err, btf.ErrNotFound) {
			t.Errorf("%s: got %v, %v; want none", name, got, err)
		}
	}
	names := strings.Join(h.Names(), "\n") + "\n"
	for _, name := range []string{"struct task_struct\n", "\npid_t\n", "enum bpf_map_type\n"} {
		if !strings.Contains(names, name) {
			t.Errorf("%q is not among the names", name)
		}
	}
}

// TestNames asks for what every machine has: the loopback interface, root, and errors.
func TestNames(t *testing.T) {
	h := New()
	for _, row := range []struct {
		what string
		name func() (string, bool)
		want string
	}{
		{"interface 1", func() (string, bool) { return h.Interface(1) }, "lo"},
		{"user 0", func() (string, bool) { return h.User(0) }, "root"},
		{"errno 2", func() (string, bool) { return h.Errno(2) }, "ENOENT"},
		{"signal 9", func() (string, bool) { return h.Signal(9) }, "SIGKILL"},
		{"this process", func() (string, bool) { return h.Process(uint32(os.Getpid())) }, "host.test"},
		{"errno 524", func() (string, bool) { return h.Errno(524) }, "ENOTSUPP"},
	} {
		if got, ok := row.name(); !ok || got != row.want {
			t.Errorf("%s is %q, %v; want %q", row.what, got, ok, row.want)
		}
	}
	if got, ok := h.Interface(1 << 30); ok {
		t.Errorf("there is an interface %q", got)
	}
	if got, ok := h.User(4294967290); ok {
		t.Errorf("there is a user %q", got)
	}
	if got, ok := h.Errno(99999); ok {
		t.Errorf("there is an error %q", got)
	}
	if got, ok := h.Signal(999); ok {
		t.Errorf("there is a signal %q", got)
	}
	if got, ok := h.Process(1 << 30); ok {
		t.Errorf("there is a process %q", got)
	}
	since, now := h.Clock()
	if since == 0 || time.Since(now).Abs() > time.Minute {
		t.Errorf("the clock says %d, %v", since, now)
	}
}

// TestSymbol finds what covers an address.
func TestSymbol(t *testing.T) {
	table := parseSymbols(strings.NewReader(`ffffffff81000000 T _text
ffffffff81000000 T alias
ffffffff81000100 t tcp_v4_rcv
ffffffff81000200 D data_is_no_function
0000000000000000 T hidden
broken
ffffffffc0000000 t nf_hook	[nf_tables]
ffffffffc0001000 W last
`))
	saved := symbols
	symbols = func() []kernelSymbol { return table }
	defer func() { symbols = saved }()
	for _, row := range []struct {
		addr uint64
		want string
	}{
		{0xffffffff81000000, "_text"}, {0xffffffff81000042, "_text+0x42"}, {0xffffffff81000100, "tcp_v4_rcv"},
		{0xffffffff81000112, "tcp_v4_rcv+0x12"}, {0xffffffffc0000010, "nf_hook [nf_tables]+0x10"}, {0xffffffffc0001000, "last"},
		{0xffffffff80ffffff, ""}, {0xffffffffc0001001, ""}, {0, ""},
	} {
		if got, _ := symbol(row.addr); got != row.want {
			t.Errorf("%#x is %q, want %q", row.addr, got, row.want)
		}
	}
	table = nil
	if got, ok := symbol(1); ok {
		t.Errorf("without symbols there is %q", got)
	}
}
