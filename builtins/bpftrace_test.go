package builtins_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bpfsh/builtins/engine/kernel/kerneltest"
)

// TestEventsOfBpftrace reads what bpftrace sends itself: a ring buffer beside it, of which it misses nothing; or, where an
// older one has a perf event array, in its place.
func TestEventsOfBpftrace(t *testing.T) {
	bpftrace, err := exec.LookPath("bpftrace")
	if err != nil {
		t.Skip("bpftrace is not installed")
	}
	e := kerneltest.Engine(t)
	cmd := exec.Command(bpftrace, "-e", `interval:ms:20 { @n++; printf("n %d\n", @n); }`)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// It loses a signal that comes between two of its waits for events, and of those it gets none any more.
	var interrupts sync.WaitGroup
	end := sync.OnceFunc(func() {
		interrupts.Go(func() {
			for cmd.Process.Signal(os.Interrupt) == nil {
				time.Sleep(100 * time.Millisecond)
			}
		})
	})
	t.Cleanup(func() {
		end()
		cmd.Wait()
		interrupts.Wait()
	})
	lines := bufio.NewScanner(out)
	for !strings.HasPrefix(lines.Text(), "n ") {
		if !lines.Scan() {
			t.Fatalf("bpftrace prints nothing: %v", lines.Err())
		}
	}
	kind, id := mapOfEvents(t, cmd.Process.Pid)
	if id == "" {
		t.Skip("bpftrace has neither a ring buffer nor a perf event array")
	}
	// What it sends for a printf is a number of its own, and then the arguments.
	got, err := code(e, fmt.Sprintf(`
m = open(%s)
seen = [e.n for e in events(m, type="struct { u64 printf; u64 n; }", max=5, timeout="20s", consume=m.type != "ringbuf")]
print(len(seen) == 5 and [n - seen[0] for n in seen])`, id))
	const want = "[0, 1, 2, 3, 4]\n"
	if err != nil || !strings.HasSuffix(got, want) {
		t.Errorf("from a %s: got %q, %v, want %q", kind, got, err, want)
	}
	time.AfterFunc(200*time.Millisecond, end)
	last := 0
	for lines.Scan() {
		var n int
		if _, err := fmt.Sscanf(lines.Text(), "n %d", &n); err != nil {
			continue
		}
		if last > 0 && n != last+1 && kind == "ringbuf" {
			t.Errorf("bpftrace has printed %d behind %d", n, last)
		}
		last = n
	}
	if kind != "ringbuf" && !strings.Contains(got, "took the place of its reader") {
		t.Errorf("nothing says that the place was taken: %q", got)
	}
}

// mapOfEvents is the map of a process through which it gets events.
func mapOfEvents(t *testing.T, pid int) (kind, id string) {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			continue // it has closed it
		}
		facts := map[string]string{}
		for line := range strings.Lines(string(text)) {
			name, value, _ := strings.Cut(line, ":")
			facts[name] = strings.TrimSpace(value)
		}
		switch facts["map_type"] {
		case "27":
			return "ringbuf", facts["map_id"]
		case "4":
			kind, id = "perf_event_array", facts["map_id"]
		}
	}
	return kind, id
}
