package builtins_test

import (
	"fmt"
	"testing"

	"bpfsh/builtins"
	"bpfsh/builtins/engine/memory"
	"bpfsh/runtime"
)

// TestElementsStay keeps elements of loops over maps of every kind of value: none changes while the loop goes on, nor
// when the map is written to, whichever share their memory.
func TestElementsStay(t *testing.T) {
	for _, test := range []struct {
		typ, value, make string
		n                int
	}{
		{"hash", "struct { u32 a; u64 b; }", "(n, n << 33)", 9000},
		{"hash", "struct { u32 a; bytes[6000] b; }", "(n, bytes([n % 256] * 6000))", 300},
		{"percpu_hash", "u64", "[n] * cpus()", 60000},
		{"percpu_hash", "struct { u32 a; u32 b; }", "[(n, n)] * cpus()", 9000},
		{"array", "struct { u8 a[3]; }", "((n % 256, 2, 3),)", 9000},
		{"hash", "u64", "n << 33", 9000},
		{"hash", "char[16]", "str(n)", 300},
	} {
		t.Run(test.typ+" "+test.value, func(t *testing.T) {
			library := builtins.New(&memory.Engine{}, nil)
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
