package builtins_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"bpfsh/builtins"
	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/dryrun"
	"bpfsh/builtins/engine/kernel/kerneltest"
	"bpfsh/builtins/engine/readonly"
	bpfsh "bpfsh/runtime"
	"bpfsh/runtime/render"

	"github.com/cilium/ebpf"
	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"
)

// ringOf makes a ring buffer of one page that goes with the test.
func ringOf(t testing.TB, e engine.Engine) engine.Map {
	t.Helper()
	return kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, "ringbuf"), MaxEntries: 4096})
}

// code runs code in a session of its own on an engine.
func code(e engine.Engine, text string) (printed string, err error) {
	var out strings.Builder
	library := builtins.New(e, nil)
	defer library.Close()
	s := bpfsh.New(bpfsh.Config{Predeclared: library.Predeclared(), Stdout: &out, Stderr: &out})
	library.SetDisplay(builtins.Display{Out: s.Output(), Flush: s.Flush, Warn: s.Warn, Options: func() render.Options { return render.Options{Format: render.FormatJSONL} }})
	err = s.Run("events.star", []byte(text))
	return out.String(), err
}

// TestReadOnlyEvents reads events under --readonly, and through handles that were opened with readonly=True, by id and by
// pin, and neither takes nor sends any.
func TestReadOnlyEvents(t *testing.T) {
	e := kerneltest.Engine(t)
	pin := filepath.Join(kerneltest.BPFFS(t), "ring")
	m := ringOf(t, e)
	if err := m.Pin(pin, false); err != nil {
		t.Fatal(err)
	}
	if err := m.ProgramOutput([]byte("a"), engine.AnyCPU); err != nil {
		t.Fatal(err)
	}
	perf := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, "perf_event_array"), KeySize: 4, ValueSize: 4, MaxEntries: 1})
	for _, mode := range []struct {
		e                      engine.Engine
		arg, notTaken, notSent string
	}{
		{readonly.New(e), "", "--readonly: nothing is changed (EPERM)", "--readonly: nothing is changed (EPERM)"},
		{e, ", readonly=True", "it was opened read-only, and who consumes writes to it (EPERM)", "it was opened read-only (EPERM)"},
	} {
		got, err := code(mode.e, strings.ReplaceAll(fmt.Sprintf(`
for m in [open(%[1]d ARG), open(%[2]q ARG)]:
    print(list(events(m, timeout=0, backlog=True)))
    for f in [lambda: events(m, consume=True), lambda: m.kernel.output(b"x")]:
        print(catch(f)[1].message.split(": ", 2)[2])
p = open(%[3]d ARG)
for f in [lambda: events(p, consume=True), lambda: p.kernel.output(b"x")]:
    print(catch(f)[1].message.split(": ", 2)[2])`, m.Info().ID, pin, perf.Info().ID), " ARG", mode.arg))
		refused := mode.notTaken + "\n" + mode.notSent + "\n"
		if want := strings.Repeat("[b\"a\"]\n"+refused, 2) + refused; err != nil || got != want {
			t.Errorf("got %q, %v\nwant %q", got, err, want)
		}
	}
}

