package builtins_test

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"net/netip"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"
	"unsafe"

	"bpfsh/builtins"
	"bpfsh/builtins/engine/kernel/kerneltest"
	"bpfsh/runtime"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// Each benchmark has a script beside a twin in Go that does the same without it, in turns, and reports the ratio of
// their times: the median of all turns.

const million = 1_000_000

// bench is a script's session on the running kernel.
type bench struct {
	*testing.B
	s *runtime.Session
}

func newBench(b *testing.B) *bench {
	b.Helper()
	debug.SetGCPercent(400) // as the command does
	library := builtins.New(kerneltest.Engine(b), nil)
	library.SetDisplay(builtins.Display{Out: io.Discard})
	b.Cleanup(library.Close)
	s := runtime.New(runtime.Config{Predeclared: library.Predeclared()})
	b.Cleanup(func() { clear(s.Globals()) })
	return &bench{b, s}
}

// run runs code whose names stay.
func (b *bench) run(code string) {
	b.Helper()
	if err := chunk(b.s, code); err != nil {
		b.Fatal(err)
	}
}

// id is what an expression of a map's id is.
func (b *bench) twin(name string) *ebpf.Map {
	b.Helper()
	b.run("_id = " + name + ".id")
	var id uint32
	fmt.Sscan(b.s.Globals()["_id"].String(), &id)
	m, err := ebpf.NewMapFromID(ebpf.MapID(id))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { m.Close() })
	return m
}

// beside runs a function of the script and its twin in turns. n is how many operations each is.
func (b *bench) beside(n int, code string, twin func() error) {
	b.Helper()
	b.run("def work():\n    " + strings.ReplaceAll(code, "\n", "\n    ") + "\n")
	var ratios []float64
	var took time.Duration
	for b.Loop() {
		start := time.Now()
		b.run("work()")
		ours := time.Since(start)
		start = time.Now()
		if err := twin(); err != nil {
			b.Fatal(err)
		}
		ratios = append(ratios, float64(ours)/float64(time.Since(start)))
		took += ours
	}
	sort.Float64s(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "ratio")
	b.ReportMetric(float64(took.Nanoseconds())/float64(len(ratios)*n), "ns/entry")
}

