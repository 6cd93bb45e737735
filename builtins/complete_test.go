package builtins_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"bpfsh/builtins"
	"bpfsh/builtins/engine/memory"
	"bpfsh/runtime"
)

// TestComplete offers keys as a script writes them, and what open takes.
func TestComplete(t *testing.T) {
	library := builtins.New(&memory.Engine{}, nil)
	defer library.Close()
	s := runtime.New(runtime.Config{Predeclared: library.Predeclared()})
	if err := chunk(s, `
m = create("hash", key="ipv4", value="u32", max_entries=100, name="flows")
m.update_batch([("10.0.0.%d" % n, n) for n in range(80)])
m["192.168.0.1"] = 1
q = create("queue", value="u32", max_entries=1, name="jobs")
`); err != nil {
		t.Fatal(err)
	}
	m, q := s.Globals()["m"].(*builtins.Map), s.Globals()["q"].(*builtins.Map)
	if got := m.Complete("key", `"192`); !slices.Equal(got, []string{`"192.168.0.1"`}) {
		t.Errorf("keys that begin with \"192: %v", got)
	}
	if got := m.Complete("key", `"10.`); len(got) != 50 {
		t.Errorf("%d keys, want 50", len(got))
	}
	for what, got := range map[string][]string{"a parameter": m.Complete("flags", ""), "a queue": q.Complete("key", "")} {
		if got != nil {
			t.Errorf("%s: %v, want none", what, got)
		}
	}
	for prefix, want := range map[string][]string{
		"fl": {"flows"}, "id:": {"id:1", "id:2"}, "jobs": {"jobs"}, "x": nil, "/proc/self/fdinf": {"/proc/self/fdinfo/"}, "/proc/self/stat": {"/proc/self/stat", "/proc/self/statm", "/proc/self/status"},
	} {
		got := library.MapNames(prefix)
		slices.Sort(got)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: %v, want %v", prefix, got, want)
		}
	}
	names := map[string]bool{}
	for _, e := range m.Entries() {
		names[e.Name] = true
	}
	for _, name := range m.AttrNames() {
		lacks := map[string]bool{"create_inner": true, "drain": true, "events": true, "match": true, "peek": true, "push": true, "swap": true, "vars": true}
		if names[name] == lacks[name] {
			t.Errorf("%s is among the entries of a hash: %t", name, names[name])
		}
	}
}

// TestCompletedKeysRun looks each key up by what completes it, in brackets and as an argument: every kind of key, and what
// only bytes can say.
func TestCompletedKeysRun(t *testing.T) {
	library := builtins.New(&memory.Engine{}, nil)
	defer library.Close()
	s := runtime.New(runtime.Config{Predeclared: library.Predeclared()})
	for _, test := range []struct{ key, keys string }{
		{"u32", "[0, 7]"},
		{"i64", "[-1, 1 << 62]"},
		{"u128", "[1 << 100]"},
		{"be16", "[443]"},
		{"bool", `[True, False, b"\x02"]`},
		{"f64", `[1.5, -1e300, float("nan"), float("-inf")]`},
		{"ipv4", `["10.0.0.1"]`},
		{"ipv6", `["2001:db8::1"]`},
		{"mac", `["52:54:00:12:34:56"]`},
		{"cidr4", `["10.0.0.0/8", "0.0.0.0/0"]`},
		{"char[8]", `["", "eth0", "it's \"\\", "12345678", b"a\x00b\xff\x1b\x00\x00\x00"]`},
		{"bytes[4]", `[b"\x00\x01\xfe\xff", b"'\"\\n"]`},
		{"u16[3]", "[(1, 2, 3)]"},
		{"enum verdict { DROP, PASS = 7 }", `["DROP", "PASS", 9]`},
		{"hex(u32)", "[255]"},
		{"struct { u32 only; }", "[(5,)]"},
		{"struct flow_key { ipv4 saddr; be16 port; u8 proto; }", `[("10.0.0.1", 443, 6), b"\x0a\x00\x00\x01\x01\xbb\x06\xee"]`},
		{"struct { char c[2]; struct { u32 a; ipv4 b[2]; } inner; bool yes; enum { NO, OK } state; bytes[2] rest; cidr4 net; }",
			`[("c", (1, ("10.0.0.1", "10.0.0.2")), True, "OK", b"\x01\x02", "10.0.0.0/8")]`},
		{"struct { u8 low : 3, high : 5; union { u32 all; u8 one[4]; }; }", `[{"low": 1, "high": 2, "all": 77}]`},
		{"union { u32 all; u8 one[4]; }", `[{"all": 77}]`},
	} {
		if err := chunk(s, fmt.Sprintf("m = create(%q, key=%q, value=\"u32\", max_entries=9)\nm.update_batch([(key, n) for n, key in enumerate(%s)])",
			map[bool]string{true: "lpm_trie", false: "hash"}[test.key == "cidr4"], test.key, test.keys)); err != nil {
			t.Errorf("%s: %v", test.key, err)
			continue
		}
		texts := s.Globals()["m"].(*builtins.Map).Complete("key", "")
		if err := chunk(s, "found = sorted(["+"m.lookup("+strings.Join(texts, "), m.lookup(")+")])\nif found != list(range(m.count())): fail(found)"); err != nil {
			t.Errorf("%s is completed to %q: %v", test.key, texts, err)
		}
		for i, text := range texts {
			if !strings.HasSuffix(text, ",)") { // as the prompt does
				texts[i] = strings.TrimSuffix(strings.TrimPrefix(text, "("), ")")
			}
		}
		if err := chunk(s, "found = sorted([m["+strings.Join(texts, "], m[")+"]])\nif found != list(range(m.count())): fail(found)"); err != nil {
			t.Errorf("%s is completed in brackets to %q: %v", test.key, texts, err)
		}
	}
}
