package repl

import (
	"slices"
	"strings"
	"testing"
)

// marked makes a line of text with ↵ for a newline, and finds the cursor at |.
func marked(text string) (line []rune, pos int) {
	line = []rune(encodeLine(strings.ReplaceAll(text, "↵", "\n")))
	pos = slices.Index(line, '|')
	return slices.Delete(line, pos, pos+1), pos
}

// unmarked is the opposite of marked.
func unmarked(line []rune, pos int) string {
	return strings.ReplaceAll(decodeLine(string(slices.Insert(slices.Clone(line), pos, '|'))), "\n", "↵")
}

func TestInsertPaste(t *testing.T) {
	for _, test := range []struct{ line, text, want string }{
		{"|", "x = 1", "x = 1|"},
		{"print(|)", "a\nb", "print(a↵b|)"},
		{"    |", "a\n    b", "    a↵    b|"},
		{"    |", "    a\n    b", "    a↵    b|"},
		{"def f():↵    |↵    c", "    a\n    b", "def f():↵    a↵    b|↵    c"},
		{"f(    |", "  a", "f(      a|"},
		{"\u00a0\u3000|", " a", "\u00a0\u3000 a|"},
		{"x|", "", "x|"},
	} {
		line, pos := marked(test.line)
		line, pos, ok := insertPaste(slices.Insert(line, pos, pasteMark), pos+1, test.text)
		if got := unmarked(line, pos); !ok || got != test.want {
			t.Errorf("%q pasted into %q is %q, want %q", test.text, test.line, got, test.want)
		}
	}
	if _, _, ok := insertPaste([]rune("abc"), 3, "x"); ok {
		t.Error("a paste without its mark changes the line")
	}
}

func TestDeleteAt(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"|", "|"},
		{"a|", "a|"},
		{"|a", "|"},
		{"a|↵b", "a|b"},
		{"a|日b", "a|b"},
	} {
		line, pos := marked(test.line)
		line, pos, ok := deleteAt(slices.Insert(line, pos, deleteMark), pos+1)
		if got := unmarked(line, pos); !ok || got != test.want {
			t.Errorf("Delete makes %q of %q, want %q", got, test.line, test.want)
		}
	}
	if _, _, ok := deleteAt([]rune("abc"), 0); ok {
		t.Error("Delete without its mark changes the line")
	}
}

func TestCompleter(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"|", "    "},
		{"  |", "  "},
		{"    |", "    "},
		{"    |x", "    "},
		{"if x:↵ |", "   "},
		{"x|", ""},
		{"x |", ""},
		{"\u3000|", ""},
	} {
		line, pos := marked(test.line)
		got := ""
		for _, s := range first(completer{&Editor{}}.Do(line, pos)) {
			got += string(s)
		}
		if got != test.want {
			t.Errorf("TAB at %q inserts %q, want %q", test.line, got, test.want)
		}
	}
}

func first(suffixes [][]rune, _ int) [][]rune { return suffixes }

func TestNewlineSign(t *testing.T) {
	for _, test := range []struct {
		env  map[string]string
		want rune
	}{
		{nil, '↵'},
		{map[string]string{"LANG": "de_DE.UTF-8"}, '↵'},
		{map[string]string{"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, '|'},
		{map[string]string{"LC_CTYPE": "C.utf8", "LANG": "C"}, '↵'},
	} {
		if got := newlineSign(func(name string) string { return test.env[name] }); got != test.want {
			t.Errorf("%v: a newline is painted %c, want %c", test.env, got, test.want)
		}
	}
}
