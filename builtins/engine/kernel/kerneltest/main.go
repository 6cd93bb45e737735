package kerneltest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"bpfsh/builtins/engine/kernel"

	"golang.org/x/sys/unix"
)

// patience is how long a map may stay listed after its last descriptor is closed: the kernel frees it later.
const patience = 10 * time.Second

// Main runs the tests of a package, and fails if they leave descriptors, maps or a mounted bpffs behind.
func Main(m *testing.M) int {
	before, mounted := descriptors(), mounts()
	status := m.Run()
	if after := mounts(); after != mounted {
		fmt.Fprintf(os.Stderr, "left behind: a bpffs; mounted before: %q, after: %q\n", mounted, after)
		status = max(status, 1)
	}
	var left []string
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if left = append(opened(before), listed()...); len(left) == 0 || time.Now().After(end) {
			break
		}
		runtime.GC() // some of it may wait for the collector
	}
	for _, what := range left {
		fmt.Fprintln(os.Stderr, "left behind:", what)
		status = max(status, 1)
	}
	return status
}

// mounts are the lines of /proc/self/mounts that say where a bpffs is.
func mounts() (lines string) {
	text, _ := os.ReadFile("/proc/self/mounts")
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == "bpf" {
			lines += line
		}
	}
	return lines
}

// descriptors says what each open file descriptor is.
func descriptors() map[string]string {
	const dir = "/proc/self/fd"
	found := map[string]string{}
	entries, _ := os.ReadDir(dir)
	for _, entry := range entries {
		if what, err := os.Readlink(filepath.Join(dir, entry.Name())); err == nil {
			found[entry.Name()] = what
		}
	}
	return found
}

// opened are the descriptors that were not there before, without those of the Go runtime.
func opened(before map[string]string) (left []string) {
	for fd, what := range descriptors() {
		if what != before[fd] && what != "anon_inode:[eventpoll]" && what != "anon_inode:[eventfd]" {
			left = append(left, "descriptor "+fd+": "+what)
		}
	}
	return left
}

// listed are the maps of this run that still exist.
func listed() (left []string) {
	e := &kernel.Engine{}
	for id := uint32(0); ; {
		next, err := e.NextID(id)
		if err != nil {
			if !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.ENOSYS) {
				left = append(left, "maps that cannot be listed: "+err.Error())
			}
			return left
		}
		id = next
		m, err := e.OpenID(id, true)
		if err != nil { // it has gone
			continue
		}
		if name := m.Info().Name; strings.HasSuffix(name, suffix) {
			left = append(left, fmt.Sprintf("map %s, id %d", name, id))
		}
		m.Close()
	}
}
