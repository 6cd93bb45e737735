package host

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// cgroupPath is the path of a cgroup of cgroup2 by its id, which is the number of its directory's inode. Cgroups that
// were made since the first was asked for are looked for again.
func cgroupPath(id uint64) (string, bool) {
	cgroups.Lock()
	defer cgroups.Unlock()
	if path, ok := cgroups.paths[id]; ok {
		return path, true
	}
	cgroups.paths = readCgroups(cgroupRoot())
	path, ok := cgroups.paths[id]
	return path, ok
}

var cgroups struct {
	sync.Mutex
	paths map[uint64]string
}

// cgroupRoot is where cgroup2 is mounted; "" if it is not.
func cgroupRoot() string {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == "cgroup2" {
			return f[1]
		}
	}
	return ""
}

// readCgroups lists the directories below root by their inodes. What cannot be read is left out.
func readCgroups(root string) map[uint64]string {
	paths := map[uint64]string{}
	if root == "" {
		return paths
	}
	filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			if st, ok := info.Sys().(*syscall.Stat_t); ok {
				paths[st.Ino] = "/" + strings.TrimPrefix(strings.TrimPrefix(path, root), "/")
			}
		}
		return nil
	})
	return paths
}