// each reads all entries of a hash with u32 keys, as a program would that has nothing else to do.
func each[V any](m *ebpf.Map, f func(keys []uint32, values []V)) error {
	const size = 4096
	keys, values := make([]uint32, size), make([]V, size)
	var cur ebpf.MapBatchCursor
	for {
		n, err := m.BatchLookup(&cur, keys, values, nil)
		f(keys[:n], values[:n])
		if errors.Is(err, ebpf.ErrKeyNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// flows is a hash of a million entries.
func flows(b *testing.B) (*bench, *ebpf.Map) {
	b.Helper()
	s := newBench(b)
	s.run("m = create('hash', key='u32', value='u64', max_entries=1000000)\nm.update_batch({n: n for n in range(1000000)})")
	return s, s.twin("m")
}

// BenchmarkItems adds up small numbers, and such that Starlark's big integers are needed.
func BenchmarkItems(b *testing.B) {
	for _, modulus := range []int{100, million} {
		b.Run(fmt.Sprintf("below %d", modulus), func(b *testing.B) {
			s, twin := flows(b)
			s.run(fmt.Sprintf("m.update_batch({n: n %% %d for n in range(1000000)})", modulus))
			total := uint64(0)
			s.beside(million, "total = 0\nfor k, v in m.items(): total += v\nreturn total", func() error {
				return each(twin, func(_ []uint32, values []uint64) {
					for _, v := range values {
						total += v
					}
				})
			})
		})
	}
}

func BenchmarkKeys(b *testing.B) {
	s, twin := flows(b)
	n := 0
	s.beside(million, "n = 0\nfor k in m.keys(): n += 1\nreturn n", func() error {
		return each(twin, func(keys []uint32, _ []uint64) {
			for range keys {
				n++
			}
		})
	})
}

func BenchmarkSum(b *testing.B) {
	s, twin := flows(b)
	total := uint64(0)
	s.beside(million, "return sum(m.values())", func() error {
		return each(twin, func(_ []uint32, values []uint64) {
			for _, v := range values {
				total += v
			}
		})
	})
}

// record is the value of most flows in the wild: some counters.
type record struct {
	Packets, Bytes, First, Last uint64
	In, Out                     uint32
	State, Flags                uint16
	A, B, C, D, Pad             uint32
}

const recordType = "struct { u64 packets; u64 bytes; u64 first; u64 last; u32 in; u32 out; u16 state; u16 flags; u32 a; u32 b; u32 c; u32 d; }"

func records(b *testing.B) (*bench, *ebpf.Map) {
	b.Helper()
	s := newBench(b)
	s.run("m = create('hash', key='u32', value='" + recordType + "', max_entries=1000000)")
	twin := s.twin("m")
	keys, values := make([]uint32, million), make([]record, million)
	for i := range keys {
		keys[i], values[i] = uint32(i), record{Bytes: uint64(i % 100)} // a total that is no big integer
	}
	if _, err := twin.BatchUpdate(keys, values, nil); err != nil {
		b.Fatal(err)
	}
	return s, twin
}

func BenchmarkSumField(b *testing.B) {
	s, twin := records(b)
	total := uint64(0)
	s.beside(million, "return sum(m.values(), by='bytes')", func() error {
		return each(twin, func(_ []uint32, values []record) {
			for i := range values {
				total += values[i].Bytes
			}
		})
	})
}

func BenchmarkRecordField(b *testing.B) {
	s, twin := records(b)
	total := uint64(0)
	s.beside(million, "total = 0\nfor v in m.values(): total += v.bytes\nreturn total", func() error {
		return each(twin, func(_ []uint32, values []record) {
			for i := range values {
				total += values[i].Bytes
			}
		})
	})
}

func BenchmarkCopy(b *testing.B) {
	s, twin := flows(b)
	s.run("other = create(like=m)")
	other := s.twin("other")
	s.beside(million, "return other.update_batch(m.lookup_batch())", func() error {
		var failed error
		err := each(twin, func(keys []uint32, values []uint64) {
			if _, err := other.BatchUpdate(keys, values, nil); err != nil {
				failed = err
			}
		})
		return errors.Join(err, failed)
	})
}

func BenchmarkUpdateBatch(b *testing.B) {
	s, twin := flows(b)
	s.run("pairs = [(n, n) for n in range(1000000)]")
	keys, values := make([]uint32, million), make([]uint64, million)
	for i := range keys {
		keys[i], values[i] = uint32(i), uint64(i)
	}
	s.beside(million, "return m.update_batch(pairs)", func() error {
		for at := 0; at < million; at += 1 << 14 {
			end := min(million, at+1<<14)
			if _, err := twin.BatchUpdate(keys[at:end], values[at:end], nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// call is the system call itself, for keys from 0 on.
func call(cmd, n int, twin *ebpf.Map) func() error {
	key, value := new(uint32), new(uint64)
	attr := struct {
		fd, _      uint32
		key, value unsafe.Pointer
		flags      uint64
	}{fd: uint32(twin.FD()), key: unsafe.Pointer(key), value: unsafe.Pointer(value)}
	return func() error {
		for i := range n {
			*key, *value = uint32(i), uint64(i)
			if _, _, errno := unix.Syscall(unix.SYS_BPF, uintptr(cmd), uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr)); errno != 0 {
				return errno
			}
		}
		return nil
	}
}

func BenchmarkElement(b *testing.B) {
	const n = 100_000
	for _, op := range []struct {
		name, code string
		cmd        int
	}{
		{"set", "m[i] = i", unix.BPF_MAP_UPDATE_ELEM},
		{"get", "x = m[i]", unix.BPF_MAP_LOOKUP_ELEM},
		{"update", "m.update(i, i)", unix.BPF_MAP_UPDATE_ELEM},
	} {
		b.Run(op.name, func(b *testing.B) {
			s := newBench(b)
			s.run("m = create('hash', key='u32', value='u64', max_entries=100000)\nm.update_batch({n: n for n in range(100000)})")
			s.beside(n, "for i in range(100000): "+op.code, call(op.cmd, n, s.twin("m")))
		})
	}
}

func BenchmarkPerCPUSum(b *testing.B) {
	const n = 200_000
	s := newBench(b)
	s.run("m = create('percpu_hash', key='u32', value='u64', max_entries=200000, flags=BPF_F_NO_PREALLOC)\nm.update_batch({n: [n % 100] * cpus() for n in range(200000)})")
	twin := s.twin("m")
	cpus, err := ebpf.PossibleCPU()
	if err != nil {
		b.Fatal(err)
	}
	total := uint64(0)
	s.beside(n, "total = 0\nfor k, v in m.items(): total += v.sum()\nreturn total", func() error {
		const size = 4096
		keys, values := make([]uint32, size), make([]uint64, size*cpus)
		var cur ebpf.MapBatchCursor
		for {
			n, err := twin.BatchLookup(&cur, keys, values, nil)
			for i := range n {
				sum := uint64(0)
				for _, v := range values[i*cpus : (i+1)*cpus] {
					sum += v
				}
				total += sum
			}
			if errors.Is(err, ebpf.ErrKeyNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
		}
	})
}

func BenchmarkBlockList(b *testing.B) {
	const n = 200_000
	path := filepath.Join(b.TempDir(), "list")
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "%d.%d.%d.0/24\n", 1+i>>16, i>>8&255, i&255)
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	s := newBench(b)
	s.run(fmt.Sprintf("path = %q\nm = create('lpm_trie', key='cidr4', value='u32', max_entries=200000)\nm2 = create(like=m)", path))
	twin := s.twin("m2")
	type prefix struct {
		Len  uint32
		Addr [4]byte
	}
	s.beside(n, "return m.update_batch([(line, 1) for line in lines(path)])", func() error {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		keys, values := make([]prefix, 0, 4096), slices.Repeat([]uint32{1}, 4096)
		flush := func() error {
			_, err := twin.BatchUpdate(keys, values[:len(keys)], nil)
			keys = keys[:0]
			return err
		}
		for line := range strings.Lines(string(data)) {
			p, err := netip.ParsePrefix(strings.TrimSpace(line))
			if err != nil {
				return err
			}
			keys = append(keys, prefix{uint32(p.Bits()), p.Addr().As4()})
			if len(keys) == cap(keys) {
				if err := flush(); err != nil {
					return err
				}
			}
		}
		return flush()
	})
}

func BenchmarkTop(b *testing.B) {
	s, twin := records(b)
	s.beside(million, "return top(m.items(), 10, by='bytes')", func() error {
		type entry struct {
			key   uint32
			value record
		}
		var best []entry
		return each(twin, func(keys []uint32, values []record) {
			for i := range values {
				if len(best) == 10 && values[i].Bytes <= best[9].value.Bytes {
					continue
				}
				best = append(best, entry{keys[i], values[i]})
				sort.SliceStable(best, func(i, j int) bool { return best[i].value.Bytes > best[j].value.Bytes })
				best = best[:min(10, len(best))]
			}
		})
	})
}

func BenchmarkHist(b *testing.B) {
	s, twin := flows(b)
	var counts [65]uint64
	s.beside(million, "return hist(m)", func() error {
		return each(twin, func(_ []uint32, values []uint64) {
			for _, v := range values {
				counts[bits.Len64(v)]++
			}
		})
	})
}

// BenchmarkWatch is a look at a million counters, of which it shows twenty, and the rates of all. Its twin remembers them
// in a map of their keys.
func BenchmarkWatch(b *testing.B) {
	s, twin := flows(b)
	before, now := map[uint32]uint64{}, map[uint32]uint64{}
	look := func() error {
		before, now = now, before
		clear(now)
		grown := uint64(0)
		return each(twin, func(keys []uint32, values []uint64) {
			for i, key := range keys {
				grown += values[i] - before[key]
				now[key] = values[i]
			}
		})
	}
	s.beside(2*million, "watch(m, every='50ms', max=2, format='jsonl')", func() error { return errors.Join(look(), look()) })
}
