package builtins_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// usage is what a process holds.
type usage struct {
	goroutines, descriptors, mappings int
	resident                          int // bytes
	maps                              int // bytes of the kernel's memory, of the maps that it has open
}

// usageNow collects no garbage: what waits for it is held too.
func usageNow(t *testing.T) usage {
	t.Helper()
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join("/proc/self", name))
		if err != nil && !os.IsNotExist(err) { // a descriptor may be closed by now
			t.Fatal(err)
		}
		return b
	}
	u := usage{goroutines: runtime.NumGoroutine(), mappings: bytes.Count(read("maps"), []byte("\n"))}
	for line := range strings.Lines(string(read("status"))) {
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &u.resident); n == 1 {
			u.resident <<= 10
		}
	}
	files, err := os.ReadDir("/proc/self/fdinfo")
	if err != nil {
		t.Fatal(err)
	}
	u.descriptors = len(files)
	sizes := map[int]int{} // by the id of the map
	for _, f := range files {
		var size, id int
		for line := range strings.Lines(string(read("fdinfo/" + f.Name()))) {
			fmt.Sscanf(line, "memlock: %d", &size)
			fmt.Sscanf(line, "map_id: %d", &id)
		}
		if id > 0 {
			sizes[id] = size
		}
	}
	for _, size := range sizes {
		u.maps += size
	}
	return u
}

// most makes u at least as much as other.
func (u *usage) most(other usage) {
	u.goroutines, u.descriptors, u.mappings = max(u.goroutines, other.goroutines), max(u.descriptors, other.descriptors), max(u.mappings, other.mappings)
	u.resident, u.maps = max(u.resident, other.resident), max(u.maps, other.maps)
}

// plus is u and more.
func (u usage) plus(more usage) usage {
	return usage{u.goroutines + more.goroutines, u.descriptors + more.descriptors, u.mappings + more.mappings, u.resident + more.resident, u.maps + more.maps}
}

// exceeds says that something of u is more than it may be.
func (u usage) exceeds(may usage) bool {
	most := may
	most.most(u)
	return most != may
}

// alone runs the test in a process of its own, where no other has left anything, and says whether it is that one.
func alone(t *testing.T) bool {
	t.Helper()
	const is = "BPFSH_TEST_ALONE"
	if os.Getenv(is) != "" {
		return true
	}
	ctx := t.Context()
	if end, ok := t.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-time.Second))
		defer cancel()
	}
	test := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=0")
	test.Env = append(os.Environ(), is+"=1")
	out, err := test.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
	return false
}
