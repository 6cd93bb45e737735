package render

import (
	"strings"
	"testing"
	"time"

	"go.starlark.net/starlark"
)

// TestUTF8 reads the locale as setlocale does.
func TestUTF8(t *testing.T) {
	for _, test := range []struct {
		env  map[string]string
		want bool
	}{
		{nil, true},
		{map[string]string{"LANG": "de_DE.UTF-8"}, true},
		{map[string]string{"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, false},
		{map[string]string{"LANG": "C", "LC_CTYPE": "C.utf8"}, true},
		{map[string]string{"LANG": "C.UTF-8", "LC_CTYPE": "POSIX"}, false},
	} {
		if got := UTF8(func(name string) string { return test.env[name] }); got != test.want {
			t.Errorf("%v: %t, want %t", test.env, got, test.want)
		}
	}
}

// TestASCII cuts with a sign that every terminal has.
func TestASCII(t *testing.T) {
	long := strings.Repeat("long_name_", 4)
	table := &Table{Noun: "row", Columns: []Column{{Name: long, Type: long + " " + long}}, Rows: [][]starlark.Value{{starlark.MakeInt(1)}}}
	for _, width := range []int{20, 30, 60} {
		text := table.layout(Options{Width: width, ASCII: true})
		if !strings.Contains(text, "~") || strings.Contains(text, "…") {
			t.Errorf("at width %d: want what is cut to end in ~:\n%s", width, text)
		}
		if text := table.layout(Options{Width: width}); !strings.Contains(text, "…") {
			t.Errorf("at width %d: want what is cut to end in …:\n%s", width, text)
		}
	}
	p := &Progress{What: "update_batch", Width: 16, ASCII: true, done: 1000}
	if line := p.line(time.Second); line != "update_batch 1~" {
		t.Errorf("the progress is %q, want it to end in ~", line)
	}
}
