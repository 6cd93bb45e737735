package layout

import "testing"

func TestText(t *testing.T) {
	check(t, nil, []expr{
		{`enc("char[4]", "")`, `00 00 00 00`},
		{`enc("char[4]", "ab")`, `61 62 00 00`},
		{`enc("char[4]", "abcd")`, `61 62 63 64`},
		{`enc("char[4]", "abcde")`, `text of 5 bytes does not fit char[4]`},
		{`enc("char[4]", "éé")`, `c3 a9 c3 a9`},
		{`enc("char[4]", "ééé")`, `text of 6 bytes does not fit char[4]`},
		{`enc("char[4]", "a\0b")`, `text ends at its first NUL, byte 1; give 4 bytes to write what follows it`},
		{`enc("char[4]", "a\0")`, `text ends at its first NUL, byte 1; give 4 bytes to write what follows it`},
		{`enc("char[4]", b"a\x00b\x00")`, `61 00 62 00`},
		{`enc("char[4]", b"ab")`, `got 2 bytes, want text of at most 4 bytes, or exactly 4 bytes`},
		{`enc("char[4]", 5)`, `got 5, want text of at most 4 bytes, or exactly 4 bytes`},
		{`enc("char[4]", ["a"])`, `got list of 1, want text of at most 4 bytes, or exactly 4 bytes`},
		{`enc("char[2][3]", ["ab", "c"])`, `61 62 00 63 00 00`},
		{`enc("char[2][3]", ["ab", "cdef"])`, `[1]: text of 4 bytes does not fit char[3]`},

		{`repr(dec("char[4]", "00 00 00 00"))`, `""`},
		{`repr(dec("char[4]", "61 62 00 00"))`, `"ab"`},
		{`repr(dec("char[4]", "61 62 63 64"))`, `"abcd"`},
		{`repr(dec("char[4]", "c3 a9 00 00"))`, `"é"`},
		{`repr(dec("char[4]", "61 00 62 00"))`, `b"a\x00b\x00"`},
		{`repr(dec("char[4]", "00 00 00 01"))`, `b"\x00\x00\x00\x01"`},
		{`repr(dec("char[4]", "61 c3 00 00"))`, `b"a\xc3\x00\x00"`},
		{`repr(dec("char[4]", "ff 00 00 00"))`, `b"\xff\x00\x00\x00"`},
		{`repr(dec("char[1]", "00"))`, `""`},
		{`dec("char[2][3]", "61 62 00 63 00 00")`, `("ab", "c")`},
		{`dec("char[2][3]", "61 62 00 63 00 64")`, `("ab", b"c\x00d")`},
	})
}

func TestBytes(t *testing.T) {
	check(t, nil, []expr{
		{`dec("bytes[3]", "00 ff 1f")`, `b"\x00\xff\x1f"`},
		{`dec("bytes[2][2]", "01 02 03 04")`, `(b"\x01\x02", b"\x03\x04")`},
		{`enc("bytes[3]", b"\x00\xff\x1f")`, `00 ff 1f`},
		{`enc("bytes[3]", b"\x00\xff")`, `got 2 bytes, want 3 bytes, such as unhex("00 1f ...")`},
		{`enc("bytes[3]", "abc")`, `got "abc", want 3 bytes, such as unhex("00 1f ...")`},
		{`enc("bytes[3]", [1, 2, 3])`, `got list of 3, want 3 bytes, such as unhex("00 1f ...")`},
		{`enc("bytes[3]", 1)`, `got 1, want 3 bytes, such as unhex("00 1f ...")`},
		{`enc("bytes[0]", b"")`, ``},
	})
}
