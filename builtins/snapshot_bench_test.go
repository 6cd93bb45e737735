package builtins_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
)

// BenchmarkSnapshot keeps a million entries as bytes, beside a program that reads them into slices.
func BenchmarkSnapshot(b *testing.B) {
	s, twin := flows(b)
	var keys []uint32
	var values []uint64
	s.beside(million, "return snapshot(m)", func() error {
		keys, values = make([]uint32, 0, million), make([]uint64, 0, million)
		return each(twin, func(k []uint32, v []uint64) { keys, values = append(keys, k...), append(values, v...) })
	})
}

// BenchmarkSnapshotMemory says how many bytes a snapshot holds beyond those of its entries.
func BenchmarkSnapshotMemory(b *testing.B) {
	s, _ := flows(b)
	const entry = 4 + 8
	var before, after runtime.MemStats
	for b.Loop() {
		s.run("s = None")
		runtime.GC()
		runtime.ReadMemStats(&before)
		s.run("s = snapshot(m)")
		runtime.GC()
		runtime.ReadMemStats(&after)
	}
	held := float64(after.HeapAlloc) - float64(before.HeapAlloc)
	b.ReportMetric(held/million, "bytes/entry")
	b.ReportMetric(held/(million*entry), "ratio")
}

// apart is two snapshots of a million entries, a thousand of which differ, and their twins.
func apart(b *testing.B) (s *bench, old, new map[uint32]uint64) {
	b.Helper()
	s, twin := flows(b)
	read := func() map[uint32]uint64 {
		all := make(map[uint32]uint64, million)
		err := each(twin, func(keys []uint32, values []uint64) {
			for i, k := range keys {
				all[k] = values[i]
			}
		})
		if err != nil {
			b.Fatal(err)
		}
		return all
	}
	old = read()
	s.run("before = snapshot(m)\nm.update_batch({n: n + 1 for n in range(0, 1000000, 1000)})\nafter = snapshot(m)")
	return s, old, read()
}

// BenchmarkDiff compares two snapshots, beside a program that has them as Go's maps.
func BenchmarkDiff(b *testing.B) {
	s, old, new := apart(b)
	changed := 0
	s.beside(million, "return diff(before, after)", func() error {
		for k, v := range new {
			if w, ok := old[k]; !ok || v != w {
				changed++
			}
		}
		return nil
	})
}

// BenchmarkDiffOtherOrder is of maps with the same entries, whose hashes have them elsewhere.
func BenchmarkDiffOtherOrder(b *testing.B) {
	s, old, new := apart(b)
	s.run("copy = create(like=m)\ncopy.update_batch(after)\nother = snapshot(copy)")
	changed := 0
	s.beside(million, "return diff(before, other)", func() error {
		for k, v := range new {
			if w, ok := old[k]; !ok || v != w {
				changed++
			}
		}
		return nil
	})
}

// BenchmarkApply writes a thousand of a million entries, beside a program that reads them all and writes these.
func BenchmarkApply(b *testing.B) {
	s, old, _ := apart(b)
	twin := s.twin("m")
	turn := uint64(0)
	s.run("turn = [before, after]")
	s.beside(million, "turn.append(turn.pop(0))\nreturn apply(m, turn[0])", func() error {
		turn++
		var keys []uint32
		var values []uint64
		err := each(twin, func(k []uint32, v []uint64) {
			for i := range k {
				if want := old[k[i]]; v[i] != want || k[i]%1000 == 0 {
					keys, values = append(keys, k[i]), append(values, want+turn%2)
				}
			}
		})
		if err != nil {
			return err
		}
		_, err = twin.BatchUpdate(keys, values, &ebpf.BatchOptions{})
		return err
	})
}

// BenchmarkSave writes a million lines, and BenchmarkLoad reads them.
func BenchmarkSave(b *testing.B) {
	for _, name := range []string{"flows.jsonl", "flows.jsonl.gz"} {
		b.Run(name, func(b *testing.B) {
			s, twin := flows(b)
			b.Chdir(b.TempDir())
			s.run("s = snapshot(m)")
			s.beside(million, "s.save('"+name+"')", saved(twin))
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	for _, name := range []string{"flows.jsonl", "flows.jsonl.gz"} {
		b.Run(name, func(b *testing.B) {
			s, _ := flows(b)
			b.Chdir(b.TempDir())
			s.run("snapshot(m).save('" + name + "')")
			s.beside(million, "return load_snapshot('"+name+"')", loaded(name))
		})
	}
}

// line is an entry as encoding/json writes it.
type line struct {
	Key   uint32 `json:"key"`
	Value uint64 `json:"value"`
}

// saved writes entries with encoding/json, compressed or not makes no difference to the twin.
func saved(m *ebpf.Map) func() error {
	return func() (err error) {
		f, err := os.Create("twin.jsonl")
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		w := bufio.NewWriter(f)
		out := json.NewEncoder(w)
		err = each(m, func(keys []uint32, values []uint64) {
			for i := range keys {
				out.Encode(line{keys[i], values[i]}) // of numbers into a buffer, whose error Flush gives
			}
		})
		return errors.Join(err, w.Flush())
	}
}

// loaded reads the lines of a snapshot with encoding/json.
func loaded(name string) func() error {
	return func() error {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		var r io.Reader = bufio.NewReader(f)
		if strings.HasSuffix(name, ".gz") {
			if r, err = gzip.NewReader(r); err != nil {
				return err
			}
		}
		in := json.NewDecoder(r)
		values := map[uint32]uint64{}
		for {
			var l line
			if err := in.Decode(&l); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
			values[l.Key] = l.Value
		}
	}
}
