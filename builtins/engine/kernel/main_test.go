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
)

func TestMain(m *testing.M) {
	if drop, child := os.LookupEnv(dropped); child {
		fmt.Print(missingWithout(drop))
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

// holds says whether m has value under key.
func holds(t testing.TB, m engine.Map, key, value int) {
	t.Helper()
	got := make([]byte, 4)
	if err := m.Lookup(number(key), got, 0); err != nil || string(got) != string(number(value)) {
		t.Errorf("under %d: %x, %v; want %d", key, got, err, value)
	}
}

// eventually waits until done is true: the kernel frees maps some time after their last descriptor is closed.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("after 2 s, still not: %s", what)
			return
		}
	}
}
