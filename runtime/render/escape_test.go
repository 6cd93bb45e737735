package render

import "testing"

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
		{"a\u2028b\u2029", `a\u2028b\u2029`},
	} {
		t.Run(r.want, func(t *testing.T) {
			if got := Escape(r.in); got != r.want {
				t.Errorf("got %q, want %q", got, r.want)
			}
		})
	}
}
