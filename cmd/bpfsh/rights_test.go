package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"golang.org/x/sys/unix"
)

// capabilitySets are what a user who is not root is given.
var capabilitySets = [][]string{
	{},
	{"CAP_BPF"},
	{"CAP_BPF", "CAP_PERFMON"},
	{"CAP_BPF", "CAP_NET_ADMIN"},
	{"CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN"},
	{"CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN", "CAP_SYS_ADMIN"},
}

var capabilityNumbers = map[string]uintptr{
	"CAP_BPF": unix.CAP_BPF, "CAP_PERFMON": unix.CAP_PERFMON, "CAP_NET_ADMIN": unix.CAP_NET_ADMIN, "CAP_SYS_ADMIN": unix.CAP_SYS_ADMIN,
}

// lackedBy are the capabilities of a right that a set has not.
func lackedBy(set []string, r *engine.Right) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(r.Wants), func(c string) bool {
		return slices.Contains(set, c) || slices.Contains(set, "CAP_SYS_ADMIN") && (c == "CAP_BPF" || c == "CAP_PERFMON")
	}), ", ")
}

// lackedNow is what a set has not of what the running kernel wants, as an error tells it.
func lackedNow(set []string, r *engine.Right, sysctl string) string {
	lacked := lackedBy(set, r)
	switch {
	case lacked == "", r.Until != "" && !kerneltest.Older(r.Until), r.Open && sysctl == "0":
		return ""
	case r.Open:
		return lacked + ", which kernel.unprivileged_bpf_disabled=" + sysctl + " asks for"
	}
	return lacked
}

// rightsMade makes maps for others to use, as root.
const rightsMade = `
def pinned(m, name):
    m.pin(dir + "/" + name)
    return m

inner = pinned(create("array", value="u32", max_entries=1, name="rights_inner"), "inner")
nested = pinned(create("array_of_maps", max_entries=1, inner=inner), "nested")
nested[0] = inner
typed = pinned(create("hash", key="ipv4", value="struct { u32 packets; u32 bytes; }", max_entries=100, name="rights_typed"), "typed")
typed["10.0.0.1"] = (1, 2)
pinned(create("hash", key="u32", value="struct { u32 n; struct bpf_spin_lock lock; }", max_entries=1), "locked")
pinned(create("devmap", max_entries=1), "device")
pinned(create("perf_event_array", max_entries=1), "events")
pinned(create("ringbuf", max_entries=4096), "ring")
pinned(create("prog_array", max_entries=1), "programs")
pinned(create("percpu_array", value="u32", max_entries=1), "percpu")
pinned(create("queue", value="u32", max_entries=9), "queue")
pinned(load_object("../../testdata/object/flow.o").maps[".data"].create(), "data")
for n in range(12):
    pinned(create("hash", key="u32", value="u32", max_entries=1), "freeze%d" % n)
`

