package builtins_test

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bpfsh/builtins"
	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/memory"
	"bpfsh/builtins/engine/memory/faulttest"
	"bpfsh/runtime"

	"golang.org/x/sys/unix"
)

// faultScripts do each operation of maps, and print what came of it. The map that a script works on is m; its entries
// are n → n, or n in order.
var faultScripts = []struct{ name, make, body string }{
	{"update", hashOf, `m[5] = 5; m.update(6, 6, BPF_NOEXIST)`},
	{"lookup", hashOf, `print(m[1], m.lookup(2), 3 in m)`},
	{"delete", hashOf, `m.delete(1); print(m.delete(9, missing_ok=True))`},
	{"pop", hashOf, `print(m.pop(1), m.pop(9, default=None))`},
	{"next_key", hashOf, `print(m.next_key() in m)`},
	{"items", hashOf, `print(sorted(m.items()), sorted(m), sorted(m.values()))`},
	{"count", largeOf, `print(m.count())`},
	{"count small", hashOf, `print(m.count())`},
	{"lookup_batch", hashOf, `print(sorted([k for b in m.lookup_batch(2) for k in b.keys]))`},
	{"pop_batch", hashOf, `print(sorted([k for b in m.pop_batch(2) for k in b.keys]))`},
	{"update_batch", hashOf, `print(m.update_batch({10: 10, 11: 11, 12: 12, 13: 13}))`},
	{"update_batch noexist", hashOf, `print(m.update_batch({10: 10, 11: 11, 12: 12}, flags=BPF_NOEXIST))`},
	{"delete_batch", hashOf, `print(m.delete_batch([0, 1, 2, 3, 4]))`},
	{"delete_batch missing_ok", hashOf, `print(m.delete_batch([0, 99, 1, 98, 2], missing_ok=True))`},
	{"clear", hashOf, `print(m.clear())`},
	{"array clear", arrayOf, `print(m.clear())`},
	{"array items", arrayOf, `print(list(m.items()), m[1])`},
	{"trie", trieOf, `print("10.1.0.0/16" in m, m.match("10.1.2.3"), sorted(m.keys()), m.clear())`},
	{"queue", queueOf, `m.push(9); print(m.peek(), m.pop())`},
	{"drain", queueOf, `print(list(m.drain()))`},
	{"queue clear", queueOf, `print(m.clear())`},
	{"freeze", hashOf, `m.freeze(); print(m.frozen)`},
	{"info", hashOf, `print(m.info().name, len(m.info(holders=True).processes), m.frozen)`},
	{"pin", hashOf, `m.pin("/sys/fs/bpf/a"); print(open("/sys/fs/bpf/a") == m); m.unpin()`},
	{"open", hashOf, `print(open("m") == m, open(m.id) == m, [x.entries for x in maps("m", count=True)])`},
	{"show", hashOf, `show(m)`},
	{"copy", hashOf, `c = create(like=m); print(c.update_batch(m), sorted(c.items()))`},
	{"kernel", hashOf, `k = m.kernel; k.update(7, 7); print(k.lookup(7), k.add(7, 1), 7 in k, k.delete(7), k.count(), sorted(k.items()))`},
	{"kernel queue", queueOf, `k = m.kernel; k.push(9); print(k.peek(), k.pop())`},
	{"nested", nestedOf, `print(m[0][0], m[0].name, m.kernel.lookup(0) == m[0])`},
	{"vars", `o = load_object("../testdata/object/flow.o"); m = o.maps[".data"].create()`, `m.vars.counter = 7; print(m.vars.counter)`},
	{"percpu kernel", percpuOf, `m.kernel.update(1, 5, cpu=0); print(m.kernel.lookup(1, cpu=0), m.kernel.lookup_percpu(1, 0))`},
	{"percpu", percpuOf, `m[1] = [1] * cpus(); print(m[1].sum() == cpus())`},
	{"snapshot", hashOf, `s = snapshot(m); print(sorted(s.items()), s.complete, len(s))`},
	{"snapshot trie", trieOf, `s = snapshot(m); print(sorted(s.items()), s.complete, s.restarts)`},
	{"diff", hashOf, `s = snapshot(m); m[1] = 9; print(diff(s, m))`},
	{"apply", hashOf, `r = apply(m, {1: 1, 2: 9, 7: 7}); print(r.added, r.changed, r.removed, r.same, sorted(m.items()))`},
	{"restore", hashOf, `s = snapshot(m); m.clear(); print(restore(m, s).added, sorted(m.items()))`},
	{"swap", nestedOf, `print(m.swap(0, lambda new: new.update(0, 7), name="v2") == i, m[0][0], m[0].name)`},
	{"ktime", hashOf, `print(ktime() > 0)`},
}

const (
	hashOf   = `m = create("hash", key="u32", value="u32", max_entries=64, name="m"); m.update_batch({0: 0, 1: 1, 2: 2, 3: 3, 4: 4})`
	largeOf  = `m = create("hash", key="u32", value="u32", max_entries=9999, name="m"); m.update_batch({0: 0, 1: 1, 2: 2, 3: 3, 4: 4})`
	arrayOf  = `m = create("array", value="u32", max_entries=3, name="m"); m.update_batch({0: 5, 1: 6, 2: 7})`
	trieOf   = `m = create("lpm_trie", key="cidr4", value="u32", max_entries=9, name="m"); m.update_batch({"10.0.0.0/8": 1, "10.1.0.0/16": 2})`
	queueOf  = `m = create("queue", value="u32", max_entries=9, name="m"); [m.push(n) for n in range(3)]`
	percpuOf = `m = create("percpu_hash", key="u32", value="u32", max_entries=9, name="m")`
	nestedOf = `i = create("array", value="u32", max_entries=1, name="i"); m = create("array_of_maps", max_entries=2, inner=i, name="m"); m[0] = i`
)

