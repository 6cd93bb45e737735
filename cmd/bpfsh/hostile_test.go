package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// obeyed are what a terminal would take for orders: bytes, and the characters of C1 that are one of them.
var obeyed = []string{"\x1b", "\x07", "\u009b", "\r\r", "\x9b", "\x08"}

// TestHostileNames names files and flags that are not there, in words that a terminal would obey.
func TestHostileNames(t *testing.T) {
	const evil = "e\x1b]0;pwn\x07\u009b2J\x9b"
	t.Setenv("NO_COLOR", "1")
	for _, args := range [][]string{{evil}, {"--" + evil}, {"--golden", evil + ".star"}, {"-c", "open('x')", "--engine", evil}, {"--engine", "memory", "-c", "load('" + evil + "', 'x')"}} {
		out := onTerminal(t, "", args...)
		if strings.ContainsAny(out, "\x1b\x07\u009b") || strings.Contains(out, "\x9b") || !strings.Contains(out, "pwn") {
			t.Errorf("%q: it wrote %q, want no control characters", args, out)
		}
	}
}

// TestHostileText lets text from a map reach a terminal in every way there is: nothing of it is obeyed.
func TestHostileText(t *testing.T) {
	needKernel(t)
	path := filepath.Join(t.TempDir(), "hostile.star")
	const source = `
evil = "\x1b]0;pwn\x07\u009b2J\r"
m = create("array", value="char[16]", max_entries=1)
h = create("hash", key="char[16]", value="u32", max_entries=1)
m[0] = evil
h[evil] = 1
print(m[0])
print("%s" % m[0], m[0] + "x")
print([m[0]], {m[0]: 1})
show(m)
show(h)
show([m[0]])
show(m[0])
warn(m[0])
print(catch(h.delete, evil + "2")[1])
fail(m[0])
`
	if err := os.WriteFile(path, []byte(source), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NO_COLOR", "1")
	out := onTerminal(t, "", path)
	if !strings.Contains(out, "pwn") || strings.Count(out, "pwn") < 12 {
		t.Errorf("the text is not in the output:\n%q", out)
	}
	for _, bad := range obeyed {
		if i := strings.Index(out, bad); i >= 0 {
			t.Errorf("%q reached the terminal: …%q…", bad, out[max(0, i-40):min(len(out), i+40)])
		}
	}
}

// TestHostileValues takes values of 32 KiB, full of escape sequences and of what is no UTF-8, through every way out: a
// terminal obeys nothing of them, lines of JSON are JSON, and what was saved is what was there.
func TestHostileValues(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "hostile.star")
	const source = `
types = {
    "text": ("char[32768]", "\x1b]0;pwn\x07" * 3000),
    "cut": ("char[32768]", b"\xff\xfe\xc3(\x1b[2J\x9b2J\x08" * 2728 + b"\x1b" * 32),
    "bytes": ("bytes[32768]", b"\x1b" * 32768),
    "record": ("struct { char name[32760]; u64 n; }", ("\x1b[2J" * 8000, 7)),
    "array": ("u8[32768]", [27] * 32768),
}
for name, (value, x) in types.items():
    for kind in ["array", "hash"]:
        m = create(kind, key="u32", value=value, max_entries=2, name=name)
        m[1] = x
        m[1] == m.lookup(1) or fail("read")
        print(m[1])
        for format in ["table", "json", "jsonl", "csv", "tsv", "markdown"]:
            show(m, format=format)
            show(m[1], format=format)
        s = snapshot(m)
        path = args[0] + "/" + name + kind + ".jsonl"
        s.save(path)
        load_snapshot(path) == s or fail(name, "is not what was saved")
        m[1] = m[0] if kind == "array" else create("array", value=value, max_entries=1)[0]
        show(diff(s, m), format="table")
        print(diff(s, m))
        restore(m, s)
        diff(s, m) and fail(name, "is not what was restored")
        warn(m[1])
        print(catch(m.update, 9, m[1])[1], catch(fail, m[1])[1])
`
	if err := os.WriteFile(path, []byte(source), 0o666); err != nil {
		t.Fatal(err)
	}
	out := onTerminalWith(t, []string{"NO_COLOR=1"}, "", "--engine", "memory", path, dir)
	if !strings.Contains(out, "pwn") || len(out) < 1<<20 || strings.Contains(out, "hostile.star:") {
		t.Errorf("the values are not in the output, of %d bytes, which ends\n%q", len(out), out[max(0, len(out)-1000):])
	}
	for _, bad := range obeyed {
		if i := strings.Index(out, bad); i >= 0 {
			t.Errorf("%q reached the terminal: ...%q...", bad, out[max(0, i-40):min(len(out), i+40)])
		}
	}
	saved, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil || len(saved) != 10 {
		t.Fatalf("saved %q, %v", saved, err)
	}
	for _, path := range saved {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if !json.Valid([]byte(line)) || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\n' || r == '\uFFFD' }) {
				t.Errorf("%s: a line is no plain JSON: %.200q", filepath.Base(path), line)
			}
		}
	}
}
