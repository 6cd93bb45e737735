package builtins_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"bpfsh/builtins"
	"bpfsh/builtins/engine/memory"
	"bpfsh/runtime"
)

// TestColumns adds up and compares integers of every kind without making values of them: it comes to the same as a
// script does, one by one.
func TestColumns(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for _, typ := range []string{"u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "be16", "be32", "be64", "u128", "hex(u32)", "bool", "ipv4"} {
		t.Run(typ, func(t *testing.T) {
			library := builtins.New(&memory.Engine{}, nil)
			defer library.Close()
			var entries []string
			for i := range 50 {
				raw := make([]string, 24)
				for j := range raw {
					raw[j] = fmt.Sprintf("%02x", []int{0, 255, 127, 128, random.IntN(256)}[random.IntN(5)])
				}
				entries = append(entries, fmt.Sprintf("%d: unhex(%q)", i, strings.Join(raw, "")))
			}
			script := `
T = typeof("struct { u8 before; ` + typ + ` n; u8 behind; } __attribute__((packed))")
m = create("hash", key="u32", value=T, max_entries=64)
m.update_batch({key: raw[:T.size] for key, raw in {` + strings.Join(entries, ", ") + `}.items()})
plain = create("hash", key="` + typ + `", value="` + typ + `", max_entries=64)
plain.update_batch({flow.n: flow.n for flow in m.values()})

def same(what, a, b):
    if str(a[0]) != str(b[0]) or (a[1] == None) != (b[1] == None):
        fail("%s: %s and %s, by hand %s and %s" % (what, a[0], a[1], b[0], b[1]))

same("sum", catch(sum, m.values(), by="n"), catch(sum, m.values(), by=lambda flow: flow.n))
same("sum of items", catch(sum, m.items(), by="n"), catch(sum, m.items(), by=lambda item: item[1].n))
same("sum of keys", catch(sum, plain.keys()), catch(sum, list(plain.keys())))
same("sum of a map", catch(sum, plain), catch(sum, list(plain)))
same("sum of values", catch(sum, plain.values()), catch(sum, list(plain.values())))
counts = lambda got: ([i for i in got[0]] if got[0] != None else None, got[1])
same("hist", counts(catch(hist, m, by="n")), counts(catch(hist, list(m.items()), by="n")))
same("hist of values", counts(catch(hist, plain)), counts(catch(hist, list(plain.values()))))

outer = create("percpu_hash", key="u32", value="struct { u16 before; struct { ` + typ + ` n; } in; }", max_entries=64)
outer.update_batch({key: [(key, (flow.n,)) for cpu in range(cpus())] for key, flow in m.items()})
total = lambda entry: entry[1].sum()["in"].n
same("sum of CPUs", catch(sum, outer.items(), by="in.n"), catch(sum, list(outer.items()), by=total))
same("hist of CPUs", counts(catch(hist, outer, by="in.n")), counts(catch(hist, list(outer.items()), by=total)))
same("top of CPUs", ([total(e) for e in (catch(top, outer, 4, by="in.n")[0] or [])], None), ([total(e) for e in (catch(top, list(outer.items()), 4, by=total)[0] or [])], None))
same("percpu", (str(catch(percpu, outer, by="in.n")[0]), None), (str(catch(percpu, outer.items(), by=lambda v: v["in"].n)[0]), None))
for n in [1, 3, 50, 100]:
    # The walk's order decides among equals, which look the same here.
    pick = lambda flow: flow.n
    fast, slow = catch(top, m.values(), n, by="n"), catch(top, m.values(), n, by=pick)
    same("top", ([f.n for f in fast[0] or []], fast[1]), ([f.n for f in slow[0] or []], slow[1]))
    same("top of keys", catch(top, plain.keys(), n), catch(top, list(plain.keys()), n))
    same("top of pairs", ([v.n for k, v in (catch(top, m, n, by="n")[0] or [])], fast[1]), ([f.n for f in slow[0] or []], slow[1]))
    same("top of items", catch(top, [v for k, v in plain.items()], n), catch(top, plain.values(), n))
`
			if err := runtime.New(runtime.Config{Predeclared: library.Predeclared()}).Run("columns.star", []byte(script)); err != nil {
				t.Error(err)
			}
		})
	}
}