// TestEventsAsk asks somebody at the prompt before a loop consumes, and takes nothing before the answer is yes.
func TestEventsAsk(t *testing.T) {
	e := kerneltest.Engine(t)
	ring := ringOf(t, e)
	perf := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, "perf_event_array"), KeySize: 4, ValueSize: 4, MaxEntries: 1})
	reader, err := perf.Consume(os.Getpagesize())
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if _, err := reader.Begin(); err != nil {
		t.Fatal(err)
	}
	var asked []string
	answer := false
	library := builtins.New(e, nil)
	defer library.Close()
	s := bpfsh.New(bpfsh.Config{Predeclared: library.Predeclared()})
	var warned []string
	library.SetDisplay(builtins.Display{Out: s.Output(), Warn: func(text string) { warned = append(warned, text) }})
	library.SetOperator(&builtins.Operator{Confirm: func(question string) (bool, error) { asked = append(asked, question); return answer, nil }})
	reads := func(m engine.Map, from engine.Stream) bool {
		t.Helper()
		if err := m.ProgramOutput([]byte("x"), 0); err != nil {
			t.Fatal(err)
		}
		_, err := from.Next(nil)
		if err == nil {
			err = from.Take()
		}
		if err != nil && err != unix.EAGAIN {
			t.Fatal(err)
		}
		return err == nil
	}
	tap, err := ring.Tap(engine.Newest)
	if err != nil {
		t.Fatal(err)
	}
	defer tap.Close()
	backlog := func() (n int) {
		t.Helper()
		s, err := ring.Tap(engine.Backlog)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for ; ; n++ {
			if _, err := s.Next(nil); err != nil {
				return n
			}
			if err := s.Take(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, test := range []struct {
		m        engine.Map
		from     engine.Stream
		question string
	}{
		{perf, reader, "take the place of who reads the events of map %q (id %d), for good?"},
		{ring, tap, "consume the events of map %q (id %d), which nobody else gets then?"},
	} {
		run := func(code string) error { return chunk(s, fmt.Sprintf("m = open(%d)\n%s", test.m.Info().ID, code)) }
		if err := run("e = m.events(consume=True, timeout=0)"); err != nil || len(asked) > 0 || !reads(test.m, test.from) {
			t.Errorf("before there is a loop: %v, asked %q", err, asked)
		}
		for _, code := range []string{"list(e)", "e.begin()", "show(e)"} {
			asked = nil
			err := chunk(s, code)
			if err == nil || !strings.Contains(err.Error(), "it was not confirmed, and nothing was done; force=True does not ask") {
				t.Errorf("%s: got %v", code, err)
			}
			if want := fmt.Sprintf(test.question, test.m.Info().Name, test.m.Info().ID); len(asked) != 1 || asked[0] != want {
				t.Errorf("%s: asked %q, want %q", code, asked, want)
			}
			if !reads(test.m, test.from) {
				t.Errorf("%s: the reader has lost its place, although the answer was no", code)
			}
		}
		if test.m == ring && backlog() != 4 {
			t.Errorf("%d events are there, want 4: none was consumed", backlog())
		}
		if len(warned) > 0 {
			t.Errorf("warned %q", warned)
		}
		asked, answer = nil, true
		if err := chunk(s, "list(e); list(e)"); err != nil || len(asked) != 1 {
			t.Errorf("two loops, with leave: %v, asked %q, want one question", err, asked)
		}
		if test.m == ring && backlog() != 0 {
			t.Errorf("%d events are there still", backlog())
		}
		if test.m == perf && (len(warned) != 1 || !strings.Contains(warned[0], "took the place of its reader on 1 CPU")) {
			t.Errorf("warned %q", warned)
		}
		asked, answer, warned = nil, false, nil
		if err := run("list(m.events(consume=True, timeout=0, force=True))"); err != nil || len(asked) > 0 {
			t.Errorf("with force: %v, asked %q", err, asked)
		}
	}
}

// TestDryRunEvents reads events in a dry run, and cannot know what comes of taking or sending any.
func TestDryRunEvents(t *testing.T) {
	e := kerneltest.Engine(t)
	m := ringOf(t, e)
	if err := m.ProgramOutput([]byte("a"), engine.AnyCPU); err != nil {
		t.Fatal(err)
	}
	plan := dryrun.New(e)
	got, err := code(plan, fmt.Sprintf(`
m = open(%d)
print(list(events(m, timeout=0, backlog=True)))
for f in [lambda: events(m, consume=True), lambda: m.kernel.output(b"x")]:
    print(catch(f)[1].message.split(": ", 2)[2])
print(catch(events, open(%d, readonly=True), consume=True)[1].message.split(": ", 2)[2])
m.close()
print(catch(events, m)[1].message.split(": ", 2)[2])
print(catch(events, create("hash", key="u32", value="u32", max_entries=1))[1].errno)`, m.Info().ID, m.Info().ID))
	const want = `[b"a"]
--dry-run: it is not known which records come: a dry run takes none (EPERM)
--dry-run: it is not known whether there is room for the record: a dry run sends none (EPERM)
it was opened read-only, and who consumes writes to it (EPERM)
the map is closed (EBADF)
ENOTSUPP
`
	if err != nil || got != want {
		t.Errorf("got %q, %v\nwant %q", got, err, want)
	}
	if changes, err := plan.Plan(); len(changes) != 1 || err != nil { // the hash
		t.Errorf("the plan has %d changes, %v", len(changes), err)
	}
	if got, err := code(e, fmt.Sprintf("print(list(events(open(%d), timeout=0, backlog=True)))", m.Info().ID)); got != "[b\"a\"]\n" {
		t.Errorf("behind the dry run there is %q, %v", got, err)
	}
}

// TestEventsOfProgram finds the type of events by its name in the program that sends them: with a ring buffer itself the
// kernel keeps no types. The program is one that bpftool has loaded, which gives the kernel all types of the object.
func TestEventsOfProgram(t *testing.T) {
	bpftool, err := exec.LookPath("bpftool")
	if err != nil {
		t.Skip("bpftool is not installed")
	}
	e := kerneltest.Engine(t)
	dir := strings.Replace(kerneltest.BPFFS(t), "self", fmt.Sprint(os.Getpid()), 1)
	if out, err := exec.Command(bpftool, "prog", "load", "../testdata/object/event.o", dir+"/send", "type", "socket", "pinmaps", dir).CombinedOutput(); err != nil {
		t.Fatalf("bpftool: %v: %s", err, out)
	}
	prog, err := ebpf.LoadPinnedProgram(dir+"/send", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer prog.Close()
	for range 3 {
		if _, err := prog.Run(&ebpf.RunOptions{Data: make([]byte, 64)}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := code(e, fmt.Sprintf(`
ring = open("%[1]s/ring")
at = 0
for e in events(ring, type="struct event", timeout=0, backlog=True):
    print(e.number, e.comm, e.ktime > at)
    at = e.ktime
ring.kernel.output({"ktime": 0, "number": 7, "comm": "x", "unused": 0}, type="struct event")
print(catch(events, ring, type="struct evnt")[1])`, dir))
	want := "0 me True\n1 me True\n2 me True\n" + `events: type: type "struct evnt", column 1: no struct evnt is known (did you mean struct event?)` + "\n"
	if err != nil || got != want {
		t.Errorf("got %q, %v\nwant %q", got, err, want)
	}
}

// TestEventsLive writes each event to a pipe before the next one comes, by print and by show in every format.
func TestEventsLive(t *testing.T) {
	e := kerneltest.Engine(t)
	for _, test := range []struct{ name, code, want string }{
		{"print", `for e in events(m, type="u8", max=3): print(e)`, "%d\n"},
		{"jsonl", `show(events(m, type="struct { u8 n; }", max=3), format="jsonl")`, "{\"n\":%d}\n"},
		{"json", `show(events(m, type="u8", max=3), format="json")`, "%d"},
		{"tsv", `show(events(m, type="u8", max=3), format="tsv")`, "%d\n"},
		{"csv", `show(events(m, type="u8", max=3), format="csv")`, "%d\n"},
		{"table", `show(events(m, type="u8", max=3), format="table")`, "%d\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := ringOf(t, e)
			r, w := io.Pipe()
			library := builtins.New(e, nil)
			defer library.Close()
			s := bpfsh.New(bpfsh.Config{Predeclared: library.Predeclared(), Stdout: w})
			library.SetDisplay(builtins.Display{Out: s.Output(), Flush: s.Flush})
			done := make(chan error, 1)
			go func() {
				err := s.Run("live.star", fmt.Appendf(nil, "m = open(%d)\nprint('begins')\n%s", m.Info().ID, test.code))
				w.CloseWithError(err)
				done <- err
			}()
			var text strings.Builder
			until := func(want string) {
				t.Helper()
				b := make([]byte, 4096)
				for !strings.Contains(text.String(), want) {
					n, err := r.Read(b)
					text.Write(b[:n])
					if err != nil {
						t.Fatalf("%v in place of %q behind %q", err, want, &text)
					}
				}
			}
			until("begins")
			time.Sleep(20 * time.Millisecond) // it waits by then; else what comes is there before it looks
			for n := range 3 {
				if n < 2 || test.name != "json" { // a document's line ends when the next one begins
					if err := m.ProgramOutput([]byte{byte(100 + n)}, engine.AnyCPU); err != nil {
						t.Fatal(err)
					}
				}
				if test.name == "json" {
					continue
				}
				until(fmt.Sprintf(test.want, 100+n))
			}
			if test.name == "json" {
				until("100,")
				if err := m.ProgramOutput([]byte{102}, engine.AnyCPU); err != nil {
					t.Fatal(err)
				}
			}
			go io.Copy(io.Discard, r)
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

// TestEventsAbandoned leaves loops over events in every way there is: nothing stays open.
func TestEventsAbandoned(t *testing.T) {
	e := kerneltest.Engine(t)
	for _, test := range []struct{ name, code string }{
		{"break", "for x in events(m, backlog=True): break"},
		{"never begun", "events(m)"},
		{"error", "catch(fails)"},
		{"failure within", "catch(list, events(m, type='u64', backlog=True))"},
		{"map closed", "other = open(m.id)\nx = events(other)\nother.close()"},
		{"rows", "show(events(m, backlog=True, max=1))"},
		{"consumer", "events(m, consume=True)"},
		{"perf", "for x in events(p, consume=True, timeout=0): pass"},
		{"perf, never begun", "events(p, consume=True)"},
		{"interrupt", "interrupt()\nfor x in events(m): pass"},
		{"perf, begun", "events(p, consume=True).begin()"},
	} {
		t.Run(test.name, func(t *testing.T) {
			library := builtins.New(e, nil)
			defer library.Close()
			predeclared := library.Predeclared()
			var s *bpfsh.Session
			pressed := errors.New("pressed")
			predeclared["interrupt"] = starlark.NewBuiltin("interrupt", func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
				go s.Interrupt(pressed)
				return starlark.None, nil
			})
			s = bpfsh.New(bpfsh.Config{Predeclared: predeclared})
			if err := chunk(s, `
m = create("ringbuf", max_entries=4096)
m.kernel.output(b"x")
p = create("perf_event_array", max_entries=cpus())
def fails():
    for x in events(m, backlog=True): fail("enough")
`); err != nil {
				t.Fatal(err)
			}
			goroutines, descriptors := runtime.NumGoroutine(), openFiles(t)
			loops := 200
			if strings.HasPrefix(test.name, "perf") { // the kernel gives up some tens of events a second
				loops = 20
			}
			for range loops {
				if err := chunk(s, test.code); err != nil && !errors.Is(err, pressed) {
					t.Fatal(err)
				}
			}
			for end := time.Now().Add(30 * time.Second); runtime.NumGoroutine() > goroutines || openFiles(t) > descriptors; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("%d goroutines and %d descriptors, before it %d and %d", runtime.NumGoroutine(), openFiles(t), goroutines, descriptors)
				}
				s.Globals()["_"] = starlark.None // which holds the last value
				runtime.GC()
			}
			if err := chunk(s, `events(m, consume=True, timeout=0)
events(p, consume=True).begin()`); err != nil {
				t.Fatal(err)
			}
			library.Close()
			if n := mappedFiles(t); n > 0 {
				t.Errorf("%d mappings of maps and events are left at the end", n)
			}
		})
	}
}

// openFiles counts the descriptors.
func openFiles(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

// mappedFiles counts what is mapped of ring buffers and perf events: that of programs has a page without a name.
func mappedFiles(t *testing.T) (n int) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "[perf_event]") || strings.Contains(line, "bpf-map") && strings.Contains(line, "r--s") {
			n++
		}
	}
	return n
}

// TestEventsInterrupt ends a loop that waits, and one that never waits, soon after the run is told to end.
func TestEventsInterrupt(t *testing.T) {
	e := kerneltest.Engine(t)
	m := ringOf(t, e)
	for name, code := range map[string]string{"waiting": "for x in events(m): pass", "busy": "for x in events(m):\n    m.kernel.output(b'x')\n    list(events(m, consume=True, timeout=0))"} {
		t.Run(name, func(t *testing.T) {
			library := builtins.New(e, nil)
			defer library.Close()
			s := bpfsh.New(bpfsh.Config{Predeclared: library.Predeclared()})
			pressed := errors.New("pressed")
			time.AfterFunc(100*time.Millisecond, func() { s.Interrupt(pressed) })
			sent := make(chan error, 1) // before the map is closed
			if name == "busy" {
				time.AfterFunc(50*time.Millisecond, func() { sent <- m.ProgramOutput([]byte("x"), engine.AnyCPU) })
			} else {
				sent <- nil
			}
			err := s.Run("loop.star", fmt.Appendf(nil, "m = open(%d)\n%s", m.Info().ID, code))
			if !errors.Is(err, pressed) {
				t.Errorf("got %v", err)
			}
			if err := <-sent; err != nil {
				t.Error(err)
			}
		})
	}
}
