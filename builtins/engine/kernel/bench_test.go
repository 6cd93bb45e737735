package kernel_test

import (
	"errors"
	"io"
	"testing"
	"time"
	"unsafe"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// beside runs ours and its raw twin in turns, and reports how much longer ours takes. An operation is on size entries.
func beside(b *testing.B, size int, ours, raw func() error) {
	b.Helper()
	const turn = 50
	var tookOurs, tookRaw time.Duration
	timed := func(f func() error, n int) time.Duration {
		start := time.Now()
		for range n {
			if err := f(); err != nil {
				b.Fatal(err)
			}
		}
		return time.Since(start)
	}
	b.ResetTimer()
	for left := b.N; left > 0; left -= turn {
		n := min(left, turn)
		tookOurs += timed(ours, n)
		b.StopTimer()
		tookRaw += timed(raw, n)
		b.StartTimer()
	}
	b.ReportMetric(float64(tookOurs)/float64(tookRaw), "x-raw")
	if size > 1 {
		b.ReportMetric(float64(tookOurs.Nanoseconds())/float64(b.N*size), "ns/entry")
	}
}

// twins are an engine's map of n entries and cilium/ebpf's handle on it.
func twins(b *testing.B, n int) (engine.Map, *ebpf.Map) {
	b.Helper()
	m := kerneltest.Map(b, kerneltest.Engine(b), engine.Spec{Type: kerneltest.Type(b, "hash"), KeySize: 4, ValueSize: 8, MaxEntries: uint32(n)})
	for i := range n {
		if err := m.Update(number(i), make([]byte, 8), 0); err != nil {
			b.Fatal(err)
		}
	}
	twin, err := ebpf.NewMapFromID(ebpf.MapID(m.Info().ID))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { twin.Close() })
	return m, twin
}

// elementCall is the system call itself, on a key and a value that stay where they are.
func elementCall(cmd, fd int, key, value *[8]byte) func() error {
	attr := struct {
		fd, _      uint32
		key, value unsafe.Pointer
		flags      uint64
	}{fd: uint32(fd), key: unsafe.Pointer(key), value: unsafe.Pointer(value)}
	return func() error {
		if _, _, errno := unix.Syscall(unix.SYS_BPF, uintptr(cmd), uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr)); errno != 0 {
			return errno
		}
		return nil
	}
}

func BenchmarkLookup(b *testing.B) {
	m, twin := twins(b, 1000)
	key, value := number(7), make([]byte, 8)
	b.ReportAllocs()
	beside(b, 1, func() error { return m.Lookup(key, value, 0) },
		elementCall(unix.BPF_MAP_LOOKUP_ELEM, twin.FD(), &[8]byte{7}, new([8]byte)))
}

func BenchmarkLookupMiss(b *testing.B) {
	m, twin := twins(b, 1000)
	key, value := number(1<<20), make([]byte, 8)
	miss := func(call func() error) func() error {
		return func() error {
			if err := call(); err != unix.ENOENT {
				b.Fatal(err)
			}
			return nil
		}
	}
	b.ReportAllocs()
	beside(b, 1, miss(func() error { return m.Lookup(key, value, 0) }),
		miss(elementCall(unix.BPF_MAP_LOOKUP_ELEM, twin.FD(), &[8]byte{0, 0, 16}, new([8]byte))))
}

func BenchmarkUpdate(b *testing.B) {
	m, twin := twins(b, 1000)
	key, value := number(7), make([]byte, 8)
	b.ReportAllocs()
	beside(b, 1, func() error { return m.Update(key, value, unix.BPF_ANY) },
		elementCall(unix.BPF_MAP_UPDATE_ELEM, twin.FD(), &[8]byte{7}, new([8]byte)))
}

// twinWalk is cilium/ebpf's own call until the end, on slices of integers that it need not copy.
func twinWalk(twin *ebpf.Map, size int) func() error {
	keys, values := make([]uint32, size), make([]uint64, size)
	return func() error {
		var cur ebpf.MapBatchCursor
		for {
			if _, err := twin.BatchLookup(&cur, keys, values, nil); errors.Is(err, ebpf.ErrKeyNotExist) {
				return nil
			} else if err != nil {
				return err
			}
		}
	}
}

func BenchmarkLookupBatch(b *testing.B) {
	const n, size = 10000, 4096
	m, twin := twins(b, n)
	keys, values := make([]byte, 4*size), make([]byte, 8*size)
	b.ReportAllocs()
	beside(b, n, func() error {
		var cur engine.Cursor
		for {
			if _, err := m.LookupBatch(&cur, keys, values, size); err == unix.ENOENT {
				return nil
			} else if err != nil {
				return err
			}
		}
	}, twinWalk(twin, size))
}

