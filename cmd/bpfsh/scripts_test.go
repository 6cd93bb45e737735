package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bpfsh/builtins/engine/kernel/kerneltest"
	"bpfsh/runtime"
)

// TestScripts demands of each script in scripts a comment that says what it does and how it is called, a --help, and a
// golden script that runs it, if it has no golden file of its own.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("../../scripts/*.star")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	goldens := goldenScripts(t)
	for _, script := range scripts {
		name := filepath.Base(script)
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(script)
			if err != nil {
				t.Fatal(err)
			}
			head, _, _ := strings.Cut(string(text), "\n\n")
			if !strings.HasPrefix(head, "#!/usr/bin/env bpfsh\n# ") || !strings.Contains(head, "\n#     bpfsh scripts/"+name) {
				t.Errorf("it does not begin with what it does and an example:\n%s", head)
			}
			if st, err := os.Stat(script); err != nil || st.Mode()&0o111 != 0o111 {
				t.Errorf("it cannot be executed: %v", err)
			}
			if _, err := os.Stat(strings.TrimSuffix(script, ".star") + ".golden"); err != nil && !strings.Contains(goldens, "/../scripts/"+name) {
				t.Error("no golden script runs it")
			}
			for _, help := range []string{"--help", "-h"} {
				var stdout, stderr bytes.Buffer
				o := &options{engine: "memory", noMount: true, args: []string{help}}
				sh := newShell(o, strings.NewReader(""), &stdout, &stderr)
				defer sh.close()
				status := runtime.Status(sh.run(o, source{name: script, text: text}))
				if status != statusDone || stderr.Len() > 0 || !strings.Contains(stdout.String(), "\nusage: bpfsh "+name) {
					t.Errorf("%s: status %d, %s%s", help, status, &stdout, &stderr)
				}
			}
		})
	}
}

// runScript runs one of scripts on the kernel, with the options of a command line.
func runScript(t *testing.T, o options, name string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	return runText(t, o, name, scriptText(t, name), args...)
}

// runText is runScript for a script that was edited.
func runText(t *testing.T, o options, name, text string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, report bytes.Buffer
	o.engine, o.noMount, o.args = "kernel", true, args
	sh := newShell(&o, strings.NewReader(""), &out, &report)
	defer sh.close()
	status = runtime.Status(sh.run(&o, source{name: name, text: []byte(text)}))
	return out.String(), report.String(), status
}

func scriptText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../scripts/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// growing calls f again and again until the test ends or stop is called.
func growing(t *testing.T, f func()) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
				f()
			}
		}
	})
	stop = sync.OnceFunc(func() {
		close(done)
		wg.Wait()
	})
	t.Cleanup(stop)
	return stop
}

// eventually tries f until it finds nothing wrong: on a busy machine somebody who writes meanwhile may not get a turn.
func eventually(t *testing.T, f func() (wrong string)) {
	t.Helper()
	wrong := ""
	for range 20 {
		if wrong = f(); wrong == "" {
			return
		}
	}
	t.Error(wrong)
}

