package render

import (
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
	"go.starlark.net/starlark"
)

// TestEscape leaves nothing that a terminal could obey.
func TestEscape(t *testing.T) {
	for _, r := range []struct{ in, want string }{
		{"plain ASCII, tab\t and\nnewline", "plain ASCII, tab\t and\nnewline"},
		{"日本 é", "日本 é"},
		{"\x1b]0;pwn\x07", `\x1b]0;pwn\x07`},
		{"a\rb\x00\x7f", `a\x0db\x00\x7f`},
		{"\u009b31m", `\u009b31m`},
		{"\x9b31m", `\x9b31m`},
		{"\u202eevil\u2069", `\u202eevil\u2069`},
		{"\xff\xfe", `\xff\xfe`},
		{"\uFFFD", `\ufffd`},
	} {
		t.Run(r.want, func(t *testing.T) {
			if got := Escape(r.in); got != r.want {
				t.Errorf("got %q, want %q", got, r.want)
			}
		})
	}
}

// TestTableWidths lines columns up by what a terminal shows, and lets no cell break a line.
func TestTableWidths(t *testing.T) {
	table := &Table{
		Columns: []Column{{"name", "char[16]"}, {"n", "u64"}},
		Rows: [][]starlark.Value{
			{starlark.String("日本"), starlark.MakeInt(1)},
			{starlark.String("evil\x1b[2J\n\trow"), starlark.MakeUint64(1<<64 - 1)},
			{starlark.String("é"), starlark.MakeInt(22)},
		},
		Total: 1234567, Noun: "entry", Nouns: "entries",
	}
	lines := strings.Split(table.String(), "\n")
	if len(lines) != 6 {
		t.Fatalf("got %d lines, want 6:\n%s", len(lines), table)
	}
	for _, l := range lines[:5] {
		if w := text.StringWidthWithoutEscSequences(l); w != 40 {
			t.Errorf("line %q is %d columns wide, want 40", l, w)
		}
		if strings.ContainsAny(l, "\x1b\t") {
			t.Errorf("line %q has a control character", l)
		}
	}
	if want := "1,234,567 entries (3 shown)"; lines[5] != want {
		t.Errorf("footer %q, want %q", lines[5], want)
	}
}
