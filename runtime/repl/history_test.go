package repl

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestHistory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "bpfsh", "history")
	blocks := []string{"x = 1", "def f():\n    return \"a\\n\"\n\nf()", "日本 <&>", "x = 1"}
	h := loadHistory(path)
	for _, b := range blocks {
		for _, want := range []bool{true, false} { // the second is a duplicate
			if added, err := h.add(b); err != nil || added != want {
				t.Errorf("add(%q) = %t, %v, want %t", b, added, err, want)
			}
		}
	}
	if err := h.close(); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700, filepath.Dir(filepath.Dir(path)): 0o700} {
		st, err := os.Stat(name)
		if err != nil || st.Mode().Perm() != want {
			t.Errorf("%s: mode %v and %v, want %v", name, st.Mode().Perm(), err, want)
		}
	}
	text, _ := os.ReadFile(path)
	if want := `"x = 1"` + "\n" + `"def f():\n    return \"a\\n\"\n\nf()"` + "\n" + `"日本 <&>"` + "\n" + `"x = 1"` + "\n"; string(text) != want {
		t.Errorf("the file holds\n%swant\n%s", text, want)
	}
	again := loadHistory(path)
	if !slices.Equal(again.blocks, blocks) {
		t.Errorf("loaded %q, want %q", again.blocks, blocks)
	}
	if added, err := again.add("x = 1"); err != nil || added {
		t.Errorf("the newest of the last session: added %t, %v, want a duplicate", added, err)
	}
}

func TestHistoryFileOfOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	if err := os.WriteFile(path, []byte("\"a\"\nnot JSON\n{\"b\": 1}\n\"\"\n\"b\"\n\"cut"), 0o644); err != nil {
		t.Fatal(err)
	}
	h := loadHistory(path)
	if want := []string{"a", "b"}; !slices.Equal(h.blocks, want) {
		t.Errorf("loaded %q, want %q", h.blocks, want)
	}
	if _, err := h.add("c"); err != nil {
		t.Error(err)
	}
	if got, want := loadHistory(path).blocks, []string{"a", "b", "c"}; !slices.Equal(got, want) {
		t.Errorf("after add, loaded %q, want %q", got, want)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v and %v, want -rw-------", st.Mode(), err)
	}
}

func TestHistoryLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	var sb strings.Builder
	for i := range historyLimit + 5 {
		fmt.Fprintf(&sb, "\"x = %d\"\n", i)
	}
	if err := os.WriteFile(path, []byte(sb.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	h := loadHistory(path)
	if n := len(h.blocks); n != historyLimit || h.blocks[0] != "x = 5" {
		t.Errorf("loaded %d blocks from %q on, want %d from x = 5 on", n, h.blocks[0], historyLimit)
	}
}

func TestHistoryUnusable(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(file, "history"), dir, "/proc/none/history"} {
		h := loadHistory(path)
		for _, block := range []string{"a", "b"} {
			if added, err := h.add(block); err == nil || !added {
				t.Errorf("%s: add = %t, %v, want it added, and an error", path, added, err)
			}
		}
		if err := h.close(); err != nil {
			t.Errorf("%s: close: %v", path, err)
		}
	}
}

func TestHistoryNotAFile(t *testing.T) {
	before, err := os.Stat("/dev/null")
	if err != nil {
		t.Skip(err)
	}
	for _, path := range []string{"", "/dev/null"} {
		h := loadHistory(path)
		if added, err := h.add("x"); err != nil || !added {
			t.Errorf("%q: add = %t, %v, want it added", path, added, err)
		}
		if h.file != nil {
			t.Errorf("%q was opened", path)
		}
	}
	if after, _ := os.Stat("/dev/null"); after.Mode() != before.Mode() {
		t.Errorf("the mode of /dev/null is %v, was %v", after.Mode(), before.Mode())
	}
}

func TestHistoryPath(t *testing.T) {
	for _, test := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"BPFSH_HISTORY": "here", "HOME": "/"}, "here"},
		{map[string]string{"XDG_STATE_HOME": "/none/state", "HOME": "/"}, "/none/state/bpfsh/history"},
		{map[string]string{"XDG_STATE_HOME": "relative", "HOME": "/none"}, "/none/.local/state/bpfsh/history"},
		{map[string]string{"HOME": "/none"}, "/none/.local/state/bpfsh/history"},
		{nil, ""},
	} {
		got, err := historyPath(func(name string) string { return test.env[name] })
		if err != nil || got != test.want {
			t.Errorf("%v: %q, %v, want %q", test.env, got, err, test.want)
		}
	}
}

func TestHistoryPathOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can have somebody else's HOME by sudo")
	}
	home := t.TempDir()
	if err := os.Chown(home, 12345, 12345); err != nil {
		t.Skip(err)
	}
	getenv := func(name string) string { return map[string]string{"HOME": home}[name] }
	if path, err := historyPath(getenv); err == nil {
		t.Errorf("root keeps its history in %s, want an error", path)
	}
}
