package builtins_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"bpfsh/builtins"
	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/dryrun"
	"bpfsh/builtins/engine/memory/faulttest"
	"bpfsh/runtime"
	"bpfsh/runtime/method"

	"golang.org/x/sys/unix"
)

// untold are the rows whose examples cannot end in a dry run as they do without, and what they say. Each needs a reason.
var untold = map[string]string{
	"method drain":         "which value is behind the first", // the example goes through the queue to its end
	"method begin":         "which records come",
	"method events":        "whether there is room for the record",
	"method kernel.output": "whether there is room for the record",
}

// TestDryRunRows runs the example of each row under --dry-run: it ends as without, and the engine behind hears of no
// change.
func TestDryRunRows(t *testing.T) {
	writing := 0
	onRows(t, func(t *testing.T, entry method.Entry) {
		free, bound := stageOf(t, entry), stageOf(t, entry)
		before := changed(free.e)
		if err := free.run(free.e, entry); err != nil {
			t.Fatalf("as it is: %v", err)
		}
		writes := changed(free.e) > before
		before, was := changed(bound.e), everything(t, bound.e, bound.was)
		plan := dryrun.New(bound.e)
		err := bound.run(plan, entry)
		if now := everything(t, bound.e, bound.was); now != was {
			t.Errorf("it was\n%s\nand is\n%s", was, now)
		}
		if n := changed(bound.e) - before; n != 0 {
			t.Errorf("it changed something %d times", n)
		}
		switch want := untold[entry.Kind+" "+entry.Name]; {
		case want == "" && err != nil:
			t.Errorf("got %v, want no error, as without", err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), "--dry-run: it is not known "+want)):
			t.Errorf("got %v, want %q", err, want)
		}
		changes, err := plan.Plan()
		if err != nil {
			t.Error(err)
		}
		if len(changes) > 0 && !writes {
			t.Errorf("it only reads, and the plan has %d changes", len(changes))
		}
		if writes {
			writing++
		}
	})
	const least = 20
	if writing < least {
		t.Errorf("%d rows write, want at least %d", writing, least)
	}
}

