package dryrun_test

import (
	"encoding/binary"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/dryrun"
	"bpfsh/builtins/engine/memory"
)

// BenchmarkMillion writes every entry of a map of a million, and goes through the plan.
func BenchmarkMillion(b *testing.B) {
	const n = 1_000_000
	real := &memory.Engine{}
	hash, _ := engine.TypeByName("hash")
	m, err := real.Create(engine.Spec{Type: hash, KeySize: 8, ValueSize: 8, MaxEntries: n})
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	keys, values := make([]byte, 8*n), make([]byte, 8*n)
	for i := range n {
		binary.NativeEndian.PutUint64(keys[8*i:], uint64(i)*0x9e3779b97f4a7c15)
	}
	if _, err := m.UpdateBatch(keys, values, n, 0); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		e := dryrun.New(real)
		planned, err := e.OpenID(m.Info().ID, false)
		if err != nil {
			b.Fatal(err)
		}
		for i := range n {
			values[8*i]++
		}
		if _, err := planned.UpdateBatch(keys, values, n, 0); err != nil {
			b.Fatal(err)
		}
		changes, err := e.Plan()
		if err != nil || len(changes) != 1 || changes[0].Entries.Changed != n {
			b.Fatalf("%d changes, %v", len(changes), err)
		}
		seen := 0
		if err := changes[0].Entries.Each(nil, func(engine.EntryChange) error { seen++; return nil }); err != nil || seen != n {
			b.Fatal(seen, err)
		}
		planned.Close()
	}
}
