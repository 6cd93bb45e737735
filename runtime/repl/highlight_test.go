package repl

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// tags writes styles so that they can be read.
var tags = strings.NewReplacer(string(styleKeyword), "<k>", string(styleString), "<s>", string(styleNumber), "<n>", string(styleDim), "<d>", styleEnd, "</>")

// TestPaint tells the parts of a line apart, and none of them changes.
func TestPaint(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"", ""},
		{"x", "x"},
		{"for k in m: pass", "<k>for</> k <k>in</> m: <k>pass</>"},
		{"x = None or True", "x = <k>None</> <k>or</> <k>True</>"},
		{"former = Nonesuch", "former = Nonesuch"},
		{`x = "a\"b" + r'\\' + 0x1f`, `x = <s>"a\"b"</> + <s>r'\\'</> + <n>0x1f</>`},
		{`open("flo`, `open(<s>"flo</>`},
		{"x = 1 # it's 2", "x = <n>1</> <d># it's 2</>"},
		{"f(1, # one\n  2)", "f(<n>1</>, <d># one/</>  <n>2</>)"},
		{"if x:\n    y", "<k>if</> x:<d>/</>    y"},
		{"x = '''a\n# b\n'''", "x = <s>'''a/# b/'''</>"},
		{"名 = '日本'", "名 = <s>'日本'</>"},
		{"a\uFDD1b", "a b"},
	} {
		line := []rune(encodeLine(test.line))
		if got := tags.Replace(string(paint(line, stylesOf(test.line, len(line)), '/'))); got != test.want {
			t.Errorf("%q is painted\n%s, want\n%s", test.line, got, test.want)
		}
	}
}

// TestPaintBehindStyles gives the newline with which readline draws a line for the last time no style.
func TestPaintBehindStyles(t *testing.T) {
	if got, want := tags.Replace(string(paint([]rune("12\n"), stylesOf("12", 3), '/'))), "<n>12</>\n"; got != want {
		t.Errorf("it is painted %q, want %q", got, want)
	}
}

// FuzzPaint gives each rune of any text one style.
func FuzzPaint(f *testing.F) {
	for _, text := range []string{"for k in m: # x\n  pass", `r"\`, "'''", "\xff", "a\\\n\"b"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "?") // readline has runes
		n := utf8.RuneCountInString(text)
		if got := len(stylesOf(text, n)); got != n {
			t.Errorf("%q: %d styles for %d runes", text, got, n)
		}
	})
}
