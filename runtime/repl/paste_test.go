package repl

import "testing"

func TestCleanPaste(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"lines", "a\r\nb\rc\n\n", "a\nb\nc"},
		{"tabs", "if x:\n\ty\n", "if x:\n    y"},
		{"controls", "a\x1b[31m\x07b\x7f\u0085", "a[31mb"},
		{"a transcript", "bpf> x = 1\nbpf> for i in [1]:\n...>     print(i)\n...> \n1\nbpf> x\n1\n", "x = 1\nfor i in [1]:\n    print(i)\n\nx"},
		{"a transcript of Python", ">>> if x:\n...     y\n...\n>>> z", "if x:\n    y\n\nz"},
		{"a transcript with a label", "bpf(ro)> if x:\n.......>     y\n.......>\nbpf(ro)> z\n1\n", "if x:\n    y\n\nz"},
		{"an indented transcript", "\n    bpf> x = 1\n    bpf> x\n    1\n", "x = 1\nx"},
		{"a prompt alone", "bpf>\n", ""},
		{"prompts further down", "x = 1\n>>> y", "x = 1\n>>> y"},
		{"a name like the prompt", "bpf>x", "bpf>x"},
		{"a continuation first", "...> x", "...> x"},
	} {
		if got := cleanPaste(test.in); got != test.want {
			t.Errorf("%s: %q becomes %q, want %q", test.name, test.in, got, test.want)
		}
	}
}
