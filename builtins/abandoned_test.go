package builtins_test

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"bpfsh/builtins"
	"bpfsh/builtins/engine/kernel/kerneltest"
	bpfsh "bpfsh/runtime"

	"go.starlark.net/starlark"
)

// TestAbandoned leaves a thousand loops in every way there is, in the middle of what is read ahead: no goroutine, no
// descriptor and no entry is lost.
func TestAbandoned(t *testing.T) {
	loops := 1000
	if testing.Short() {
		loops = 100
	}
	e := kerneltest.Engine(t)
	for _, test := range []struct{ name, code string }{
		{"break", "for k, v in m.items(): break"},
		{"break late", "for i, k in zip(range(5000), m.keys()): pass"},
		{"error", "catch(fails, m)"},
		{"closed", "other = open(m.id)\ncatch(closes, other)"},
		{"closed between", "other = open(m.id)\nit = [k for i, k in zip(range(3), other)]\nother.close()"},
		{"interrupt", "interrupt()\nfor k, v in m.items(): pass"},
		{"rows", "catch(show, m, limit=2, format='csv')"},
		{"pop_batch", "for b in pop.pop_batch(16):\n    gone.append(len(b))\n    break"},
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
m = create("hash", key="u32", value="u64", max_entries=20000)
m.update_batch({n: n for n in range(20000)})
pop = create(like=m)
pop.update_batch(m.lookup_batch())
gone = []
def fails(m):
    for k in m: fail("enough")
def closes(m):
    for k in m: m.close()
`); err != nil {
				t.Fatal(err)
			}
			goroutines, descriptors := runtime.NumGoroutine(), openDescriptors(t)
			for range loops {
				if err := chunk(s, test.code); err != nil && !(test.name == "interrupt" && errors.Is(err, pressed)) {
					t.Fatal(err)
				}
			}
			for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > goroutines || openDescriptors(t) > descriptors; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("%d goroutines and %d descriptors, before it %d and %d", runtime.NumGoroutine(), openDescriptors(t), goroutines, descriptors)
				}
				runtime.GC()
			}
			if err := chunk(s, `len(list(m)) == 20000 and pop.count() + (sum(gone) if gone else 0) == 20000 or fail("entries are lost: %d, %d" % (m.count(), pop.count()))`); err != nil {
				t.Error(err)
			}
		})
	}
}

// openDescriptors counts those of maps.
func openDescriptors(t *testing.T) (n int) {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if target, err := os.Readlink("/proc/self/fd/" + f.Name()); err == nil && strings.Contains(target, "bpf-map") {
			n++
		}
	}
	return n
}
