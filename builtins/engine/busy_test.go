package engine_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"golang.org/x/sys/unix"
)

// A loop that removes or overwrites what it is given makes the kernel start over again and again. It still gets
// every entry once.
func TestWalkChangedByTheLoop(t *testing.T) {
	change := map[string]func(m engine.Map, key []byte, i int) error{
		"delete all": func(m engine.Map, key []byte, i int) error { return m.Delete(key) },
		"overwrite":  func(m engine.Map, key []byte, i int) error { return m.Update(key, value(m.Info(), i), 0) },
		"delete third": func(m engine.Map, key []byte, i int) error {
			if i%3 != 0 {
				return nil
			}
			return m.Delete(key)
		},
		"delete and add": func(m engine.Map, key []byte, i int) error {
			return errors.Join(m.Delete(key), m.Update(key, value(m.Info(), i), 0))
		},
	}
	for _, typ := range []string{"hash", "lru_hash", "lpm_trie"} {
		for _, oneByOne := range []bool{false, true} {
			for name, change := range change {
				t.Run(fmt.Sprintf("%s one by one %v %s", typ, oneByOne, name), func(t *testing.T) {
					e := kerneltest.Engine(t)
					m := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, typ), KeySize: 8, ValueSize: 8, MaxEntries: 10000})
					keys := prefixes(1000)
					put(t, m, keys)
					var reader engine.Map = m
					if oneByOne {
						reader = noBatches{m, notSupported}
					}
					got, w := map[string]string{}, engine.NewWalk(reader, 2)
					b, err := w.Next()
					for ; err == nil; b, err = w.Next() {
						take(t, m, b, got)
						for i := range b.N {
							if err := change(m, b.Keys[8*i:8*i+8], len(got)+i); err != nil {
								t.Fatal(err)
							}
						}
					}
					if err != io.EOF || len(got) != len(keys) {
						t.Errorf("%d of %d entries, then %v", len(got), len(keys), err)
					}
				})
			}
		}
	}
}

// A map in which the next key is the first again and again is given up.
func TestWalkBusy(t *testing.T) {
	for _, typ := range []string{"hash", "lpm_trie"} {
		t.Run(typ, func(t *testing.T) {
			m := kerneltest.Map(t, kerneltest.Engine(t), engine.Spec{Type: kerneltest.Type(t, typ), KeySize: 8, ValueSize: 8, MaxEntries: 100})
			put(t, m, prefixes(10))
			w, n := engine.NewWalk(forgetful{noBatches{m, unix.EINVAL}, new(int)}, 0), 0
			for {
				b, err := w.Next()
				if n += b.N; err == nil {
					continue
				}
				if err != engine.ErrBusy {
					t.Errorf("after %d entries: %v, want %v", n, err, engine.ErrBusy)
				}
				return
			}
		})
	}
}

// forgetful is a map that starts over at every third key.
type forgetful struct {
	engine.Map
	calls *int
}

func (m forgetful) NextKey(key, next []byte) error {
	if *m.calls++; *m.calls%3 == 0 {
		key = nil
	}
	return m.Map.NextKey(key, next)
}

// The kernel may start over in the middle of one batch of a trie, too.
func TestWalkTrieStartsOver(t *testing.T) {
	m := kerneltest.Map(t, kerneltest.Engine(t), engine.Spec{Type: kerneltest.Type(t, "lpm_trie"), KeySize: 8, ValueSize: 4, MaxEntries: 100})
	keys := prefixes(40)
	put(t, m, keys)
	got, _ := contents(t, engine.NewWalk(twice{m}, 64), m)
	compare(t, m, got, keys)
}

// twice is a trie that starts over after 10 entries of a batch.
type twice struct{ engine.Map }

func (m twice) LookupBatch(cur *engine.Cursor, keys, values []byte, n int) (int, error) {
	if _, err := m.Map.LookupBatch(cur, keys, values, 10); err != nil {
		return 0, err
	}
	*cur = engine.Cursor{}
	n, err := m.Map.LookupBatch(cur, keys[10*8:], values[10*4:], n-10)
	return 10 + n, err
}

// churn inserts and deletes keys at full speed, through a handle of its own, until the test calls stop.
func churn(t *testing.T, e engine.Engine, m engine.Map, keys [][]byte) (stop func()) {
	t.Helper()
	own, err := e.OpenID(m.Info().ID, false)
	if err != nil {
		t.Fatal(err)
	}
	end, ended := make(chan bool), make(chan bool)
	go func() {
		defer close(ended)
		defer own.Close()
		v := make([]byte, m.Info().Stride())
		for {
			select {
			case <-end:
				return
			default:
			}
			for range 100 {
				key := keys[rand.N(len(keys))]
				if own.Delete(key) != nil {
					own.Update(key, v, 0)
				}
			}
		}
	}()
	return func() {
		close(end)
		<-ended
	}
}

func TestWalkUnderChurn(t *testing.T) {
	const all, stay, walks = 10000, 1000, 20
	for _, c := range []struct {
		typ      string
		oneByOne bool
		mayMiss  int // the kernel's step through a trie has a race
	}{{"hash", false, 0}, {"lpm_trie", false, 100}, {"lpm_trie", true, 100}} {
		t.Run(fmt.Sprintf("%s one by one %v", c.typ, c.oneByOne), func(t *testing.T) {
			e := kerneltest.Engine(t)
			m := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, c.typ), KeySize: 8, ValueSize: 8, MaxEntries: all})
			keys := prefixes(all)
			rand.Shuffle(all, func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
			put(t, m, keys)
			var reader engine.Map = m
			if c.oneByOne {
				reader = noBatches{m, notSupported}
			}
			defer churn(t, e, m, keys[stay:])()
			missed := 0
			for range walks {
				got, _ := contents(t, engine.NewWalk(reader, 0), m)
				for i, key := range keys[:stay] {
					switch v, came := got[string(key)]; {
					case !came:
						missed++
					case v != string(value(m.Info(), i)):
						t.Fatalf("under %x: %x, want %x", key, v, value(m.Info(), i))
					}
				}
			}
			if missed > c.mayMiss {
				t.Errorf("keys that stayed were missed %d times in %d walks, want at most %d", missed, walks, c.mayMiss)
			}
		})
	}
}

// The key that a walk goes on from is deleted by somebody else before each step.
func TestWalkLosesItsPlace(t *testing.T) {
	for _, oneByOne := range []bool{false, true} {
		t.Run(fmt.Sprintf("one by one %v", oneByOne), func(t *testing.T) {
			m := kerneltest.Map(t, kerneltest.Engine(t), engine.Spec{Type: kerneltest.Type(t, "lpm_trie"), KeySize: 8, ValueSize: 4, MaxEntries: 1000})
			keys := prefixes(600)
			put(t, m, keys)
			var reader engine.Map = m
			if oneByOne {
				reader = noBatches{m, unix.EINVAL}
			}
			got, w := map[string]string{}, engine.NewWalk(reader, 3)
			b, err := w.Next()
			for ; err == nil; b, err = w.Next() {
				take(t, m, b, got)
				if err := m.Delete(b.Keys[len(b.Keys)-8:]); err != nil {
					t.Fatal(err)
				}
			}
			if err != io.EOF {
				t.Error(err)
			}
			compare(t, m, got, keys)
		})
	}
}
