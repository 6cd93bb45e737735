package repl

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode"
	"unicode/utf8"
)

// readKeys is all that a terminal that sends input makes of it: keys, and the pastes for their marks.
func readKeys(t *testing.T, in io.Reader) (keys string, pastes []string) {
	t.Helper()
	k := newKeyReader(in)
	k.timeout = func() <-chan time.Time { return nil } // the rest of a key always comes
	out, err := io.ReadAll(k)
	if err != nil {
		t.Fatal(err)
	}
	if !k.ended.Load() {
		t.Error("the end of the input was not noticed")
	}
	for range strings.Count(string(out), string(pasteMark)) {
		pastes = append(pastes, k.paste())
	}
	if len(k.pastes) > 0 {
		t.Errorf("there are pastes without a mark: %q", k.pastes)
	}
	return string(out), pastes
}

func TestKeys(t *testing.T) {
	paste := leaveSearch + string(pasteMark)
	for _, test := range []struct {
		name, in, want, pasted string
	}{
		{"text", "x = 'ä日🙂'\r", "x = 'ä日🙂'\r", ""},
		{"controls that readline knows", controls, controls, ""},
		{"NUL, which it takes for the end", "a\x00b", "ab", ""},
		{"^T, on which it panics", "a\x14b", "ab", ""},
		{"^Z, with which it stops the parent", "a\x1ab", "ab", ""},
		{"^O ^Q ^V ^X ^\\ ^] ^^ ^_, which it inserts", "a\x0f\x11\x16\x18\x1c\x1d\x1e\x1fb", "ab", ""},
		{"C1 controls", "a\u0080\u009b\u009fb", "ab", ""},
		{"our own marks", "a\uFDD0\uFDD1\uFDD2\uFDEFb", "ab", ""},
		{"a byte of no rune", "a\xffb", "a\uFFFDb", ""},
		{"a rune that is cut off", "a\xe6\x97", "a\uFFFD\uFFFD", ""},

		{"arrows", "\x1b[A\x1b[B\x1b[C\x1b[D", up + down + right + left, ""},
		{"arrows of the keypad", "\x1bOA\x1bOB\x1bOC\x1bOD\x1bOM", up + down + right + left + "\r", ""},
		{"Home", "\x1b[H\x1bOH\x1b[1~\x1b[7~", strings.Repeat(lineStart, 4), ""},
		{"End", "\x1b[F\x1bOF\x1b[4~\x1b[8~", strings.Repeat(lineEnd, 4), ""},
		{"Ctrl and Alt with arrows", "\x1b[1;5D\x1b[1;3D\x1b[1;5C\x1b[1;3C", wordLeft + wordLeft + wordRight + wordRight, ""},
		{"Delete", "\x1b[3~", leaveSearch + string(deleteMark), ""},
		{"Ctrl-Delete", "\x1b[3;5~", deleteWord, ""},
		{"Meta keys", "\x1bb\x1bf\x1bd\x1b\x7f\x1b\b", wordLeft + wordRight + deleteWord + deleteWordLeft + deleteWordLeft, ""},
		{"unknown Meta keys", "a\x1bx\x1b.\x1bäb", "ab", ""},
		{"an ESC before a control", "\x1b\x03\x1b\r\x1b\x14", "\x03\r", ""},
		{"two ESC", "\x1b\x1b[D", left, ""},
		{"function keys", "a\x1bOP\x1b[15~\x1b[[A\x1b[Z\x1b[2~b", "ab", ""},
		{"a sequence that a control breaks", "a\x1b[1;\x03b", "a\x03b", ""},
		{"a sequence that Backspace or a rune breaks", "a\x1b[1\x7fb\x1b[é", "a\x7fbé", ""},
		{"a sequence without end", "a\x1b[" + strings.Repeat("1", 40) + "b", "a" + strings.Repeat("1", 8) + "b", ""},
		{"an ESC at the end", "a\x1b", "a", ""},
		{"half a sequence at the end", "a\x1b[1", "a", ""},

		{"a paste", "a\x1b[200~b\x1b[201~c", "a" + paste + "c", "b"},
		{"a paste with tabs and line ends", "\x1b[200~def f():\r\n\tx\r\ty\n\x1b[201~", paste, "def f():\n    x\n    y"},
		{"a paste with controls", "\x1b[200~a\x03\x1b[31mb\x7f\u009b\uFDD0\x00\x1b[201~", paste, "a[31mb"},
		{"an empty paste", "\x1b[200~\r\n\x1b[201~", "", ""},
		{"a paste without end", "a\x1b[200~rm", "a", ""},
		{"two pastes", "\x1b[200~a\x1b[201~\x1b[200~b\x1b[201~", paste + paste, "a|b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, pastes := readKeys(t, strings.NewReader(test.in))
			if got != test.want {
				t.Errorf("%q gives the keys %q, want %q", test.in, got, test.want)
			}
			if pasted := strings.Join(pastes, "|"); pasted != test.pasted {
				t.Errorf("%q pastes %q, want %q", test.in, pasted, test.pasted)
			}
		})
	}
}

