package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"golang.org/x/sys/unix"
)

func goOn(int) error { return nil }

// bulk is a row of TestBulk: what is done to a map that has some entries, and what is in it then.
type bulk struct {
	name      string
	typ       string
	keySize   uint32
	valueSize uint32
	max       uint32
	had       [][]byte
	frozen    bool
	do        func(m engine.Map) engine.Outcome
	want      engine.Outcome
	left      [][]byte // with their places in had or in the update as values; nil is not looked at
}

func update(flags uint64, keys ...[]byte) func(engine.Map) engine.Outcome {
	return func(m engine.Map) engine.Outcome {
		return engine.UpdateAll(m, flat(keys), values(m, len(keys)), len(keys), flags, goOn)
	}
}

// devices puts interfaces under 0, 1 and so on. 1 is lo in every network namespace.
func devices(index ...int) func(engine.Map) engine.Outcome {
	return func(m engine.Map) engine.Outcome {
		var values []byte
		for _, i := range index {
			values = append(values, number(i)...)
		}
		return engine.UpdateAll(m, flat(numbers(0, len(index))), values, len(index), unix.BPF_ANY, goOn)
	}
}

func remove(missingOK bool, keys ...[]byte) func(engine.Map) engine.Outcome {
	return func(m engine.Map) engine.Outcome {
		return engine.DeleteAll(m, flat(keys), len(keys), missingOK, goOn)
	}
}

func outcome(done, at int, err error) engine.Outcome {
	return engine.Outcome{Done: done, At: at, Err: err}
}

var (
	five  = numbers(0, 5)
	nets  = [][]byte{prefix(8, 10<<24), prefix(16, 10<<24), prefix(33, 10<<24), prefix(24, 10<<24)}
	gappy = [][]byte{number(0), number(1), number(77), number(3), number(4)}
)

var bulks = []bulk{
	{"all", "hash", 4, 8, 10, nil, false, update(unix.BPF_ANY, five...), outcome(5, 5, nil), five},
	{"none", "hash", 4, 8, 10, nil, false, update(unix.BPF_ANY), outcome(0, 0, nil), nil},
	{"room for three", "hash", 4, 8, 3, nil, false, update(unix.BPF_ANY, five...), outcome(3, 3, unix.E2BIG), five[:3]},
	{"room for three new ones", "hash", 4, 8, 3, nil, false, update(unix.BPF_NOEXIST, five...), outcome(3, 3, unix.E2BIG), five[:3]},
	{"room for three prefixes", "lpm_trie", 8, 8, 3, nil, false, update(unix.BPF_ANY, prefixes(5)...), outcome(3, 3, unix.ENOSPC), prefixes(5)[:3]},
	{"third is past the end", "array", 4, 8, 4, nil, false, update(unix.BPF_ANY, number(0), number(1), number(9), number(2)), outcome(2, 2, unix.E2BIG), nil},
	{"third is there already", "hash", 4, 8, 10, [][]byte{number(2)}, false, update(unix.BPF_NOEXIST, five...), outcome(2, 2, unix.EEXIST), nil},
	{"third is not there", "hash", 4, 8, 10, [][]byte{number(0), number(1), number(3)}, false, update(unix.BPF_EXIST, five...), outcome(2, 2, unix.ENOENT), nil},
	{"all are there", "hash", 4, 8, 10, five, false, update(unix.BPF_EXIST, five...), outcome(5, 5, nil), five},
	{"indexes are never new", "array", 4, 8, 10, nil, false, update(unix.BPF_NOEXIST, five...), outcome(0, 0, unix.EEXIST), nil},
	{"an unknown flag", "hash", 4, 8, 10, nil, false, update(1<<20, five...), outcome(0, 0, unix.EINVAL), nil},
	{"a lock without one", "hash", 4, 8, 10, nil, false, update(unix.BPF_F_LOCK, five...), outcome(0, 0, unix.EINVAL), nil},
	{"third prefix is too long", "lpm_trie", 8, 8, 10, nil, false, update(unix.BPF_ANY, nets...), outcome(2, 2, unix.EINVAL), nets[:2]},
	{"first prefix is too long", "lpm_trie", 8, 8, 10, nil, false, update(unix.BPF_ANY, nets[2], nets[0]), outcome(0, 0, unix.EINVAL), nil},
	{"every CPU", "percpu_hash", 4, 4, 10, nil, false, update(unix.BPF_ANY, five...), outcome(5, 5, nil), five},
	{"frozen", "hash", 4, 8, 10, five, true, update(unix.BPF_ANY, five...), outcome(0, 0, unix.EPERM), five},
	{"frozen, new ones", "hash", 4, 8, 10, five, true, update(unix.BPF_NOEXIST, number(7), number(8)), outcome(0, 0, unix.EPERM), five},
	{"no batches", "devmap_hash", 4, 4, 10, nil, false, devices(1, 1, 1), outcome(3, 3, nil), nil},
	{"no batches, no such interface", "devmap_hash", 4, 4, 10, nil, false, devices(1, 1, 1<<30, 1), outcome(2, 2, unix.EINVAL), nil},

	{"delete all", "hash", 4, 8, 10, five, false, remove(false, five...), outcome(5, 5, nil), [][]byte{}},
	{"delete, third is missing", "hash", 4, 8, 10, five, false, remove(false, gappy...), outcome(2, 2, unix.ENOENT), nil},
	{"delete, missing ones are passed over", "hash", 4, 8, 10, five, false, remove(true, gappy...), outcome(4, 5, nil), nil},
	{"delete, all are missing", "hash", 4, 8, 10, nil, false, remove(true, gappy...), outcome(0, 5, nil), [][]byte{}},
	{"delete, the last is missing", "hash", 4, 8, 10, five, false, remove(true, number(0), number(77)), outcome(1, 2, nil), nil},
	{"delete from an array", "array", 4, 8, 10, five, false, remove(false, five...), outcome(0, 0, unix.EINVAL), nil},
	{"delete from an array, missing or not", "array", 4, 8, 10, five, false, remove(true, five...), outcome(0, 0, unix.EINVAL), nil},
	{"delete prefixes", "lpm_trie", 8, 8, 10, prefixes(4), false, remove(false, prefixes(4)[:2]...), outcome(2, 2, nil), nil},
	{"delete, third prefix is too long", "lpm_trie", 8, 8, 10, nets[:2], false, remove(false, nets...), outcome(2, 2, unix.EINVAL), [][]byte{}},
	{"delete without batches", "devmap_hash", 4, 4, 10, nil, false, remove(true, five...), outcome(0, 5, nil), [][]byte{}},
	{"delete without batches, first is missing", "devmap_hash", 4, 4, 10, nil, false, remove(false, five...), outcome(0, 0, unix.ENOENT), nil},
	{"delete from a frozen map", "hash", 4, 8, 10, five, true, remove(true, five...), outcome(0, 0, unix.EPERM), five},
}