// everything is what there is on an engine: the maps of some ids with their entries, and the pins of the examples.
func everything(t *testing.T, e *faulttest.Engine, of map[uint32]bool) string {
	t.Helper()
	var sb strings.Builder
	for id := uint32(0); ; {
		next, err := e.NextID(id)
		if errors.Is(err, unix.ENOENT) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if id = next; !of[id] {
			continue
		}
		m, err := e.OpenID(id, true)
		if err != nil {
			t.Fatal(err)
		}
		frozen, err := m.Frozen()
		fmt.Fprintf(&sb, "%+v %v %v\n", *m.Info(), frozen, err)
		sb.WriteString(entriesOf(t, m))
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, pin := range []string{"flows", "routes", "conns", "new"} {
		m, err := e.OpenPin("/sys/fs/bpf/"+pin, true)
		fmt.Fprintln(&sb, pin, err)
		if err == nil {
			fmt.Fprintln(&sb, m.Info().ID)
			m.Close()
		}
	}
	return sb.String()
}

// entriesOf are the entries of a map in the order of their bytes; of a queue the next.
func entriesOf(t *testing.T, m engine.Map) string {
	kind := engine.KindOf(m.Info().Type)
	if !kind.Keyed() {
		value := make([]byte, m.Info().ValueSize)
		err := m.Lookup(nil, value, 0)
		return fmt.Sprintln(value, err)
	}
	entries := map[string]string{}
	k, v := int(m.Info().KeySize), m.Info().Stride()
	for walk := engine.NewWalk(m, 0); ; {
		b, err := walk.Next()
		if err == io.EOF {
			return fmt.Sprintf("%x\n", entries)
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.N {
			entries[string(b.Keys[i*k:(i+1)*k])] = string(b.Values[i*v : (i+1)*v])
		}
	}
}

// planOf runs code on the maps of the examples in a dry run, and is what it prints: the plan is the end of it.
func planOf(t *testing.T, code string) string {
	t.Helper()
	plan := dryrun.New(world(t))
	library := builtins.New(plan, nil)
	defer library.Close()
	library.SetPlan(plan.Plan)
	var out bytes.Buffer
	library.SetDisplay(builtins.Display{Out: &out})
	s := runtime.New(runtime.Config{Predeclared: library.Predeclared(), Stdout: &out})
	if err := s.Run("x.star", []byte(opened+code)); err != nil {
		fmt.Fprintln(&out, err)
	}
	if err := library.WritePlan(); err != nil {
		t.Error(err)
	}
	return out.String()
}

// TestPlan tells what a run on the maps of the examples comes to.
func TestPlan(t *testing.T) {
	tests := []struct{ code, want string }{
		{`pass`, "plan: nothing would change\n"},
		{`m["10.0.0.1"]`, "plan: nothing would change\n"},
		{`m["10.0.0.9"] = (1, 60); m["10.0.0.1"] = (4, 240); m.delete("10.0.0.9"); m["10.0.0.1"] = (3, 180)`, "plan: nothing would change\n"},
		{`inner[3] = 1; inner[2] = 0; inner[1] = 5; inner[1] = 0`, `plan: map "inner" (id 6): 1 changed
  ~ 3 0 -> 1
`},
		{`n = open("flows", value="u64[2]"); m = open("flows"); m["10.0.0.1"] = (4, 240)`, `plan: map "flows" (id 1): 1 changed
  ~ "10.0.0.1" (3, 180) -> (4, 240)
`},
		{`n = open("flows", hints={"value.bytes": "hex(u64)"}); print(n["10.0.0.1"]); n["10.0.0.2"] = (4, 240)`, `record(packets=3, bytes=180)
plan: map "flows" (id 1): 1 changed
  ~ "10.0.0.2" record(packets=1, bytes=60) -> record(packets=4, bytes=240)
`},
		{`queue.push(5); print(queue.pop(), catch(queue.peek)[1])`, `1 peek: map "jobs": --dry-run: it is not known which value is behind the first: only taking that out would tell (EPERM)
plan: map "jobs" (id 3): 1 pushed, 1 popped
  push 5
  pop 1
`},
		{`outer[1][0] = 7; outer[2] = create("array", key="u32", value="u64", max_entries=4, name="new"); outer.delete(1)`, `plan: map "inner" (id 6): 1 changed
  ~ 0 0 -> 7
plan: create array "new" key=u32 value=u64 max_entries=4
plan: map "outer" (id 7): 1 added, 1 removed
  - 1
  + 2 -> map "new"
`},
		{`s = create("hash", key="i16", value="char[4]", max_entries=4, name="signed"); s.update_batch({-2: "a", 1: "\x1b\n", 300: "", -300: "b"})`, `plan: create hash "signed" key=i16 value=char[4] max_entries=4: 4 added
  + -300 -> "b"
  + -2 -> "a"
  + 1 -> "\x1b\n"
  + 300 -> ""
`},
		{`m.pin("/sys/fs/bpf/flows", replace=True); routes.pin("/sys/fs/bpf/flows", replace=True); m.freeze(); m.kernel.delete("10.0.0.1"); fail("no")`, `fail: no
plan: pin map "flows" (id 1) at /sys/fs/bpf/flows
plan: pin map "routes" (id 2) at /sys/fs/bpf/flows, in place of id 1
plan: freeze map "flows" (id 1)
plan: map "flows" (id 1): 1 removed
  - "10.0.0.1"
`},
	}
	for _, test := range tests {
		t.Run(test.code, func(t *testing.T) {
			if got := planOf(t, test.code); got != test.want {
				t.Errorf("got\n%swant\n%s", got, test.want)
			}
		})
	}
}