// rightsTried are operations and what each wants. N is the number of the set, P where the pins are.
var rightsTried = []struct {
	right *engine.Right
	name  string
	code  string          // an expression
	since string          // the first kernel that has it
	first []*engine.Right // what comes before it
}{
	{right: engine.Using, name: "update", code: `open(P + "typed").update(K, V)`},
	{right: engine.Using, name: "lookup", code: `open(P + "typed")[K]`},
	{right: engine.Using, name: "delete", code: `open(P + "typed").delete(K, missing_ok=True) and open(P + "typed").update(K, V)`},
	{right: engine.Using, name: "items", code: `list(open(P + "typed").items())`},
	{right: engine.Using, name: "count", code: `open(P + "typed").count()`},
	{right: engine.Using, name: "show", code: `show(open(P + "typed"))`},
	{right: engine.Using, name: "batches", code: `open(P + "typed").update_batch(open(P + "typed").lookup_batch())`},
	{right: engine.Using, name: "next_key", code: `open(P + "typed").next_key()`},
	{right: engine.Using, name: "push", code: `(open(P + "queue").push(1), open(P + "queue").pop())`},
	{right: engine.Using, name: "readonly", code: `open(P + "typed", readonly=True)[K]`},
	{right: engine.Using, name: "pin", code: `(lambda m: (m.pin(P + "again"), m.unpin()))(open(P + "typed"))`},
	{right: engine.Using, name: "maps in maps", code: `open(P + "nested").update(0, open(P + "inner"))`},
	{right: engine.Using, name: "a section", code: `open(P + "data").update(0, open(P + "data")[0])`},
	{right: engine.Using, name: "program by pin", code: `open(P + "programs").delete(0, missing_ok=True)`},
	{right: engine.Using, name: "events", code: `list(open(P + "ring").events(backlog=True, idle="1ms"))`},
	{right: engine.Using, name: "events, consumed", code: `list(open(P + "ring").events(consume=True, idle="1ms"))`},
	{right: engine.Using, name: "events of a pin that is opened read-only", code: `list(open(P + "ring", readonly=True).events(idle="1ms"))`},
	{right: engine.Listening, name: "events of a perf_event_array", code: `list(open(P + "events").events(consume=True, idle="1ms"))`},
	{right: engine.Freezing, name: "freeze", code: `open(P + "freeze%d" % N).freeze()`},

	{right: engine.Running, name: "kernel.lookup", code: `open(P + "typed").kernel.lookup(K)`},
	{right: engine.Running, name: "kernel.update", code: `open(P + "typed").kernel.update(K, V)`},
	{right: engine.Running, name: "kernel.delete", code: `(open(P + "typed").kernel.delete(K), open(P + "typed").update(K, V))`},
	{right: engine.Running, name: "kernel.add", code: `open(P + "inner").kernel.add(0, 1)`},
	{right: engine.Running, name: "kernel.push", code: `open(P + "queue").kernel.push(1)`},
	{right: engine.Running, name: "kernel.pop", code: `open(P + "queue").kernel.pop()`},
	{right: engine.Running, name: "kernel.output", code: `open(P + "ring").kernel.output(b"one")`},
	{right: engine.RunningEach, name: "kernel.items", code: `list(open(P + "typed").kernel.items())`, since: "5.13", first: []*engine.Right{engine.Running}},
	{right: engine.RunningEach, name: "kernel.count", code: `open(P + "typed").kernel.count()`, since: "5.13", first: []*engine.Right{engine.Running}},
	{right: engine.Running, name: "kernel.lookup_percpu", code: `open(P + "percpu").kernel.lookup_percpu(0, 0)`, since: "5.19"},
	{right: engine.RunningNested, name: "kernel.lookup of a map of maps", code: `open(P + "nested").kernel.lookup(0)`},
	{right: engine.RunningDevice, name: "kernel.lookup of a devmap", code: `open(P + "device").kernel.lookup(0)`},
	{right: engine.RunningLocked, name: "kernel.lookup with a lock", code: `create("array", value="struct { struct bpf_spin_lock lock; u32 n; }", max_entries=1).kernel.lookup(0)`, first: []*engine.Right{engine.Making, engine.KeepingTypes}},
	{right: engine.RunningInside, name: "kernel.lookup with a lock behind", code: `create("array", value="struct { u32 n; struct bpf_spin_lock lock; }", max_entries=1).kernel.lookup(0)`, first: []*engine.Right{engine.Making, engine.KeepingTypes}},
	{right: &engine.Right{Wants: []string{"CAP_BPF", "CAP_SYS_ADMIN"}}, name: "kernel.lookup with a lock that is not known", code: `open(P + "locked").kernel.lookup(0)`, first: []*engine.Right{engine.Running}},

	{right: engine.MakingUnseeded, name: "create hash without a seed", code: `create("hash", key="u32", value="u32", max_entries=1, flags=BPF_F_ZERO_SEED)`},
	{right: engine.MakingUnseeded, name: "create lru_hash without a seed", code: `create("lru_hash", key="u32", value="u32", max_entries=1, flags=BPF_F_ZERO_SEED)`},
	{right: engine.MakingUnseeded, name: "create percpu_hash without a seed", code: `create("percpu_hash", key="u32", value="u32", max_entries=1, flags=BPF_F_ZERO_SEED)`},
	{right: engine.MakingPrivileged, name: "create bloom_filter without a seed", code: `create("bloom_filter", value="u32", max_entries=1, flags=BPF_F_ZERO_SEED)`, since: "5.16"},

	{right: engine.Finding, name: "open by id", code: `open(ID)`},
	{right: engine.Finding, name: "open by name", code: `open("rights_inner")`},
	{right: engine.Finding, name: "maps", code: `maps("rights_*", count=True)`},
	{right: engine.Finding, name: "a value of a map of maps", code: `open(P + "nested")[0][0]`},
	{right: engine.Finding, name: "a map by its id", code: `open(P + "nested").update(0, ID)`},
	{right: engine.Finding, name: "a program by its name", code: `catch(open(P + "programs").update, 0, "no_such_program")[1].errno == "EPERM" and open(P + "programs").update(0, "no_such_program")`},
	{right: engine.ReadingTypes, name: "vars", code: `open(P + "data").vars.counter`},
	{right: &engine.Right{}, since: "5.19", name: "unpin what others own", code: `sticky(open(P + "typed").unpin, P + "shared/theirs")`},
	{right: &engine.Right{}, since: "5.19", name: "replace what others own", code: `sticky(open(P + "typed").pin, P + "shared/theirs", replace=True)`},
	{right: engine.Taking, name: "a descriptor of another", code: `open(P + "events").update(0, (PARENT, 0))`},
}