// TestScriptsOver has scripts read twice what somebody else changes between.
func TestScriptsOver(t *testing.T) {
	needKernel(t)
	run := runner(t, "kernel")
	run(`m = create("hash", key="u32", value="struct { u64 n; u64 other; }", max_entries=8, name="t_growing")
m.update_batch({1: (1000000, 0), 2: (0, 0), 3: (9000000, 0), 4: (5, 0)})
drops = create("percpu_array", value="u64", max_entries=1, name="t_drops")
drops[0] = [1000000] * cpus()
back = 0`)
	id, drops, cpus := run("m.id"), run("drops.id"), run("cpus()")
	stop := growing(t, func() {
		// What is set back counts from zero.
		run("m[1] = (m[1].n + 1, 0)\nm[2] = (m[2].n + 100, 0)\nm[3] = (9000000 - m[3].n + 1, 0)\ndrops.kernel.update(0, drops[0][0] + 10, cpu=0)")
	})
	eventually(t, func() string {
		stdout, stderr, status := runScript(t, options{format: "csv"}, "talkers.star", id, "--by", "n", "--over", "300ms")
		var n, perSecond int
		head, rows, _ := strings.Cut(stdout, "\n")
		two := strings.Index(rows, "2,")
		if two >= 0 {
			fmt.Sscanf(rows[two:], "2,%d,%d", &n, &perSecond)
		}
		if status != 0 || head != "key,n,per_second" || n < 100 || perSecond < 100 || perSecond > 4*n || strings.Index(rows, "\n1,") < two || strings.Contains(rows, "\n4,") {
			return fmt.Sprintf("talkers: status %d, printed %q and %q, want what 2 has grown before what 1 has", status, stdout, stderr)
		}
		return ""
	})
	eventually(t, func() string {
		stdout, stderr, status := runScript(t, options{format: "csv"}, "skew.star", drops, "--over", "200ms", "--warn", cpus)
		if status != 1 || !strings.HasPrefix(stdout, "cpu,count,percent,of_mean\n0,") || !strings.Contains(stdout, ",100.0,"+cpus+".0\n") {
			return fmt.Sprintf("skew: status %d, printed %q and %q, want all on CPU 0", status, stdout, stderr)
		}
		return ""
	})
	stop()
	if stdout, stderr, status := runScript(t, options{format: "csv"}, "talkers.star", id, "--by", "n", "--over", "1ms"); status != 0 || stdout != "" || stderr != "nothing grew\n" {
		t.Errorf("talkers: status %d, printed %q and %q, want nothing", status, stdout, stderr)
	}
}

// TestScriptSkew tells the part of each CPU, and the keys that one has for itself.
func TestScriptSkew(t *testing.T) {
	needKernel(t)
	run := runner(t, "kernel")
	run(`m = create("percpu_hash", key="u32", value="u64", max_entries=8, name="t_skew")
m.update_batch({1: [6 * cpus()] + [0] * (cpus() - 1), 2: [2] * cpus()})`)
	cpus := run("cpus()")
	stdout, stderr, status := runScript(t, options{format: "csv"}, "skew.star", run("m.id"), "--warn", "1.01")
	want := "cpu,count,percent,of_mean\n0," + run("6 * cpus() + 2") + ","
	if status != 1 || !strings.HasPrefix(stdout, want) || !strings.HasPrefix(stderr, "CPU 0 has ") {
		t.Errorf("status %d, printed %q and %q, want %q", status, stdout, stderr, want)
	}
	stdout, stderr, status = runScript(t, options{format: "csv"}, "skew.star", run("m.id"), "--keys", "--warn", cpus+".01")
	want = "key,total,cpu,skew\n1," + run("6 * cpus()") + ",0," + cpus + ".0\n2," + run("2 * cpus()") + ",0,1.0\n"
	if status != 0 || stdout != want || stderr != "" {
		t.Errorf("status %d, printed %q and %q, want %q", status, stdout, stderr, want)
	}
}

// TestScriptResizeBusy copies a map that is written to meanwhile: what came is in the copy too, and --strict pins nothing.
func TestScriptResizeBusy(t *testing.T) {
	needKernel(t)
	const told = " entries were written to the old map while it was copied"
	bpffs := kerneltest.BPFFS(t)
	pin := bpffs + "/busy"
	run := runner(t, "kernel")
	run(`m = create("hash", key="u32", value="u64", max_entries=30000, name="t_busy")
m.update_batch([(n, n) for n in range(20000)])
i = 20000`)
	id := run("m.id")
	stop := growing(t, func() {
		run("m.delete(i - 10000, missing_ok=True)\nm[i] = i\nm[7] = i\ni = i + 1 if i < 29000 else 20000")
	})
	eventually(t, func() string {
		stdout, stderr, status := runScript(t, options{format: "csv"}, "resize.star", id, "--pin", pin, "--strict")
		if _, err := os.Stat(pin); err == nil {
			if err := os.Remove(pin); err != nil {
				t.Fatal(err)
			}
			if status != 0 || strings.Contains(stderr, told) {
				t.Fatalf("--strict has pinned the copy: status %d, printed %q and %q", status, stdout, stderr)
			}
		}
		if status != 1 || stdout != "" || !strings.Contains(stderr, told) {
			return fmt.Sprintf("--strict: status %d, printed %q and %q", status, stdout, stderr)
		}
		return ""
	})
	eventually(t, func() string {
		stdout, stderr, status := runScript(t, options{format: "csv"}, "resize.star", id, "--pin", pin)
		if err := os.Rename(pin, bpffs+"/copy"); err != nil || status != 0 {
			t.Fatalf("status %d, %v, printed %q and %q", status, err, stdout, stderr)
		}
		if !strings.Contains(stderr, told) {
			os.Remove(bpffs + "/copy")
			return "it does not tell of what was written"
		}
		return ""
	})
	stop()
	// What the writer did until the copy was compared is there.
	if got := run(fmt.Sprintf(`copy = open(%q); copy.unpin(%[1]q); copy[7] > 20000 and copy.count() > 19000 and copy.max_entries`, bpffs+"/copy")); got != "60000" {
		t.Errorf("the copy is %s, want one with room for 60000 entries and the changes", got)
	}
}