// TestFaults lets each call of each operation fail in turn, with several errnos. The script fails with that errno, or
// prints what it prints without the fault: an error is never lost, and never becomes a wrong result. What an error says
// was done is what was done.
func TestFaults(t *testing.T) {
	called := map[string]int{}
	for _, s := range faultScripts {
		t.Run(s.name, func(t *testing.T) {
			source := s.make + "\n" + s.body + "\n"
			none := faulttest.New(&memory.Engine{}, faulttest.Fault{})
			want, err := runOn(none, source)
			if err != nil {
				t.Fatalf("without a fault: %v", err)
			}
			for _, op := range faulttest.Operations {
				called[op] += none.Calls(op)
				for nth := 1; nth <= none.Calls(op); nth++ {
					for _, errno := range []unix.Errno{unix.EPERM, unix.ENOMEM, unix.EINVAL, unix.EAGAIN, unix.EBUSY, unix.Errno(524), unix.EFAULT, unix.E2BIG, unix.EINTR, unix.EEXIST, unix.EIO, unix.ENOSPC, unix.EACCES, unix.EBADF, unix.ENOSYS, unix.EOPNOTSUPP, unix.ENODEV} {
						for part := range 3 {
							testFault(t, source, want, faulttest.Fault{Op: op, Nth: nth, Err: errno, Part: part})
							if !strings.HasSuffix(op, "Batch") {
								break
							}
						}
					}
				}
			}
		})
	}
	for _, op := range faulttest.Operations {
		if called[op] == 0 && !slices.Contains(notInMemory, op) {
			t.Errorf("no script calls %s", op)
		}
	}
}

// notInMemory are the operations that the memory engine has nothing to do for, and Pinnable, which a dry run asks alone.
var notInMemory = []string{"Pinnable", "Tap", "Consume", "ProgramOutput", "Program", "ProgramPin", "NextProgram", "Path", "Process", "Descriptor"}

func testFault(t *testing.T, source, want string, fault faulttest.Fault) {
	t.Helper()
	e := faulttest.New(&memory.Engine{}, fault)
	got, err := runOn(e, source)
	about := fmt.Sprintf("%s, call %d: %v after %d entries", fault.Op, fault.Nth, fault.Err, fault.Part)
	_, isInternal := errors.AsType[*runtime.InternalError](err)
	switch {
	case isInternal:
		t.Errorf("%s: %v", about, err)
	case err == nil && sorted(got) != sorted(want):
		t.Errorf("%s: printed %q, want %q or an error", about, got, want)
	case err != nil && !errors.Is(err, fault.Err) && !strings.Contains(err.Error(), errnoOf(fault.Err.(unix.Errno))):
		t.Errorf("%s: the error is another one: %v", about, err)
	}
}

// sorted has the lines in order: the rows of a table come in the map's own.
func sorted(text string) string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func errnoOf(e unix.Errno) string {
	if e == 524 {
		return "ENOTSUPP"
	}
	return unix.ErrnoName(e)
}

// runOn runs a script and returns what it has printed, with ids taken out.
func runOn(e engine.Engine, source string) (string, error) {
	library := builtins.New(e, nil)
	defer library.Close()
	var out bytes.Buffer
	s := runtime.New(runtime.Config{Stdout: &out, Predeclared: library.Predeclared(), Timeout: 20 * time.Second})
	err := s.Run("fault.star", []byte(source))
	err = errors.Join(err, s.Finish())
	s.Flush()
	return regexp.MustCompile(`id=\d+`).ReplaceAllString(out.String(), "id=N"), err
}

// TestFaultCounts stops each operation on many entries half-way: what the error counts is what was done.
func TestFaultCounts(t *testing.T) {
	for _, row := range []struct{ op, call string }{
		{"UpdateBatch", `m.update_batch({n: n for n in range(10, 20)})`},
		{"Update", `m.update_batch({n: n for n in range(10, 20)}, flags=BPF_NOEXIST)`},
		{"DeleteBatch", `m.delete_batch(range(5))`},
		{"Delete", `m.delete_batch(range(5))`},
		{"DeleteBatch", `m.clear()`},
		{"LookupBatch", `m.clear()`},
		{"UpdateBatch", `apply(m, {n: n for n in range(10)}).added`},
		{"DeleteBatch", `apply(m, {}).removed`},
		{"LookupBatch", `apply(m, {}).removed`},
	} {
		for nth := 1; nth <= 6; nth++ {
			for part := range 4 {
				e := faulttest.New(&memory.Engine{}, faulttest.Fault{Op: row.op, Nth: nth, Err: unix.ENOMEM, Part: part})
				if row.op == "UpdateBatch" && nth == 1 {
					continue // it fills the map
				}
				out, err := runOn(e, hashOf+"\nbefore = len(list(m.keys()))\nr, err = catch(lambda: "+row.call+")\n"+
					"after = len(list(m.keys()))\nprint(err.count if err else r, after - before)\n")
				if err != nil {
					continue // the fault met another call than that of the row
				}
				f := strings.Fields(out)
				count, _ := strconv.Atoi(f[0])
				changed, _ := strconv.Atoi(f[1])
				if f[0] == "None" && changed != 0 || max(changed, -changed) != count {
					t.Errorf("%s, call %d of %s fails after %d: it says %s, and %s entries came or went", row.call, nth, row.op, part, f[0], f[1])
				}
			}
		}
	}
}