// Each row has the same outcome on a kernel without batches.
func TestBulk(t *testing.T) {
	for _, c := range bulks {
		for _, batches := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s %s batches %v", c.typ, c.name, batches), func(t *testing.T) {
				m := kerneltest.Map(t, kerneltest.Engine(t), engine.Spec{Type: kerneltest.Type(t, c.typ), KeySize: c.keySize, ValueSize: c.valueSize, MaxEntries: c.max})
				put(t, m, c.had)
				if c.frozen {
					if err := m.Freeze(); err != nil {
						t.Fatal(err)
					}
				}
				var writer engine.Map = strict{m, t}
				if !batches {
					writer = noWriteBatches{m}
				}
				got := c.do(writer)
				if got.Done != c.want.Done || got.At != c.want.At || !errors.Is(got.Err, c.want.Err) {
					t.Errorf("done %d, at %d, %v; want %d, %d, %v", got.Done, got.At, got.Err, c.want.Done, c.want.At, c.want.Err)
				}
				if c.left != nil {
					entries, _ := contents(t, engine.NewWalk(m, 0), m)
					compare(t, m, entries, c.left)
				}
			})
		}
	}
}

// strict is a map whose batches are not asked for what no kernel does.
type strict struct {
	engine.Map
	t *testing.T
}

func (m strict) UpdateBatch(keys, values []byte, n int, flags uint64) (int, error) {
	if flags&(unix.BPF_NOEXIST|unix.BPF_EXIST) != 0 {
		m.t.Errorf("a batch with flags %#x", flags)
	}
	return m.Map.UpdateBatch(keys, values, n, flags)
}

// noWriteBatches is a map of a kernel before Linux 5.6.
type noWriteBatches struct{ engine.Map }

func (m noWriteBatches) UpdateBatch([]byte, []byte, int, uint64) (int, error) { return 0, unix.EINVAL }
func (m noWriteBatches) DeleteBatch([]byte, int) (int, error)                 { return 0, unix.EINVAL }

