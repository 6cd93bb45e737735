package kernel_test

import (
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"golang.org/x/sys/unix"
)

// TestUnbearable makes no map that would take the machine down, and does not ask the kernel for it.
func TestUnbearable(t *testing.T) {
	e := kerneltest.Engine(t)
	for _, typ := range []string{"percpu_array", "percpu_hash", "lru_percpu_hash"} {
		for _, row := range []struct {
			entries, value uint32
			want           error
		}{
			{1 << 31, 8, unix.E2BIG}, {1<<32 - 1, 8, unix.E2BIG}, {1 << 30, 32 << 10, unix.ENOMEM}, {1 << 28, 32 << 10, unix.ENOMEM},
			{8, 8, nil},
		} {
			spec := engine.Spec{Type: kerneltest.Type(t, typ), KeySize: 4, ValueSize: row.value, MaxEntries: row.entries}
			if _, err := kerneltest.Create(t, e, spec); err != row.want {
				t.Errorf("%s of %d entries of %d bytes: %v, want %v", typ, row.entries, row.value, err, row.want)
			}
		}
	}
}
