package builtins_test

import (
	"fmt"
	"testing"

	"bpfsh/builtins"
	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/memory"
	"bpfsh/runtime"
)

// few is an engine whose maps give few entries at a time.
type few struct{ engine.Engine }

func (e few) Create(spec engine.Spec) (engine.Map, error) {
	m, err := e.Engine.Create(spec)
	return fewMap{m}, err
}

type fewMap struct{ engine.Map }

func (m fewMap) LookupBatch(cur *engine.Cursor, keys, values []byte, n int) (int, error) {
	return m.Map.LookupBatch(cur, keys, values, min(n, 50))
}

// TestElementsStay keeps elements of loops over maps of every kind of value: none changes while the loop goes on, nor
// when the map is written to, whichever share their memory.
func TestElementsStay(t *testing.T) {
	for _, test := range []struct {
		typ, value, make string
		n                int
		engine           engine.Engine
	}{
		{"hash", "struct { u32 a; u64 b; }", "(n, n << 33)", 9000, &memory.Engine{}},
		{"hash", "struct { u32 a; bytes[6000] b; }", "(n, bytes([n % 256] * 6000))", 300, &memory.Engine{}},
		{"percpu_hash", "u64", "[n] * cpus()", 60000, &memory.Engine{}},
		{"percpu_hash", "struct { u32 a; u32 b; }", "[(n, n)] * cpus()", 9000, &memory.Engine{}},
		{"array", "struct { u8 a[3]; }", "((n % 256, 2, 3),)", 9000, &memory.Engine{}},
		{"hash", "u64", "n << 33", 9000, &memory.Engine{}},
		{"hash", "char[16]", "str(n)", 300, &memory.Engine{}},
		{"percpu_hash", "u64", "[n] * cpus()", 300, few{&memory.Engine{}}},
	} {
		t.Run(test.typ+" "+test.value, func(t *testing.T) {
			library := builtins.New(test.engine, nil)
			defer library.Close()
			script := fmt.Sprintf(`
def make(n): return %s
m = create(%q, key="u32", value=%q, max_entries=%d)
N = m.max_entries
for n in range(N): m[n] = make(n)
T = [m[n] for n in range(N)]
values, items, tops = list(m.values()), list(m.items()), top(m.items(), 150, by=lambda item: item[0])
by_key = {}
for k, v in m.items():
    m[k] = make(0)
    by_key[k] = v
for n in range(N): m[n] = make(7)
for k, v in items + tops + by_key.items():
    v == T[k] or fail("%%d: %%s is not %%s" %% (k, v, T[k]))
len(items) == N and len(by_key) == N and len(tops) == 150 or fail("some are missing")
sorted([str(v) for v in values]) == sorted([str(v) for v in T]) or fail("values differ")
`, test.make, test.typ, test.value, test.n)
			if err := runtime.New(runtime.Config{Predeclared: library.Predeclared()}).Run("stay.star", []byte(script)); err != nil {
				t.Error(err)
			}
		})
	}
}
