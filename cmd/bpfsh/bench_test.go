package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"golang.org/x/sys/unix"
)

// The command as a whole process beside other commands, in turns; the ratio is the median of all turns.

// built is the command as it is released.
func built(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "bpfsh")
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return path
}

// installed is a command that is not bpfsh's own. Where it is not, the benchmark is skipped by name.
func installed(b *testing.B, name string) string {
	b.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		b.Skipf("%s is not installed", name)
	}
	return path
}

// flowsOf makes a hash of n entries, which others open by its id.
func flowsOf(b *testing.B, n int) string {
	b.Helper()
	m := kerneltest.Map(b, kerneltest.Engine(b), engine.Spec{Type: kerneltest.Type(b, "hash"), KeySize: 4, ValueSize: 8, MaxEntries: uint32(n)})
	keys, values := make([]byte, 4*n), make([]byte, 8*n)
	for i := range n {
		for at := range 4 { // little-endian or not, they are different numbers
			keys[4*i+at], values[8*i+at] = byte(i>>(8*at)), byte(7*i>>(8*at))
		}
	}
	if out := engine.UpdateAll(m, keys, values, n, 0, func(int) error { return nil }); out.Err != nil {
		b.Fatal(out.Err)
	}
	return strconv.FormatUint(uint64(m.Info().ID), 10)
}

// took is how long a command runs that writes to a file, and how many lines it writes.
func took(b *testing.B, command ...string) (time.Duration, int) {
	b.Helper()
	out, err := os.Create(filepath.Join(b.TempDir(), "out"))
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	var report strings.Builder
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = out, &report
	start := time.Now()
	if err := cmd.Run(); err != nil {
		b.Fatalf("%s: %v\n%s", command, err, &report)
	}
	d := time.Since(start)
	text, err := os.ReadFile(out.Name())
	if err != nil {
		b.Fatal(err)
	}
	return d, strings.Count(string(text), "\n")
}

// commands runs two in turns. Both write as many lines, unless lines is -1.
func commands(b *testing.B, lines int, ours, twin []string) {
	b.Helper()
	var ratios []float64
	for b.Loop() {
		mine, n := took(b, ours...)
		others, n2 := took(b, twin...)
		if lines >= 0 && n != lines {
			b.Fatalf("%s wrote %d lines, and %s wrote %d; want %d", ours, n, twin, n2, lines)
		}
		ratios = append(ratios, float64(mine)/float64(others))
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "ratio")
}

// BenchmarkDump writes a million entries as JSON lines to a file.
func BenchmarkDump(b *testing.B) {
	const n = 1_000_000
	b.Run("bpftool", func(b *testing.B) {
		bpftool := installed(b, "bpftool")
		id := flowsOf(b, n)
		commands(b, n, []string{built(b), "--format", "jsonl", "-c", "show(open(" + id + "))"}, []string{bpftool, "-j", "map", "dump", "id", id})
	})
	b.Run("libbpf", func(b *testing.B) {
		cc := installed(b, "cc")
		dump := filepath.Join(b.TempDir(), "dump")
		if out, err := exec.Command(cc, "-O2", "-o", dump, "testdata/dump.c", "-lbpf").CombinedOutput(); err != nil {
			b.Skipf("libbpf is not installed to be compiled with: %v\n%s", err, out)
		}
		id := flowsOf(b, n)
		commands(b, n, []string{built(b), "--format", "jsonl", "-c", "show(open(" + id + "))"}, []string{dump, id})
	})
}

// BenchmarkDumpMemory is the most memory that the process has had resident when it has written many entries.
func BenchmarkDumpMemory(b *testing.B) {
	for _, n := range []int{1_000_000, 10_000_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			id, bpfsh := flowsOf(b, n), built(b)
			for b.Loop() {
				code := fmt.Sprintf("show(open(%s), format='jsonl')\nwarn([line for line in lines('/proc/self/status') if line.startswith('VmHWM')][0])", id)
				cmd := exec.Command(bpfsh, "-c", code)
				var report strings.Builder
				cmd.Stderr = &report
				if err := cmd.Run(); err != nil {
					b.Fatalf("%v\n%s", err, &report)
				}
				var kilobytes float64
				if _, err := fmt.Sscanf(report.String(), "VmHWM: %f kB", &kilobytes); err != nil {
					b.Fatalf("%v: %s", err, &report)
				}
				b.ReportMetric(kilobytes/1024, "MiB")
			}
		})
	}
}

// BenchmarkStart starts the command for a script that does nothing.
func BenchmarkStart(b *testing.B) {
	bpftool := installed(b, "bpftool")
	commands(b, -1, []string{built(b), "-c", "pass"}, []string{bpftool, "version"})
}

// BenchmarkInterrupt is how long the command lives on after a Ctrl-C, in a loop, in a walk and in a batch of two million
// entries: the longest of all times.
func BenchmarkInterrupt(b *testing.B) {
	for _, row := range []struct{ name, script string }{
		{"loop", "while True: len('')"},
		{"walk", "m = create('array', value='u8', max_entries=1000000)\nwhile True: sum(m.values())"},
		{"batch", "m = create('hash', key='u32', value='u64', max_entries=2000000, flags=BPF_F_NO_PREALLOC)\nentries = [(n, n) for n in range(2000000)]\nwhile True: m.update_batch(entries)"},
	} {
		b.Run(row.name, func(b *testing.B) {
			if err := notPermitted(); err != nil {
				b.Skipf("bpf() is not permitted: %v", err)
			}
			longest := time.Duration(0)
			for b.Loop() {
				r := start(b, "print('ready')\nsleep(0)\n"+row.script)
				time.Sleep(time.Second)
				_, status, took := r.kill(b, unix.SIGINT)
				if !status.Signaled() {
					b.Fatalf("it ended with %v", status)
				}
				longest = max(longest, took)
			}
			b.ReportMetric(float64(longest.Microseconds())/1000, "ms-longest")
		})
	}
}
