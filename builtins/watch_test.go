package builtins_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"bpfsh/builtins"
	"bpfsh/builtins/engine/memory"
	"bpfsh/runtime"
	"bpfsh/runtime/render"
)

// look is a row that watch writes.
type look struct {
	Time  string
	Key   any
	Value float64
	Rate  *float64
	Note  *string
}

// watchLooks are the rows that a script's watch writes.
func watchLooks(t *testing.T, script string) (looks []look) {
	t.Helper()
	library := builtins.New(&memory.Engine{}, nil)
	defer library.Close()
	var out bytes.Buffer
	flushed := 0
	library.SetDisplay(builtins.Display{
		Out:     &out,
		Options: func() render.Options { return render.Options{Format: render.FormatJSONL} },
		Flush:   func() error { flushed++; return nil },
	})
	if err := runtime.New(runtime.Config{Predeclared: library.Predeclared()}).Run("watch.star", []byte(script)); err != nil {
		t.Fatal(err)
	}
	times := map[string]bool{}
	for line := range strings.Lines(out.String()) {
		var l look
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		looks = append(looks, l)
		times[l.Time] = true
	}
	if flushed < len(times) {
		t.Errorf("it was flushed %d times for %d looks", flushed, len(times))
	}
	return looks
}

// TestWatchOrder puts first what has most, or what grows fastest, of maps that are read in columns and of those that are
// not.
func TestWatchOrder(t *testing.T) {
	const grow = `
def grow(key):
    looks[0] += 1
    m[1], m[2], m[3] = 1000 + looks[0], 10 + 100 * looks[0], -1 - looks[0]
    return True
`
	for name, code := range map[string]string{
		"column":   "m = create('hash', key='u32', value='i64', max_entries=4)\ngrow(0)\nwatch(m, every='50ms', max=2, top=2, order=ORDER)",
		"function": "m = {}\nwatch(lambda: grow(0) and m, every='50ms', max=2, top=2, order=ORDER)",
		"by":       "m = create('hash', key='u32', value='i64', max_entries=4)\ngrow(0)\nwatch(m, every='50ms', max=2, top=2, order=ORDER, by=lambda e: grow(e[0]) and m[e[0]])",
	} {
		t.Run(name, func(t *testing.T) {
			for order, want := range map[string][]float64{"value": {1, 2}, "rate": {2, 1}} {
				looks := watchLooks(t, "looks = [0]\n"+grow+strings.ReplaceAll(code, "ORDER", "'"+order+"'"))
				if len(looks) != 4 {
					t.Fatalf("there are %d rows, want 4", len(looks))
				}
				if name == "column" { // whose numbers stand still
					want = []float64{1, 2}
				}
				for i, key := range append([]float64{1, 2}, want...) {
					if looks[i].Key != key {
						t.Errorf("%s: row %d is of %v, want %v", order, i, looks[i].Key, key)
					}
					if (looks[i].Rate != nil) != (i >= 2) || looks[i].Note != nil {
						t.Errorf("%s: row %d has the rate %v and the note %v", order, i, looks[i].Rate, looks[i].Note)
					}
				}
			}
		})
	}
}

// TestWatchFastest finds the one that grows fastest, whatever it is read behind.
func TestWatchFastest(t *testing.T) {
	for _, order := range []string{"range(5)", "[4, 3, 2, 1, 0]"} {
		looks := watchLooks(t, "n = [0]\nwatch(lambda: n.append(0) or {key: 1000 * key + len(n) * (5 - key) for key in "+order+"}, every='50ms', max=2, top=1, order='rate')")
		if len(looks) != 2 || looks[0].Key != 4.0 || looks[1].Key != 0.0 {
			t.Errorf("the rows are %+v", looks)
		}
	}
}

// TestWatchRates are of the time that has passed, and exact where floats are not.
func TestWatchRates(t *testing.T) {
	// A clock of nanoseconds grows by as many in a second, however long the looks take.
	looks := watchLooks(t, "watch(lambda: sleep('100ms') or ktime(), every='50ms', max=2)")
	if rate := looks[1].Rate; rate == nil || *rate < 0.3e9 || *rate > 3e9 {
		t.Fatalf("a clock of nanoseconds: %+v, %v", looks[1], rate)
	}
	for _, numbers := range []string{"[1 << 63, (1 << 63) + 1]", "[-(1 << 60), 1 - (1 << 60)]", "[(1 << 70) + 5, (1 << 70) + 6]", "[0.5, 1.5]"} {
		looks := watchLooks(t, "n = "+numbers+"\nwatch(lambda: n.pop(0), every='50ms', max=2)")
		if rate := looks[1].Rate; rate == nil || *rate > 1000 || *rate <= 0 { // of floats the difference would be 0, or thousands
			t.Errorf("%s: %+v", numbers, looks[1])
		}
	}
	for numbers, note := range map[string]string{"[1 << 63, (1 << 63) - 1]": "reset", "[0.5, 0.25]": "reset", "[5, 5.5]": "new"} {
		looks := watchLooks(t, "n = "+numbers+"\nwatch(lambda: n.pop(0), every='50ms', max=2)")
		if looks[1].Rate != nil || looks[1].Note == nil || *looks[1].Note != note {
			t.Errorf("%s: %+v, want the note %s", numbers, looks[1], note)
		}
	}
}

// TestWatchComesAndGoes has the rate of a key that comes among the greatest, since it is remembered before that.
func TestWatchComesAndGoes(t *testing.T) {
	looks := watchLooks(t, `
m = create("hash", key="char[8]", value="u64", max_entries=4)
m.update_batch({"big": 50, "small": 1})
looks = [0]
def by(entry):
    looks[0] += 1
    return entry[1] + (100 if entry[0] == "small" and looks[0] > 2 else 0)
watch(m, every="50ms", max=2, top=1, by=by)
`)
	if len(looks) != 2 || looks[0].Key != "big" || looks[1].Key != "small" || looks[1].Rate == nil || looks[1].Note != nil {
		t.Errorf("the rows are %+v", looks)
	}
}
