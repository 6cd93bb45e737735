package engine_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"bpfsh/builtins/engine"
)

func hashInfo() *engine.Info { return &engine.Info{Type: 1, KeySize: 4, ValueSize: 2} }
func trieInfo() *engine.Info { return &engine.Info{Type: 11, KeySize: 8, ValueSize: 2} }

// TestEntries adds and looks for keys at random, beside one of Go's maps.
func TestEntries(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		e, model := engine.NewEntries(hashInfo(), 10), map[string]int{}
		for range 1 + random.IntN(500) {
			key := binary.NativeEndian.AppendUint32(nil, random.Uint32N(200))
			value := []byte{byte(random.Uint32()), byte(random.Uint32())}
			at, there := model[string(key)]
			switch random.IntN(3) {
			case 0:
				got, added := e.Add(key, value)
				if !there {
					at = len(model)
					model[string(key)] = at
				}
				if got != at || added == there {
					t.Fatalf("Add(%x) = %d, %t; there are %d, and it is there: %t", key, got, added, len(model), there)
				}
			case 1:
				if !there {
					e.Append(engine.Batch{Keys: key, Values: value, N: 1})
					model[string(key)] = len(model)
				}
			default:
				if !there {
					at = -1
				}
				if got := e.Find(key, random.IntN(300)); got != at {
					t.Fatalf("Find(%x) = %d, want %d of %d", key, got, at, len(model))
				}
			}
		}
		if e.N != len(model) {
			t.Fatalf("%d entries, want %d", e.N, len(model))
		}
		for key, at := range model {
			if got := string(e.Key(at)); got != key {
				t.Fatalf("key %d is %x, want %x", at, got, key)
			}
		}
	}
}

// TestEntriesOfTrie finds a prefix whatever is behind it, as the kernel does.
func TestEntriesOfTrie(t *testing.T) {
	prefix := func(bits uint32, address ...byte) []byte {
		return append(binary.NativeEndian.AppendUint32(nil, bits), address...)
	}
	e := engine.NewEntries(trieInfo(), 0)
	for i, key := range [][]byte{prefix(8, 10, 0, 0, 0), prefix(16, 10, 0, 0, 0), prefix(0, 0, 0, 0, 0), prefix(32, 10, 1, 2, 3), prefix(12, 10, 0x12, 0, 0)} {
		if at, added := e.Add(key, []byte{1, byte(i)}); at != i || !added {
			t.Fatalf("Add(%x) = %d, %t", key, at, added)
		}
	}
	for _, test := range []struct {
		key  []byte
		want int
	}{
		{prefix(8, 10, 9, 9, 9), 0}, {prefix(16, 10, 0, 9, 9), 1}, {prefix(16, 10, 9, 9, 9), -1}, {prefix(0, 1, 2, 3, 4), 2}, {prefix(32, 10, 1, 2, 3), 3},
		{prefix(32, 10, 1, 2, 4), -1}, {prefix(12, 10, 0x1f, 1, 1), 4}, {prefix(12, 10, 0x2f, 1, 1), -1}, {prefix(9, 10, 0, 0, 0), -1}, {prefix(99, 10, 0, 0, 0), -1},
	} {
		if got := e.Find(test.key, 0); got != test.want {
			t.Errorf("Find(%x) = %d, want %d", test.key, got, test.want)
		}
	}
}

// TestCompare finds at random what a comparison of Go's maps finds.
func TestCompare(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		var sets [2]*engine.Entries
		var models [2]map[string]string
		for i := range sets {
			sets[i], models[i] = engine.NewEntries(hashInfo(), 0), map[string]string{}
			for range random.IntN(60) {
				key := binary.NativeEndian.AppendUint32(nil, random.Uint32N(60))
				value := []byte{byte(random.IntN(3)), byte(random.IntN(3))}
				if _, added := sets[i].Add(key, value); added {
					models[i][string(key)] = string(value)
				}
			}
		}
		old, new := sets[0], sets[1]
		firstByte := func(a, b []byte) bool { return a[0] == b[0] }
		c, err := engine.Compare(old, new, firstByte, func() error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		var added, removed, changed, same int
		for key, value := range models[1] {
			switch before, there := models[0][key]; {
			case !there:
				added++
			case before[0] == value[0]:
				same++
			default:
				changed++
			}
		}
		for key := range models[0] {
			if _, there := models[1][key]; !there {
				removed++
			}
		}
		if len(c.Added) != added || len(c.Removed) != removed || len(c.Changed) != changed || c.Same != same {
			t.Fatalf("%d added, %d removed, %d changed, %d same; want %d, %d, %d, %d", len(c.Added), len(c.Removed), len(c.Changed), c.Same, added, removed, changed, same)
		}
		for _, at := range c.Added {
			if _, there := models[0][string(new.Key(int(at)))]; there {
				t.Errorf("%x is not new", new.Key(int(at)))
			}
		}
		for _, at := range c.Removed {
			if _, there := models[1][string(old.Key(int(at)))]; there {
				t.Errorf("%x is not gone", old.Key(int(at)))
			}
		}
		for _, p := range c.Changed {
			if !bytes.Equal(old.Key(int(p.Old)), new.Key(int(p.New))) || firstByte(old.Value(int(p.Old)), new.Value(int(p.New))) {
				t.Errorf("%x has not changed", new.Key(int(p.New)))
			}
		}
		if !slices.IsSorted(c.Added) || !slices.IsSorted(c.Removed) {
			t.Error("the places are not in order")
		}
	}
}

// TestCompareStops ends with the error that it is told.
func TestCompareStops(t *testing.T) {
	e := engine.NewEntries(hashInfo(), 0)
	for n := range uint32(1 << 16) {
		e.Append(engine.Batch{Keys: binary.NativeEndian.AppendUint32(nil, n), Values: []byte{0, 0}, N: 1})
	}
	stop, asked := errors.New("stop"), 0
	_, err := engine.Compare(e, e, nil, func() error {
		if asked++; asked == 3 {
			return stop
		}
		return nil
	})
	if err != stop || asked != 3 {
		t.Errorf("got %v after %d questions, want %v after 3", err, asked, stop)
	}
}