func BenchmarkWalk(b *testing.B) {
	const n, size = 10000, 4096
	m, twin := twins(b, n)
	b.ReportAllocs()
	beside(b, n, func() error {
		w := engine.NewWalk(m, size)
		for {
			if _, err := w.Next(); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
		}
	}, twinWalk(twin, size))
}

func BenchmarkUpdateAll(b *testing.B) {
	const n = 10000
	m, twin := twins(b, n)
	keys, values := []byte{}, make([]byte, 8*n)
	twinKeys, twinValues := make([]uint32, n), make([]uint64, n)
	for i := range n {
		keys, twinKeys[i] = append(keys, number(i)...), uint32(i)
	}
	b.ReportAllocs()
	beside(b, n, func() error {
		return engine.UpdateAll(m, keys, values, n, unix.BPF_ANY, func(int) error { return nil }).Err
	}, func() error {
		_, err := twin.BatchUpdate(twinKeys, twinValues, nil)
		return err
	})
}

// On the kernel's side, raw is the system call from user space: what it costs to run a program for it.
func BenchmarkProgramLookup(b *testing.B) {
	m, twin := twins(b, 1000)
	key, value := number(7), make([]byte, 8)
	b.ReportAllocs()
	beside(b, 1, func() error { return m.ProgramLookup(key, value, engine.AnyCPU) },
		elementCall(unix.BPF_MAP_LOOKUP_ELEM, twin.FD(), &[8]byte{7}, new([8]byte)))
}

func BenchmarkProgramLookupOnCPU(b *testing.B) {
	m, twin := twins(b, 1000)
	key, value := number(7), make([]byte, 8)
	b.ReportAllocs()
	beside(b, 1, func() error { return m.ProgramLookup(key, value, 1) },
		elementCall(unix.BPF_MAP_LOOKUP_ELEM, twin.FD(), &[8]byte{7}, new([8]byte)))
}

func BenchmarkProgramUpdate(b *testing.B) {
	m, twin := twins(b, 1000)
	key, value := number(7), make([]byte, 8)
	b.ReportAllocs()
	beside(b, 1, func() error { return m.ProgramUpdate(key, value, unix.BPF_ANY, engine.AnyCPU) },
		elementCall(unix.BPF_MAP_UPDATE_ELEM, twin.FD(), &[8]byte{7}, new([8]byte)))
}

// The twin of adding is to read and to write, which another may come between.
func BenchmarkProgramAdd(b *testing.B) {
	m, twin := twins(b, 1000)
	key, value := number(7), new([8]byte)
	read := elementCall(unix.BPF_MAP_LOOKUP_ELEM, twin.FD(), &[8]byte{7}, value)
	write := elementCall(unix.BPF_MAP_UPDATE_ELEM, twin.FD(), &[8]byte{7}, value)
	b.ReportAllocs()
	beside(b, 1, func() error {
		_, _, err := m.ProgramAdd(key, 0, 8, 1, engine.AnyCPU)
		return err
	}, func() error { return errors.Join(read(), write()) })
}

func BenchmarkProgramEntries(b *testing.B) {
	const n, size = 10000, 4096
	m, twin := twins(b, n)
	b.ReportAllocs()
	beside(b, n, func() error {
		_, err := m.ProgramEntries(engine.AnyCPU)
		return err
	}, twinWalk(twin, size))
}

// What the kernel counts is told for all maps of the machine at once, however many entries they have.
func BenchmarkCounts(b *testing.B) {
	_, twin := twins(b, 10000)
	e := kerneltest.Engine(b)
	start := time.Now()
	if _, err := e.Counts(); err != nil {
		b.Skip(err)
	}
	first := time.Since(start)
	b.ReportAllocs()
	beside(b, 1, func() error {
		_, err := e.Counts()
		return err
	}, elementCall(unix.BPF_MAP_LOOKUP_ELEM, twin.FD(), &[8]byte{7}, new([8]byte)))
	b.ReportMetric(float64(first.Microseconds()), "µs-first")
}

func BenchmarkProgramLookupLocked(b *testing.B) {
	m := kerneltest.Map(b, kerneltest.Engine(b), engine.Spec{Type: kerneltest.Type(b, "array"), KeySize: 4, ValueSize: 16, MaxEntries: 1, Key: u32, Value: locked})
	value := make([]byte, 16)
	b.ReportAllocs()
	beside(b, 1, func() error { return m.ProgramLookup(number(0), value, engine.AnyCPU) },
		elementCall(unix.BPF_MAP_LOOKUP_ELEM, twin(b, m).FD(), new([8]byte), (*[8]byte)(make([]byte, 16))))
}
