package builtins_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"bpfsh/builtins"
	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/dryrun"
	"bpfsh/builtins/engine/memory/faulttest"
	"bpfsh/runtime"

	"golang.org/x/sys/unix"
)

// untold are the rows whose examples cannot end in a dry run as they do without, and what they say. Each needs a reason.
var untold = map[string]string{
	"drain": "which value is behind the first", // the example goes through the queue to its end
}

// TestDryRunRows runs the example of each row under --dry-run: it ends as without, and the engine behind hears of no
// change.
func TestDryRunRows(t *testing.T) {
	object, err := os.ReadFile("../testdata/object/flow.o")
	if err != nil {
		t.Fatal(err)
	}
	writing := 0
	for _, topic := range builtins.Topics() {
		for _, entry := range topic.Entries {
			if entry.Kind != "function" && entry.Kind != "method" {
				continue
			}
			t.Run(topic.Name+"/"+entry.Name, func(t *testing.T) {
				free, bound := world(t), world(t)
				t.Chdir(t.TempDir())
				if err := os.WriteFile("flow.o", object, 0o600); err != nil {
					t.Fatal(err)
				}
				before := changed(free)
				if err := runExample(free, entry); err != nil {
					t.Fatalf("without --dry-run: %v", err)
				}
				writes := changed(free) > before
				before, was := changed(bound), everything(t, bound)
				plan := dryrun.New(bound)
				err := runExample(plan, entry)
				if n := changed(bound) - before; n != 0 {
					t.Errorf("it changed something %d times", n)
				}
				if now := everything(t, bound); now != was {
					t.Errorf("it was\n%s\nand is\n%s", was, now)
				}
				switch want := untold[entry.Name]; {
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
		}
	}
	const least = 20
	if writing < least {
		t.Errorf("%d rows write, want at least %d", writing, least)
	}
}

// everything is what there is on an engine: maps with their entries, and the pins of the examples.
func everything(t *testing.T, e *faulttest.Engine) string {
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
		id = next
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
	}
	for _, test := range tests {
		t.Run(test.code, func(t *testing.T) {
			if got := planOf(t, test.code); got != test.want {
				t.Errorf("got\n%swant\n%s", got, test.want)
			}
		})
	}
}
