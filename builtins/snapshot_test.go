package builtins_test

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"golang.org/x/sys/unix"
)

// TestSnapshotUnderChurn takes snapshots of a hash and of a trie while others come and go at full speed: each of 1,000
// keys that stay is there, and none is there twice. Of a hash that is certain; a trie says that it is not, unless
// nothing came or went meanwhile.
func TestSnapshotUnderChurn(t *testing.T) {
	e := kerneltest.Engine(t)
	for _, test := range []struct {
		typ     string
		keySize uint32
		flags   uint32
		key     func(n uint32) []byte
		turns   int
		certain bool
	}{
		{"hash", 4, 0, func(n uint32) []byte { return binary.NativeEndian.AppendUint32(nil, n) }, 20, true},
		{"lpm_trie", 8, unix.BPF_F_NO_PREALLOC, func(n uint32) []byte {
			return binary.BigEndian.AppendUint32(binary.NativeEndian.AppendUint32(nil, 32), n)
		}, 5, false},
	} {
		t.Run(test.typ, func(t *testing.T) {
			m := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, test.typ), KeySize: test.keySize, ValueSize: 8, MaxEntries: 10000, Flags: test.flags})
			const stay = 1000
			var out string
			churned(t, e, m, stay, test.key, func() {
				out = script(t, strings.NewReplacer("ID", strconv.Itoa(int(m.Info().ID)), "TURNS", strconv.Itoa(test.turns)).Replace(`
m = open(ID)
certain = 0
def number(key):    # of "0.0.3.231/32" 999
    if type(key) == "int": return key
    parts = key[:-3].split(".")
    return 256 * int(parts[2]) + int(parts[3])
for turn in range(TURNS):
    s = snapshot(m)
    seen = {}
    for key, value in s.items():
        seen[key] = seen.get(key, 0) + 1
    kept = [k for k in seen if number(k) < 1000]
    twice = [k for k, n in seen.items() if n > 1]
    if len(kept) != 1000 or twice or len(seen) != len(s) or len(s) <= 1000:
        print("turn", turn, "kept", len(kept), "twice", twice[:5], "of", len(s), s.complete, s.restarts)
    if s.complete != (s.restarts == 0) and s.complete:
        print("turn", turn, "is complete after", s.restarts, "restarts")
    certain += int(s.complete)
print(certain)
`))
			})
			certain, err := strconv.Atoi(strings.TrimSpace(out))
			if err != nil {
				t.Fatal(out)
			}
			if test.certain != (certain == test.turns) {
				t.Errorf("%d of %d snapshots are certain, and all are to be: %t", certain, test.turns, test.certain)
			}
			t.Logf("%d of %d snapshots are certain", certain, test.turns)
		})
	}
}

// TestSnapshotHolds keeps what was read, whatever the map and the handle become.
func TestSnapshotHolds(t *testing.T) {
	kerneltest.Engine(t)
	out := script(t, `
m = create("hash", key="u32", value="struct { u64 a; u64 b; }", max_entries=70000)
m.update_batch({n: (n, 2 * n) for n in range(70000)})
s = snapshot(m)
m.clear()
m.close()
print(len(s), sum(s.values(), by="b"), s[69999].a, sorted(s.keys())[:3], all([s[k] == v for k, v in s.items()]))
`)
	if want := "70000 4899930000 69999 [0, 1, 2] True\n"; out != want {
		t.Errorf("got %s, want %s", out, want)
	}
}

// TestApplyUnderChurn makes a map equal to what is wanted while others come and go: what is wanted is there.
func TestApplyUnderChurn(t *testing.T) {
	e := kerneltest.Engine(t)
	m := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, "hash"), KeySize: 4, ValueSize: 8, MaxEntries: 20000})
	key := func(n uint32) []byte { return binary.NativeEndian.AppendUint32(nil, n) }
	churned(t, e, m, 1000, key, func() {
		out := script(t, fmt.Sprintf(`
m = open(%d)
for turn in range(20):
    apply(m, {n: turn for n in range(500, 1000)})
    wrong = [n for n in range(500, 1000) if m[n] != turn] + [n for n in range(500) if n in m]
    if wrong: print(turn, wrong[:5])
`, m.Info().ID))
		if out != "" {
			t.Error(out)
		}
	})
}
