package builtins_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"bpfsh/builtins"
	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel"
	"bpfsh/builtins/engine/kernel/kerneltest"
	"bpfsh/runtime"

	"golang.org/x/sys/unix"
)

// script runs a script on the kernel's maps, and fails the test if it fails.
func script(t *testing.T, source string) string {
	t.Helper()
	library := builtins.New(&kernel.Engine{}, nil)
	defer library.Close()
	var out, report bytes.Buffer
	s := runtime.New(runtime.Config{Stdout: &out, Stderr: &report, Predeclared: library.Predeclared()})
	err := s.Run("test.star", []byte(source))
	s.Report(err)
	if err := errors.Join(err, s.Finish()); err != nil {
		t.Fatalf("%v\n%s", err, &report)
	}
	return out.String()
}

func TestMain(m *testing.M) { os.Exit(kerneltest.Main(m)) }

// churned keeps inserting and removing entries of a map of the kernel, whose keys key makes of numbers from stay on,
// while f runs.
func churned(t *testing.T, e engine.Engine, m engine.Map, stay uint32, key func(n uint32) []byte, f func()) {
	t.Helper()
	for n := range stay {
		if err := m.Update(key(n), make([]byte, 8), 0); err != nil {
			t.Fatal(err)
		}
	}
	churn, err := e.OpenID(m.Info().ID, false)
	if err != nil {
		t.Fatal(err)
	}
	stop, churning, changes := make(chan struct{}), make(chan struct{}), 0
	var wait sync.WaitGroup
	wait.Go(func() {
		defer churn.Close()
		for n := uint32(0); ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := churn.Update(key(stay+n%8000), make([]byte, 8), 0); err != nil {
				t.Errorf("insert: %v", err)
				return
			}
			if err := churn.Delete(key(stay + (n+4000)%8000)); err != nil && !errors.Is(err, unix.ENOENT) {
				t.Errorf("delete: %v", err)
				return
			}
			if changes++; changes == 1000 {
				close(churning)
			}
		}
	})
	<-churning
	f()
	close(stop)
	wait.Wait()
	t.Logf("%d entries were inserted and deleted meanwhile", changes)
}

// TestItemsUnderChurn walks a hash of 10,000 entries while others come and go at full speed: each of 1,000 keys
// that stay comes exactly once in each of 20 walks, and no key comes twice.
func TestItemsUnderChurn(t *testing.T) {
	e := kerneltest.Engine(t)
	m := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, "hash"), KeySize: 4, ValueSize: 8, MaxEntries: 10000})
	out := ""
	churned(t, e, m, 1000, func(n uint32) []byte { return binary.NativeEndian.AppendUint32(nil, n) }, func() {
		out = script(t, strings.ReplaceAll(`
m = open(ID)
for walk in range(20):
    seen = {}
    for key, value in m.items():
        seen[key] = seen.get(key, 0) + 1
    missed = [k for k in range(1000) if k not in seen]
    twice = [k for k, n in seen.items() if n > 1]
    if missed or twice or len(seen) <= 1000:
        print("walk", walk, "missed", missed[:5], "twice", twice[:5], "of", len(seen))
print("walked")
`, "ID", strconv.Itoa(int(m.Info().ID))))
	})
	if out != "walked\n" {
		t.Error(out)
	}
}