// slowly is a terminal whose second chunk comes only after the timeout of the first has run out.
type slowly struct {
	chunks  []string
	expired chan time.Time // the keyReader's timeout
}

func (r *slowly) Read(p []byte) (int, error) {
	if len(r.chunks) == 0 {
		return 0, io.EOF
	}
	if len(r.chunks) == 1 {
		r.expired <- time.Time{} // is taken by nobody but a keyReader that waits
	}
	n := copy(p, r.chunks[0])
	r.chunks = r.chunks[1:]
	return n, nil
}

func TestKeysTimeout(t *testing.T) {
	for _, test := range []struct{ first, second, want string }{
		{"a\x1b", "b", "ab"},
		{"a\x1bO", "b", "ab"},
		{"a\x1b", "\x03", "a\x03"},
	} {
		r := &slowly{[]string{test.first, test.second}, make(chan time.Time)}
		k := newKeyReader(r)
		k.timeout = func() <-chan time.Time { return r.expired }
		out, err := io.ReadAll(k)
		if err != nil || string(out) != test.want {
			t.Errorf("%q, and %q after a time, give %q and %v, want %q", test.first, test.second, out, err, test.want)
		}
	}
}

func FuzzKeys(f *testing.F) {
	for _, seed := range []string{
		"x = 1\r", controls, "\x00\x14\x1a", "日本\xff\u009b\uFDD1", "\x1b[A\x1b[3~\x1bOH\x1b[1;5D\x1bb\x1bx\x1bé",
		"\x1b[200~def f():\r\n\treturn 1\r\n\x1b[201~\r", "\x1b[200~\x1b[200~\x1b[201~\x1b[201~", "\x1b\x1b\x1b[[A\x1b[1;\x03",
		"\x1b[200~>>> a\n... b\nc\x1b[201~",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		keys, pastes := readKeys(t, bytes.NewReader(in))
		slow, slowPastes := readKeys(t, iotest.OneByteReader(bytes.NewReader(in)))
		if keys != slow || strings.Join(pastes, "|") != strings.Join(slowPastes, "|") {
			t.Errorf("%q at once gives %q and %q, byte by byte %q and %q", in, keys, pastes, slow, slowPastes)
		}
		if !utf8.ValidString(keys) {
			t.Errorf("%q gives %q, want UTF-8", in, keys)
		}
		for rest := keys; rest != ""; {
			switch r, size := utf8.DecodeRuneInString(rest); {
			case r == keyEscape:
				if len(rest) < 2 || !strings.ContainsRune("bfd\x7f", rune(rest[1])) {
					t.Fatalf("%q gives %q, want no ESC but in the four Meta keys", in, keys)
				}
				rest = rest[2:]
			case isMark(r) && r != pasteMark && r != deleteMark,
				unicode.IsControl(r) && !strings.ContainsRune(controls+"\x7f", r):
				t.Fatalf("%q gives %q, want no %q", in, keys, r)
			default:
				rest = rest[size:]
			}
		}
		for _, p := range pastes {
			if p == "" || strings.ContainsFunc(p, func(r rune) bool { return r != '\n' && (unicode.IsControl(r) || isMark(r)) }) {
				t.Errorf("%q pastes %q, want text", in, p)
			}
		}
	})
}
