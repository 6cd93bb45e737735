package engine_test

import (
	"encoding/binary"
	"os"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"
)

func TestMain(m *testing.M) { os.Exit(kerneltest.Main(m)) }

// number is a key of 4 bytes.
func number(i int) []byte { return binary.NativeEndian.AppendUint32(nil, uint32(i)) }

// prefix is the key of a trie for IPv4.
func prefix(length int, addr uint32) []byte {
	return binary.BigEndian.AppendUint32(number(length), addr)
}

// value is what the tests put under key i: different for each CPU, with zeros where the kernel has padding.
func value(info *engine.Info, i int) []byte {
	v := make([]byte, info.Stride())
	cpus := max(1, info.CPUs)
	for cpu := range cpus {
		one := v[cpu*len(v)/cpus:][:info.ValueSize]
		for at := range one {
			one[at] = byte(i>>(8*(at%3)) + cpu)
		}
	}
	return v
}

// put writes entries one by one.
func put(t testing.TB, m engine.Map, keys [][]byte) {
	t.Helper()
	for i, key := range keys {
		if err := m.Update(key, value(m.Info(), i), 0); err != nil {
			t.Fatalf("entry %d: %v", i, err)
		}
	}
}

// numbers are the keys from a to b, without b.
func numbers(a, b int) (keys [][]byte) {
	for i := a; i < b; i++ {
		keys = append(keys, number(i))
	}
	return keys
}

// flat puts one behind the other.
func flat(parts [][]byte) (all []byte) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// values are what put writes for n keys, flat.
func values(m engine.Map, n int) (all []byte) {
	for i := range n {
		all = append(all, value(m.Info(), i)...)
	}
	return all
}