// notKnown are those of which a dry run cannot know what comes, where they are permitted.
var notKnown = []string{"program by pin", "events, consumed", "events of a perf_event_array", "kernel.output"}

// makingRows are the types of maps, each made as simply as it can be.
func makingRows() (rows []struct {
	right             *engine.Right
	name, code, since string
}) {
	for _, k := range engine.Kinds[1:] {
		args := `, max_entries=1`
		switch {
		case k.Name == "struct_ops", k.Name == "insn_array": // which only loaders of programs make
			continue
		case k.NoEntries && k.ByCgroup:
			args = `, key="u64", value="u32"`
		case k.NoEntries:
			args = `, value="u32"`
		case k.Nests && k.Shape == engine.Hashed:
			args += `, key="u32", inner=open(P + "inner")`
		case k.Nests:
			args += `, inner=open(P + "inner")`
		case strings.HasSuffix(k.Name, "ringbuf"):
			args = `, max_entries=4096`
		case k.Trie:
			args += `, key="cidr4", value="u32"`
		case k.Name == "stack_trace":
			args += `, value="u64[2]"`
		case k.Name == "sockhash":
			args += `, key="u32"`
		case k.Name == "arena", k.Values != engine.Nothing, k.Programmed:
		case k.Shape == engine.Hashed:
			args += `, key="u32", value="u32"`
		default:
			args += `, value="u32"`
		}
		rows = append(rows, struct {
			right             *engine.Right
			name, code, since string
		}{k.Making(), "create " + k.Name, fmt.Sprintf("create(%q%s)", k.Name, args), k.Since})
	}
	return rows
}

