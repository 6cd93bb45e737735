package host

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestCgroups lists directories by their inodes, and finds the root of cgroup2 where it is mounted.
func TestCgroups(t *testing.T) {
	root := t.TempDir()
	below := filepath.Join(root, "system.slice", "sshd.service")
	if err := os.MkdirAll(below, 0o755); err != nil {
		t.Fatal(err)
	}
	paths := readCgroups(root)
	for dir, want := range map[string]string{root: "/", below: "/system.slice/sshd.service"} {
		var st syscall.Stat_t
		if err := syscall.Stat(dir, &st); err != nil {
			t.Fatal(err)
		}
		if got := paths[st.Ino]; got != want {
			t.Errorf("%s is %q, want %q", dir, got, want)
		}
	}
	mounted := cgroupRoot()
	if mounted == "" {
		t.Skip("cgroup2 is not mounted")
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(mounted, &fs); err != nil {
		t.Fatal(err)
	}
	if fs.Type != unix.CGROUP2_SUPER_MAGIC {
		t.Errorf("%s is a file system of type %#x, want cgroup2", mounted, fs.Type)
	}
	var st syscall.Stat_t
	if err := syscall.Stat(mounted, &st); err != nil {
		t.Fatal(err)
	}
	if got, ok := cgroupPath(st.Ino); !ok || got != "/" {
		t.Errorf("the root is %q, %v", got, ok)
	}
	if got, ok := cgroupPath(1 << 60); ok {
		t.Errorf("there is a cgroup %q", got)
	}
}
