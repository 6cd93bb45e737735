package memory_test

import (
	"bytes"
	"testing"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// The memory of an array that can be mapped is its values, each at a multiple of 8 bytes.
func TestMapped(t *testing.T) {
	engines(t, func(t *testing.T, e engine.Engine) {
		spec := good(t, "array")
		spec.Flags |= unix.BPF_F_MMAPABLE
		spec.MaxEntries = 3000
		m := create(t, e, spec)
		all := bytes.Repeat([]byte{1, 2, 3, 4, 5, 6, 7, 8}, 3000)
		if err := m.WriteAt(bytes.Clone(all), 0); err != nil {
			t.Fatal(err)
		}
		v, part := make([]byte, 4), make([]byte, 11)
		if err := m.Lookup(key32(2999), v, 0); err != nil || !bytes.Equal(v, all[:4]) {
			t.Errorf("the last value is %x, %v", v, err)
		}
		if err := m.ReadAt(part, 4090); err != nil || !bytes.Equal(part, all[4090:4101]) {
			t.Errorf("across a page: %x, %v", part, err)
		}
		if err := m.ReadAt(part, 1<<62); err == nil {
			t.Error("far behind the end: no error")
		}
		if err := m.ReadAt(part, 24<<10); err != unix.EINVAL {
			t.Errorf("behind the end: %v, want EINVAL", err)
		}
		if err := create(t, e, good(t, "array")).ReadAt(part, 0); err != engine.NotSupported {
			t.Errorf("of another map: %v, want ENOTSUPP", err)
		}
		reader := opened(t)(e.OpenID(m.Info().ID, true))
		defer reader.Close()
		if err := reader.WriteAt(part, 0); err != unix.EPERM {
			t.Errorf("through a read-only handle: %v, want EPERM", err)
		}
		if err := m.Freeze(); err != nil {
			t.Fatal(err)
		}
		if err := m.WriteAt(part, 0); err != unix.EPERM {
			t.Errorf("to a frozen map: %v, want EPERM", err)
		}
		if err := m.ReadAt(part, 0); err != nil {
			t.Errorf("from a frozen map: %v", err)
		}
	})
}