// TestRights does each operation as a user who is not root, with each set of capabilities: what the kernel permits is
// done, and for the rest the error names the capabilities that are missing.
func TestRights(t *testing.T) {
	needKernel(t)
	if os.Getuid() != 0 {
		t.Skip("only root can give capabilities away")
	}
	dir, closeFS := privateBPFFS("kernel")
	if dir == "" {
		t.Fatal("there is no bpffs")
	}
	defer closeFS()
	root := runner(t, "kernel")
	root(fmt.Sprintf("dir = %q\n", dir) + rightsMade)
	id := root("print(inner.id)")
	pins, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer pins.Close()
	names, err := pins.Readdirnames(-1)
	if err != nil {
		t.Fatal(err)
	}
	shared := filepath.Join(dir, "shared")
	if err := os.Mkdir(shared, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(shared, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	root(`typed.pin(dir + "/shared/theirs")`)
	for _, name := range append(names, "shared/theirs") {
		if err := os.Chmod(filepath.Join(dir, name), 0o666); err != nil {
			t.Fatal(err)
		}
	}

	n := 0
	for _, sysctl := range unprivilegedStates(t) {
		setUnprivileged(t, sysctl)
		for _, set := range capabilitySets {
			testRights(t, sysctl, set, n, id, pins, "--dry-run")
			testRights(t, sysctl, set, n, id, pins)
			n++
		}
	}
}

// testRights tries everything with one set. In a dry run the kernel's refusals are the same, but for what is not known.
func testRights(t *testing.T, sysctl string, set []string, n int, id string, pins *os.File, flags ...string) {
	t.Run(strings.Join(append(flags, sysctl, strings.Join(set, "+")), " "), func(t *testing.T) {
		var script strings.Builder
		fmt.Fprintf(&script, "P, N, ID, PARENT = \"/proc/self/fd/3/\", %d, %s, %d\n", n, id, os.Getpid())
		script.WriteString("K, _ = catch(lambda: open(P + \"typed\").next_key())\nV, _ = catch(lambda: open(P + \"typed\")[K])\n")
		script.WriteString("def tell(name, call):\n    _, err = catch(call)\n    print(\"@\" + name + \":\", err or \"ok\")\n")
		script.WriteString("def sticky(f, *args, **kwargs):\n    _, err = catch(f, *args, **kwargs)\n    \"shared is sticky\" in str(err) or fail(err)\n")
		want := map[string]string{}
		try := func(name, code, since string, rights ...*engine.Right) {
			if since != "" && kerneltest.Older(since) {
				return
			}
			if strings.Contains(code, "open(P") {
				rights = append([]*engine.Right{engine.Using}, rights...)
			}
			fmt.Fprintf(&script, "tell(%q, lambda: %s)\n", name, code)
			for _, r := range rights { // the first that it lacks is told
				if want[name] = lackedNow(set, r, sysctl); want[name] != "" {
					break
				}
			}
		}
		for _, row := range rightsTried {
			try(row.name, row.code, row.since, append(row.first, row.right)...)
		}
		for _, row := range makingRows() {
			try(row.name, row.code, row.since, row.right)
		}
		script.WriteString("typed, _ = catch(lambda: \"packets\" in str(open(P + \"typed\").value_type))\nprint(\"@types:\", \"ok\" if typed else \"hidden\")\n")
		want["types"] = map[bool]string{true: "", false: "hidden"}[lackedBy(set, engine.ReadingTypes) == ""]
		script.WriteString("_, err = catch(open, P + \"typed\", hints={\"value.packets\": \"hex\"})\nprint(\"hint:\", err and err.hint)\n")
		script.WriteString("catch(lambda: help(open(P + \"typed\")))\n")
		cmd := command(t, append(flags, "-c", script.String())...)
		cmd.ExtraFiles = []*os.File{pins}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		for _, c := range set {
			cmd.SysProcAttr.AmbientCaps = append(cmd.SysProcAttr.AmbientCaps, capabilityNumbers[c])
		}
		stdout, stderr, status := outcome(t, cmd)
		if status != 0 {
			t.Fatalf("exit status %d, %s", status, stderr)
		}
		dry := len(flags) > 0
		lacks := regexp.MustCompile(`this process lacks (CAP_.*?)(?:; --engine| \([A-Z]+\)$)`)
		for line := range strings.Lines(stdout) {
			name, said, ok := strings.Cut(strings.TrimSpace(line), ": ")
			if name, ok = strings.CutPrefix(name, "@"); !ok {
				continue // what show writes
			}
			got := ""
			if m := lacks.FindStringSubmatch(said); m != nil {
				got = m[1]
			} else if dry && strings.Contains(said, "--dry-run: it is not known") && (strings.HasPrefix(name, "create ") || slices.Contains(notKnown, name)) {
				got = ""
			} else if said != "ok" && !strings.Contains(said, "no_such_program") {
				got = said
			}
			if w, ok := want[name]; got != w || !ok {
				t.Errorf("%s: %s\nwant it to lack %q", name, said, w)
			}
			delete(want, name)
		}
		const hidden = "its types are not read: this process lacks CAP_SYS_ADMIN"
		opens := lackedNow(set, engine.Using, sysctl) == ""
		if told := strings.Contains(strings.Join(strings.Fields(stdout), " "), hidden); told != (opens && lackedBy(set, engine.ReadingTypes) != "") {
			t.Errorf("that types are not read is told: %v\n%s", told, stdout)
		}
		const hint = `hint: map "rights_typed" has types, which are read with CAP_SYS_ADMIN alone; open(..., key=..., value=...) gives them` + "\n"
		if strings.Contains(stdout, hint) != (opens && lackedBy(set, engine.ReadingTypes) != "") {
			t.Errorf("a field in types that are not read is explained: %v\n%s", strings.Contains(stdout, hint), stdout)
		}
		if len(want) > 0 {
			t.Errorf("nothing came of %v\n%s", want, stderr)
		}
	})
}

// TestDryRunDenied does as a user who is not root what modes forbid, in a dry run and without: both say the same.
func TestDryRunDenied(t *testing.T) {
	needKernel(t)
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	if kerneltest.Older("5.19") {
		t.Skip("a pin is opened without any capability since Linux 5.19")
	}
	dir, closeFS := privateBPFFS("kernel")
	if dir == "" {
		t.Fatal("there is no bpffs")
	}
	defer closeFS()
	for _, d := range []struct {
		name string
		mode os.FileMode
	}{{"shut", 0o755}, {"sticky", 0o777 | os.ModeSticky}, {"free", 0o777}} {
		if err := os.Mkdir(filepath.Join(dir, d.name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, d.name), d.mode); err != nil {
			t.Fatal(err)
		}
	}
	runner(t, "kernel")(fmt.Sprintf("dir = %q\n", dir) + `
m = create("hash", key="u32", value="u32", max_entries=4, name="denied")
m[1] = 1
[m.pin(dir + path) for path in ["/shut/m", "/sticky/m", "/free/m", "/free/readable"]]`)
	for path, mode := range map[string]os.FileMode{"shut/m": 0o666, "sticky/m": 0o666, "free/m": 0o666, "free/readable": 0o444} {
		if err := os.Chmod(filepath.Join(dir, path), mode); err != nil {
			t.Fatal(err)
		}
	}
	pins, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer pins.Close()
	const sticky = "/proc/self/fd/3/sticky is sticky, as /tmp is"
	for _, row := range []struct{ code, want string }{ // want is in the error; "": there is none
		{`open(P + "free/readable")[1] = 2`, "the file's mode permits reading alone (EACCES)"},
		{`open(P + "free/readable", readonly=True)[1]`, ""},
		{`open(P + "free/m").pin(P + "shut/new")`, "does not permit it (EACCES)"},
		{`open(P + "free/m").pin(P + "shut/m")`, "there is something at"},
		{`open(P + "free/m").pin(P + "shut/m", replace=True)`, "does not permit it (EACCES)"},
		{`open(P + "shut/m").unpin(P + "shut/m")`, "does not permit it (EACCES)"},
		{`open(P + "free/m").pin(P + "sticky/m", replace=True)`, sticky},
		{`open(P + "sticky/m").unpin(P + "sticky/m")`, sticky},
		{`m = open(P + "free/m"); m.pin(P + "sticky/own"); open(P + "sticky/own")[1]; m.pin(P + "sticky/own", replace=True); m.unpin(P + "sticky/own")`, ""},
		{`m = open(P + "free/m"); m.unpin(P + "free/m"); m.pin(P + "free/m"); open(P + "free/m").update(1, 1)`, ""},
	} {
		t.Run(row.code, func(t *testing.T) {
			var said [2]string
			for i, flags := range [][]string{{"--dry-run"}, nil} {
				cmd := command(t, append(flags, "-c", `P = "/proc/self/fd/3/"; `+row.code)...)
				cmd.ExtraFiles = []*os.File{pins}
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
				_, stderr, status := outcome(t, cmd)
				stderr = strings.Replace(stderr, "bpfsh: it ended in an error: the plan is what would have changed up to there\n", "", 1)
				said[i] = fmt.Sprintf("exit status %d\n%s", status, stderr)
				if !strings.Contains(stderr, row.want) || (row.want == "") != (status == 0) {
					t.Errorf("%s, want %q", said[i], row.want)
				}
			}
			if said[0] != said[1] {
				t.Errorf("a dry run says %s\nand a run %s", said[0], said[1])
			}
		})
	}
}

// ownMachine is the variable that says that the machine is the test's own.
const ownMachine = "BPFSH_TEST_OWN_MACHINE"

// unprivilegedPath is the sysctl that says what others than root may do with bpf().
const unprivilegedPath = "/proc/sys/kernel/unprivileged_bpf_disabled"

// unprivilegedStates are the values of the sysctl to try: its own, and 0 where that harms nobody.
func unprivilegedStates(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(unprivilegedPath)
	if err != nil {
		t.Fatal(err)
	}
	states := []string{strings.TrimSpace(string(text))}
	if os.Getenv(ownMachine) == "1" && states[0] == "2" {
		states = append(states, "0")
	}
	return states
}

// setUnprivileged sets the sysctl for the rest of the test.
func setUnprivileged(t *testing.T, value string) {
	t.Helper()
	old, err := os.ReadFile(unprivilegedPath)
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(string(old)) == value {
		return
	}
	if err := os.WriteFile(unprivilegedPath, []byte(value), 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.WriteFile(unprivilegedPath, old, 0); err != nil {
			t.Error(err)
		}
	})
}
