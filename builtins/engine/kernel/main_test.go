package kernel_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"testing"
	"time"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	if drop, child := os.LookupEnv(dropped); child {
		fmt.Print(missingWithout(drop))
		return
	}
	if os.Getenv(unprivileged) != "" {
		fmt.Print(rights())
		return
	}
	if dir := os.Getenv(holding); dir != "" {
		fmt.Print(mounted(dir))
		return
	}
	if how := os.Getenv(heldWithout); how != "" {
		fmt.Print(seen(how))
		return
	}
	os.Exit(kerneltest.Main(m))
}

func number(i int) []byte { return binary.NativeEndian.AppendUint32(nil, uint32(i)) }

// hash makes a hash of u32 to u32 with room for 100.
func hash(t testing.TB, e *kernel.Engine) engine.Map {
	t.Helper()
	return kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, "hash"), KeySize: 4, ValueSize: 4, MaxEntries: 100})
}

// twin is cilium/ebpf's handle on a map.
func twin(t testing.TB, m engine.Map) *ebpf.Map {
	t.Helper()
	twin, err := ebpf.NewMapFromID(ebpf.MapID(m.Info().ID))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { twin.Close() })
	return twin
}

// holds says whether m has value under key.
func holds(t testing.TB, m engine.Map, key, value int) {
	t.Helper()
	got := make([]byte, 4)
	if err := m.Lookup(number(key), got, 0); err != nil || string(got) != string(number(value)) {
		t.Errorf("under %d: %x, %v; want %d", key, got, err, value)
	}
}

// gone waits until a map does not exist any more: the kernel frees it some time after nothing refers to it.
func gone(t testing.TB, e *kernel.Engine, id uint32) {
	t.Helper()
	for end := time.Now().Add(2 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		m, err := e.OpenID(id, true)
		switch {
		case err == unix.ENOENT:
			return
		case err != nil:
			t.Fatal(err)
		}
		m.Close()
		if time.Now().After(end) {
			t.Fatalf("map %d is still there after 2 s", id)
		}
	}
}