// TestScriptResizeUsed copies a map that a program uses: it warns of that, and with --strict makes nothing.
func TestScriptResizeUsed(t *testing.T) {
	needKernel(t)
	pin := kerneltest.BPFFS(t) + "/used"
	run := runner(t, "kernel")
	id := run(`m = create("hash", key="u32", value="u64", max_entries=8, name="t_used_by")
m[1] = 1
m.kernel.add(1, 1)
m.pin("` + pin + `")
m.id`)
	program := run(`["%s id=%d" % (p.name, p.id) for p in m.info(holders=True).programs][0]`)
	program = strings.Trim(program, `"`)
	used := fmt.Sprintf("map \"t_used_by\" id=%s is used by programs that go on using it, and not the new one, until they are loaded anew: %s\n", id, program)
	stays := fmt.Sprintf("map \"t_used_by\" id=%s stays as long as something holds it: until then open(\"t_used_by\") finds two maps, and wants an id or a pin\n", id)
	for _, test := range []struct {
		o      options
		args   []string
		stderr string
		status int
		pinned string // the room of what is pinned there then
	}{
		{options{format: "csv"}, []string{"--strict"}, used + "--strict: nothing was made\n", 1, "8"},
		{options{format: "csv", dryRun: true}, nil, used + stays, 0, "8"},
		{options{format: "csv", dryRun: true}, []string{"--strict"}, used + "--strict: nothing was made\n", 1, "8"},
		{options{format: "csv"}, []string{"--name", "t_used_new"}, used, 0, "16"},
	} {
		stdout, stderr, status := runScript(t, test.o, "resize.star", append(test.args, pin)...)
		if stderr != test.stderr || status != test.status || status != 0 && stdout != "" && !strings.HasPrefix(stdout, "plan: ") {
			t.Errorf("%v: status %d, printed %q and %q, want %q", test.args, status, stdout, stderr, test.stderr)
		}
		if got := run(fmt.Sprintf("open(%q).max_entries", pin)); got != test.pinned {
			t.Errorf("%v: the map that is pinned has room for %s, want %s", test.args, got, test.pinned)
		}
	}
}

// TestScriptExpireBusy refreshes entries while others are removed: those stay.
func TestScriptExpireBusy(t *testing.T) {
	needKernel(t)
	run := runner(t, "kernel")
	eventually(t, func() string {
		run(`m = create("hash", key="u32", value="ktime", max_entries=10000, name="t_used")
m.update_batch([(n, ktime() - 10000000000) for n in range(10000)])
used = []`)
		id := run("m.id")
		stop := growing(t, func() {
			run("if m.count() < 10000 and not used: [used.append(n) for n in range(5) if not catch(m.update, n, ktime() + 1000000000000, BPF_EXIST)[1]]")
		})
		stdout, stderr, status := runScript(t, options{format: "csv"}, "expire.star", id, "--older", "1s")
		stop()
		if status != 0 || !strings.HasPrefix(stdout, "map,entries,expired\n"+id+",10000,") {
			t.Fatalf("status %d, printed %q and %q", status, stdout, stderr)
		}
		// One may have been refreshed between the second look and the removal.
		if run("len(used) > 1 and len([n for n in used if n in m]) >= len(used) - 1") != "True" {
			return "of " + run("used") + " there are left " + run("list(m)")
		}
		return ""
	})
}