// Behind what stopped a deletion, nothing is touched.
func TestDeleteStops(t *testing.T) {
	m := kerneltest.Map(t, kerneltest.Engine(t), engine.Spec{Type: kerneltest.Type(t, "hash"), KeySize: 4, ValueSize: 8, MaxEntries: 10})
	put(t, m, five)
	remove(false, gappy...)(m)
	entries, _ := contents(t, engine.NewWalk(m, 0), m)
	for i, want := range []bool{false, false, true, true, true} {
		if _, there := entries[string(number(i))]; there != want {
			t.Errorf("key %d is there: %v, want %v", i, there, want)
		}
	}
}

// TestDeleteTellsPlaces counts keys that are passed over among those that are behind.
func TestDeleteTellsPlaces(t *testing.T) {
	m := kerneltest.Map(t, kerneltest.Engine(t), engine.Spec{Type: kerneltest.Type(t, "hash"), KeySize: 4, ValueSize: 8, MaxEntries: 10})
	put(t, m, five)
	var told []int
	out := engine.DeleteAll(m, flat(gappy), len(gappy), true, func(at int) error { told = append(told, at); return nil })
	if want := []int{0, 3}; out != outcome(4, 5, nil) || !slices.Equal(told, want) {
		t.Errorf("got %+v, told %v, want %v", out, told, want)
	}
}

// counted counts the system calls for many entries, and the largest of them.
type counted struct {
	engine.Map
	calls, most *int
}

func (m counted) UpdateBatch(keys, values []byte, n int, flags uint64) (int, error) {
	*m.calls, *m.most = *m.calls+1, max(*m.most, n)
	return m.Map.UpdateBatch(keys, values, n, flags)
}

func TestBulkIsCut(t *testing.T) {
	const million, calls, enough = 1 << 20, 10, 7
	stopped := errors.New("stopped")
	for _, batches := range []bool{true, false} {
		t.Run(fmt.Sprint("batches ", batches), func(t *testing.T) {
			m := kerneltest.Map(t, kerneltest.Engine(t), engine.Spec{Type: kerneltest.Type(t, "array"), KeySize: 4, ValueSize: 1, MaxEntries: million})
			count := counted{m, new(int), new(int)}
			keys, ones := flat(numbers(0, million)), make([]byte, million)
			for i := range ones {
				ones[i] = 1
			}
			var writer engine.Map = count
			if !batches {
				writer = noWriteBatches{m}
			}
			asked := 0
			behind := 0
			ask := func(at int) error {
				if asked++; at < behind || at >= million || at > 0 && at == behind {
					t.Fatalf("asked at entry %d after entry %d", at, behind)
				}
				behind = at
				return nil
			}
			if out := engine.UpdateAll(writer, keys, ones, million, 0, ask); out != outcome(million, million, nil) {
				t.Errorf("got %+v, want all of %d", out, million)
			}
			if asked < calls || batches && (asked != *count.calls || *count.most > 1<<16) {
				t.Errorf("asked %d times whether to stop, for %d calls of at most %d entries", asked, *count.calls, *count.most)
			}

			twos, asked := make([]byte, million), 0
			for i := range twos {
				twos[i] = 2
			}
			out := engine.UpdateAll(writer, keys, twos, million, 0, func(int) error {
				if asked++; asked > enough {
					return stopped
				}
				return nil
			})
			if out.Err != stopped || out.Done != out.At || out.Done == 0 || out.Done == million {
				t.Errorf("got %+v, want %v after a part", out, stopped)
			}
			written, w := 0, engine.NewWalk(m, 0)
			for b, err := w.Next(); err == nil; b, err = w.Next() {
				for _, v := range b.Values {
					if v == 2 {
						written++
					}
				}
			}
			if written != out.Done {
				t.Errorf("%d entries are said to be written, %d are", out.Done, written)
			}
		})
	}
}

func TestBatchLimit(t *testing.T) {
	for _, c := range []struct {
		info engine.Info
		size int
		want int
	}{
		{engine.Info{KeySize: 4, ValueSize: 8}, 1 << 20, 1 << 16},
		{engine.Info{KeySize: 4, ValueSize: 8}, 100, 100},
		{engine.Info{KeySize: 4, ValueSize: 1 << 20}, 1 << 20, 7},
		{engine.Info{KeySize: 4, ValueSize: 1 << 24}, 100, 1},
		{engine.Info{KeySize: 4, ValueSize: 4, CPUs: 1 << 10}, 1 << 20, 1023},
		{engine.Info{}, 100, 100},
	} {
		t.Run(fmt.Sprintf("%d+%d %d", c.info.KeySize, c.info.Stride(), c.size), func(t *testing.T) {
			if got := engine.BatchLimit(&c.info, c.size); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}
