package repl

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"bpfsh/runtime"

	"go.starlark.net/starlark"
)

// texts are the candidates, "…" behind some of them.
func texts(c Completion) string {
	var all []string
	for i, cand := range c.Candidates {
		if i == 8 {
			all = append(all, "…")
			break
		}
		all = append(all, cand.Text)
	}
	return strings.Join(all, " ")
}

// TestComplete asks for what can follow a text: what a TAB inserts, and what it lists if that is nothing.
func TestComplete(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"flows.star", "flows.txt", ".hidden", "sub/inner.star"} {
		os.MkdirAll(filepath.Dir(name), 0o777)
		if err := os.WriteFile(name, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	const keys = `"10.0.0.1" "10.0.0.2" "10.9.0.1" "e\x1b]0;pwn\a"`
	for _, test := range []struct {
		before, insert, list string // of lines before, newlines
	}{
		{before: "prin", insert: "t"},
		{before: "ma", list: "map_of_mine maps math max"},
		{before: "x = map", list: "map_of_mine maps"},
		{before: "x = maps", insert: ""},
		{before: "whi", insert: "le"},
		{before: "print(whi", insert: ""}, // no statement begins in a bracket
		{before: "_pri", insert: "vate"},
		{before: "# pri", insert: ""},
		{before: `"pri`, insert: ""},

		{before: "m.", list: "info lookup name update"},
		{before: "m.up", insert: "date"},
		{before: "m.name.sta", insert: "rtswith"},
		{before: "m.info().", insert: ""}, // it would have to be called
		{before: "[m][0].", insert: ""},
		{before: "m.nothing.", insert: ""},
		{before: "nobody.", insert: ""},
		{before: "json.en", insert: "code"},
		{before: `"a".upp`, insert: "er"},
		{before: `"a.`, insert: ""},
		{before: "5.", insert: ""},

		{before: "m.lookup(", insert: `"`},
		{before: `m.lookup("`, list: keys},
		{before: `m.lookup("10.9`, insert: `.0.1"`},
		{before: `m.lookup(key="10.9`, insert: `.0.1"`},
		{before: "m.update(k, ", list: "flags= value="},
		{before: "m.update(k, v, ", list: "BPF_ANY BPF_NOEXIST flags="},
		{before: "m.update(k, v, fl", insert: "ags="},
		{before: "m.update(k, v, flags=", insert: "BPF_"},
		{before: "m.update(k, v, flags=BPF_NO", insert: "EXIST"},
		{before: "m.update(k, v, flags=BPF_F", insert: "_LOCK"}, // the doc does not speak of it
		{before: "m.update(k, v, flags=BPF_NOEXIST | BPF_", list: "BPF_ANY BPF_NOEXIST"},
		{before: "m.update(k, value=v, ", list: "BPF_ANY BPF_NOEXIST flags="},
		{before: "m.update(k, v == w, ", list: "BPF_ANY BPF_NOEXIST flags="},
		{before: "m.update(f(1, 2), {3: 4}, fl", insert: "ags="},
		{before: "mine(", list: "first= second="},
		{before: "mine(1, ", insert: "second="},
		{before: "mine(1, pri", insert: "nt"},

		{before: "Flow(", list: "bytes= packets="},
		{before: "Flow(pa", insert: "ckets="},
		{before: "Flow(packets=1, ", insert: "bytes="},
		{before: "Flow(packets=pri", insert: "nt"},
		{before: "Flow.replace(", list: "bytes= packets="},
		{before: "Flow.replace(packets=1, b", list: "bool bytes bytes="},
		{before: "Flow.pick(b", list: "bool bytes"}, // fields is one value
		{before: "mine(1, 2, by", insert: "tes"},

		{before: `open("fl`, list: "flags flows"},
		{before: `open("flo`, insert: `ws"`},
		{before: `open('flo`, insert: `ws'`},
		{before: `open(where="flo`, insert: `ws"`},
		{before: `open("/sys/`, insert: `fs/bpf/flows"`},
		{before: `open("id`, insert: `:144"`},
		{before: `open("evil`, insert: `\x1b]0;pwn\a\u202e"`},
		{before: `open("quo`, insert: `\"te"`},
		{before: `open("quo\"`, insert: `te"`},
		{before: `open("map_`, insert: "00"},
		{before: `open("x" + "fl`, insert: ""}, // the argument is more than the string
		{before: `print("fl`, insert: ""},
		{before: `open("flows", rea`, insert: "d"},
		{before: `open("flows", read`, list: "read readonly="},
		{before: `open("flows")`, insert: ""},

		{before: "m[", insert: `"`},
		{before: `m["10.0`, insert: `.0.`},
		{before: `m["10.0.0.`, list: `"10.0.0.1" "10.0.0.2"`},
		{before: `m["10.9`, insert: `.0.1"]`},
		{before: "m['10.9", insert: ".0.1']"},
		{before: "m.lookup('10.9", insert: ".0.1'"},
		{before: `m['e`, insert: ""}, // it has a backslash
		{before: `d['tw`, insert: `o']`},
		{before: "m[pri", insert: "nt"},
		{before: "d[", list: `"one" "tcp", 443 "two" (5,) 3 4, 5`}, // what a script can write
		{before: `d["tc`, insert: `p", 443]`},
		{before: `d["tcp", `, insert: "443]"},
		{before: `d["tw`, insert: `o"]`},
		{before: "[pri", insert: "nt"},

		{before: `load("`, list: "flows.star sub/"},
		{before: `load("sub/`, insert: `inner.star"`},
		{before: `read("fl`, insert: "ows."},
		{before: `read(".h`, insert: `idden"`},
		{before: `read("flows.t`, insert: `xt"`},
		{before: `read("nowhere/`, insert: ""},

		{before: ".", list: ".edit .help .mode .o .quit .read .save .time …"},
		{before: ".he", insert: "lp "},
		{before: ".ti", insert: "m"},
		{before: ".timing o", list: "on off"},
		{before: ".mode j", insert: "son"},
		{before: ".read s", insert: "ub/"},
		{before: `.read "sub/i`, insert: "nner.star"},
		{before: ".help .wa", insert: "tch"},
		{before: ".time m.up", insert: "date"},
		{before: ".watch 2 m.up", insert: "date"},
		{before: ".nothing ", insert: ""},
		{before: "!l", insert: ""},
		{before: "def f(parameter):\n    return para", insert: "meter"},
		{before: "open(\n    where=\"flo", insert: `ws"`},
		{before: "m[\n", insert: `"`},
		{before: "x = \"\"\"\npri", insert: ""},
	} {
		t.Run(test.before, func(t *testing.T) {
			l := newTestLoop(t)
			before := test.before
			if i := strings.LastIndex(before, "\n"); i >= 0 {
				l.block.add(before[:i])
				before = before[i+1:]
			}
			found := l.Complete(before)
			insert := found.insertion(before)
			if insert != test.insert {
				t.Errorf("inserts %q, want %q; of %s", insert, test.insert, texts(found))
			}
			list := ""
			if insert == "" && len(found.Candidates) > 1 {
				list = texts(found)
			}
			if list != test.list {
				t.Errorf("lists %s, want %s", list, test.list)
			}
			if m := l.session.Globals()["m"].(*fakeMap); m.reads > 0 && !strings.Contains(before, "m.name") {
				t.Error("an attribute was read that nobody asked for")
			}
		})
	}
}

func newTestLoop(t *testing.T) *loop {
	t.Helper()
	_, s, cfg := newWorld()
	l := newLoop(s, nil, cfg)
	for _, source := range []string{
		"map_of_mine = 1", "_private = 2", `d = {"one": 1, "two": 2, 3: 3, (4, 5): 6, ("tcp", 443): 7, (5,): 8, print: 9}`,
		"def mine(first, second=2, *rest):\n    \"\"\"Does this. And that.\"\"\"\n    pass",
	} {
		if err := l.execute(source); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// TestCompleteInTime asks sources that are slow, stuck and broken: the prompt waits 100 ms at most.
func TestCompleteInTime(t *testing.T) {
	c, s, cfg := newWorld()
	release := make(chan struct{})
	var calls atomic.Int32
	cfg.Sources["where"] = func(string) []string { calls.Add(1); <-release; return []string{"slow"} }
	cfg.Sources["name"] = func(string) []string { panic("out of order") }
	l := newLoop(s, c, cfg)
	within(t, 2*completionTime, func() time.Duration {
		start := time.Now()
		if got := l.Complete(`open("`); len(got.Candidates) > 0 {
			t.Errorf("got %s", texts(got))
		}
		return time.Since(start)
	})
	if n := calls.Load(); n != 1 {
		t.Errorf("a source that is late was called %d times", n)
	}
	close(release)
	if got := texts(l.Complete(`open("`)); got != "slow" {
		t.Errorf("got %q when it had answered", got)
	}
	if got := l.Complete(`maps("`); len(got.Candidates) > 0 {
		t.Errorf("got %s of what panics", texts(got))
	}
}

// TestCompleteManyNames measures ten thousand names of maps.
func TestCompleteManyNames(t *testing.T) {
	c, s, cfg := newWorld()
	cfg.Sources["where"] = names(10_000)
	l := newLoop(s, c, cfg)
	within(t, completionTime, func() time.Duration {
		start := time.Now()
		found := l.Complete(`open("map_`)
		if len(found.Candidates) != 10_000 || found.insertion(`open("map_`) != "0" {
			t.Fatalf("%d names, inserting %q", len(found.Candidates), found.insertion(`open("map_`))
		}
		found.list(80, 24)
		return time.Since(start)
	})
}

// within demands that what is measured takes no longer than a limit. It is tried again where it does: the machine may
// be busy with something else.
func within(t *testing.T, limit time.Duration, measure func() time.Duration) {
	t.Helper()
	const tries = 8
	var took time.Duration
	for range tries {
		took = measure()
		t.Logf("it took %v", took)
		if took <= limit || raceDetector || t.Failed() {
			return
		}
	}
	t.Errorf("it took %v at last, want at most %v", took, limit)
}

// TestListHarmless shows names that a hostile process gave: nothing in them is obeyed, and no line is too long.
func TestListHarmless(t *testing.T) {
	var c Completion
	c.Head = "open(\x1b[2J)"
	for _, name := range []string{"evil\x1b]0;pwn\a", "a\nb", "tab\t", "\u202eright", "\x9b2J", "日本の地図", strings.Repeat("w", 200)} {
		c.Candidates = append(c.Candidates, Candidate{Text: name})
	}
	for _, docs := range []bool{false, true} {
		if docs {
			c.Candidates[0].Doc = "\x1b[31m doc"
		}
		for _, columns := range []int{20, 80} {
			list := c.list(columns, 24)
			if strings.ContainsAny(list, "\x1b\a\t\u202e") || !utf8.ValidString(list) || !strings.Contains(list, `\x1b]0`) {
				t.Errorf("%d columns: the list is %q", columns, list)
			}
			for line := range strings.SplitSeq(list, "\n") {
				if width(line) >= columns+1 {
					t.Errorf("%d columns: %q takes %d", columns, line, width(line))
				}
			}
		}
	}
}

func TestListFits(t *testing.T) {
	var c Completion
	for _, name := range names(10_000)("") {
		c.Candidates = append(c.Candidates, Candidate{Text: name})
	}
	for _, size := range [][2]int{{80, 24}, {20, 5}, {300, 100}, {1, 1}} {
		lines := strings.Split(c.list(size[0], size[1]), "\n")
		if len(lines) > max(size[1], 5) {
			t.Errorf("%v: %d lines", size, len(lines))
		}
		if last := lines[len(lines)-1]; !strings.HasPrefix(last, "... ") || !strings.HasSuffix(last, " more") {
			t.Errorf("%v: the last line is %q", size, last)
		}
	}
	few := Completion{Candidates: []Candidate{{Text: "info", Doc: "All."}, {Text: "lookup", Doc: "One."}, {Text: "x"}}}
	if got, want := few.list(80, 24), "info    All.\nlookup  One.\nx"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestHint(t *testing.T) {
	for _, test := range []struct{ before, want string }{
		{"m.update(", "key, value, flags=BPF_ANY)"},
		{"m.update(k", ", value, flags=BPF_ANY)"},
		{"m.update(k, ", "value, flags=BPF_ANY)"},
		{"m.update(k, v, ", "flags=BPF_ANY)"},
		{"m.update(k, v, f", ")"},
		{"m.update(k, flags=1", ", value)"},
		{"m.update(value=1, ", "key, flags=BPF_ANY)"},
		{"m.update((1, 2), [", ""},
		{"m.update(mine(", "first, second=2, *rest)"},
		{"x = m.update(k, v)", ""},
		{"m.update", ""},
		{`m.update("a`, ""},
		{"def mine(", ""},
		{"nobody(", ""},
		{"len(", ""},
		{"catch(", "fn, *args, **kwargs)"},
		{".time m.update(", "key, value, flags=BPF_ANY)"},
		{".save m.update(", ""},
	} {
		if got := newTestLoop(t).Hint(test.before); got != test.want {
			t.Errorf("%s: got %q, want %q", test.before, got, test.want)
		}
	}
}

func TestParams(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", ""},
		{"key, value, flags=BPF_ANY", "key value flags"},
		{"a, b=(1, 2), c=\", \", d={}", "a b c d"},
		{"fn, *args, **kwargs", "fn args+ kwargs+alone"},
		{"*args, sep=\" \"", "args+ sepalone"},
		{"a, *, b=1", "a balone"},
	} {
		var got []string
		for _, p := range parseParams(test.text) {
			name := p.name
			if p.more {
				name += "+"
			}
			if p.alone {
				name += "alone"
			}
			got = append(got, name)
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: got %q, want %q", test.text, got, test.want)
		}
	}
	v, err := starlark.ExecFileOptions(runtime.ChunkOptions(), &starlark.Thread{}, "", "def f(a, b=1, *c, d=2, **e): pass\ndef g(a, *, d): pass", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, want string }{{"f", "f(a, b=1, *c, d=2, **e)"}, {"g", "g(a, d)"}} {
		if got := signatureOf(test.name, v[test.name]).String(); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
	if got := functionParams(v["f"].(*starlark.Function)); !slices.ContainsFunc(got, func(p parameter) bool { return p.name == "d" && p.alone }) {
		t.Errorf("d can be given by position: %v", got)
	}
}

// FuzzComplete takes all there is: completion must neither panic nor point outside of the text.
func FuzzComplete(f *testing.F) {
	for _, seed := range []string{"m.update(", `open("`, "m[", ".read ", "def f(", "r'", "x=[(", "'''a\n", "日本(", ".watch 1 m.", "@\x80\"\\"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, s, cfg := newWorld()
		l := newLoop(s, nil, cfg)
		found := l.Complete(text)
		if found.From < 0 || found.From > len(text) {
			t.Fatalf("From is %d of %d", found.From, len(text))
		}
		found.insertion(text)
		l.Hint(text)
	})
}
