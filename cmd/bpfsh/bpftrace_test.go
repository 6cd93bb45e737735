package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"bpfsh/builtins/engine/kernel/kerneltest"

	"golang.org/x/sys/unix"
)

// TestBpftrace reads histograms that bpftrace keeps, and finds what it prints itself when it ends.
func TestBpftrace(t *testing.T) {
	needKernel(t)
	bpftrace, err := exec.LookPath("bpftrace")
	if err != nil {
		kerneltest.Skip(t, "bpftrace is not installed", err)
	}
	name := fmt.Sprintf("h%d", os.Getpid()) // others may run bpftrace, too
	var program strings.Builder
	for _, n := range []string{"-(1 << 40)", "-1", "0", "0", "1", "2", "3", "4", "7", "8", "1000", "1023", "1024", "1 << 20", "1 << 40", "(1 << 62) + 1"} {
		fmt.Fprintf(&program, "@%s = hist((int64)(%s)); @%[1]sk[comm] = hist((int64)(%[2]s) / 8); ", name, n)
	}
	cmd := exec.Command(bpftrace, "-e", `BEGIN { `+program.String()+`printf("ready\n"); }`)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "ready" {
	}
	if lines.Err() != nil || lines.Text() != "ready" {
		kerneltest.Skip(t, "bpftrace does not run here: "+stderr.String(), cmd.Wait())
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	got := runner(t, "kernel")(fmt.Sprintf(`
def rows(h):
    print(h.count)
    for i in h:
        print(i.min, i.count)

rows(hist(open("AT_%s"), slots="bpftrace"))
for comm, h in hist(open("AT_%[1]sk", key="struct { comm comm; u64 slot; }"), slots="bpftrace", per="key.comm").items():
    print(comm)
    rows(h)
`, name))
	ended := make(chan struct{})
	go func() { // it forgets a signal that comes while it starts
		for {
			_ = cmd.Process.Signal(unix.SIGINT) // it may have ended by itself
			select {
			case <-ended:
				return
			case <-time.After(time.Second):
			}
		}
	}()
	bucket := regexp.MustCompile(`^(?:[\[(](\.\.\.|-?\d+[KMGTPE]?)).* (\d+) \|.*\|$`)
	want := map[string][]string{} // by the name of the map
	counts, of := map[string]int{}, ""
	for lines.Scan() {
		if head, ok := strings.CutSuffix(strings.TrimSpace(lines.Text()), ":"); ok {
			of = head
		}
		m := bucket.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		count, _ := strconv.Atoi(m[2])
		counts[of] += count
		want[of] = append(want[of], least(m[1])+" "+m[2])
	}
	close(ended)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	text := func(of string) string { return fmt.Sprintf("%d\n%s\n", counts[of], strings.Join(want[of], "\n")) }
	plain, keyed := "@"+name, "@"+name+"k[bpftrace]"
	if len(want[plain]) == 0 || len(want[keyed]) == 0 || len(want) != 2 {
		t.Fatalf("bpftrace printed %v", want)
	}
	if want := text(plain) + "bpftrace\n" + text(keyed); got+"\n" != want {
		t.Errorf("hist of what bpftrace has counted is\n%s\nwant what it prints:\n%s", got, want)
	}
}

// least is where an interval begins as a script has it, of how bpftrace prints it: "...", "2" or "1K".
func least(text string) string {
	if text == "..." {
		return "-inf"
	}
	shift := 0
	if i := strings.IndexByte(" KMGTPE", text[len(text)-1]); i > 0 {
		text, shift = text[:len(text)-1], 10*i
	}
	n, _ := strconv.Atoi(text) // digits alone have matched
	return strconv.Itoa(n << shift)
}
