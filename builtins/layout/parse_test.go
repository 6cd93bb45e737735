package layout

import (
	"strings"
	"testing"
)

// spelled is a spelling and the one that its type has, or the error.
type spelled struct{ src, want string }

func checkSpelling(t *testing.T, tests []spelled) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.src, func(t *testing.T) {
			got := ""
			if typ, err := Parse(test.src); err != nil {
				got = err.Error()
			} else {
				got = typ.String()
			}
			if got != test.want {
				t.Errorf("Parse(%q)\n got %s\nwant %s", test.src, got, test.want)
			}
		})
	}
}

func TestParse(t *testing.T) {
	checkSpelling(t, []spelled{
		{"u32", "u32"},
		{"  u32\t", "u32"},
		{"u32;", "u32"},
		{"const volatile u32", "u32"},
		{"/* key */ u32 // of the map", "u32"},
		{"char[16]", "char[16]"},
		{"char [ 0x10 ]", "char[16]"},
		{"bytes[6]", "bytes[6]"},
		{"bytes[0]", "bytes[0]"},
		{"u8[6]", "u8[6]"},
		{"u32[2][3]", "u32[2][3]"},
		{"char[4][16]", "char[4][16]"},
		{"bytes[4][6]", "bytes[4][6]"},
		{"ipv4[2]", "ipv4[2]"},
		{"void *", "void *"},
		{"const char *", "void *"},
		{"u32 **[4]", "void *[4]"},
		{"struct { u32 a; }[2]", "struct { u32 a; }[2]"},
	})
}

func TestParseErrors(t *testing.T) {
	checkSpelling(t, []spelled{
		{"", `type "", column 1: got the end, want a type`},
		{"  ", `type "  ", column 3: got the end, want a type`},
		{"// u32", `type "// u32", column 7: got the end, want a type`},
		{"/* u32", `type "/* u32", column 7: got the end, want a type`},
		{"4", `type "4", column 1: got "4", want a type`},
		{`"u32"`, `type "\"u32\"", column 1: got "\"u32\"", want a type`},
		{`struct { u32 ""; }`, `type "struct { u32 \"\"; }", column 14: got "\"\"", want the name of a field`},
		{`struct { u32 "a; }`, `type "struct { u32 \"a; }", column 14: got "\"a; }", want the name of a field`},
		{`struct { u32 "\x1b"; u8 "\x1b"; }`, `type "struct { u32 \"\\x1b\"; u8 \"\\x1b\"; }", column 25: two fields named "\x1b"`},
		{"u33", `type "u33", column 1: no type u33 (did you mean u32?)`},
		{"IPV4", `type "IPV4", column 1: no type IPV4 (did you mean ipv4?)`},
		{"uint32", `type "uint32", column 1: no type uint32 (did you mean uint32_t?)`},
		{"strukt { u32 a; }", `type "strukt { u32 a; }", column 1: no type strukt (did you mean struct?)`},
		{"quite something", `type "quite something", column 1: no type quite`},
		{"unsigned itn", `type "unsigned itn", column 10: got "itn" after the type`},
		{"unsigned double", `type "unsigned double", column 10: got "double" after the type`},
		{"short char", `type "short char", column 1: no type short char`},
		{"u32 u32", `type "u32 u32", column 5: got "u32" after the type`},
		{"u32;;", `type "u32;;", column 5: got ";" after the type`},
		{"u32)", `type "u32)", column 4: got ")" after the type`},
		{"u32\x00", `type "u32\x00", column 4: got "\x00" after the type`},
		{"u32[", `type "u32[", column 5: got the end, want the number of elements`},
		{"u32[]", `type "u32[]", column 5: got "]", want the number of elements`},
		{"u32[n]", `type "u32[n]", column 5: got "n", want the number of elements`},
		{"u32[-1]", `type "u32[-1]", column 5: got "-", want the number of elements`},
		{"u32[08]", `type "u32[08]", column 5: got "08", want the number of elements`},
		{"u32[4", `type "u32[4", column 6: got the end, want "]"`},
		{"u32[4 4]", `type "u32[4 4]", column 7: got "4", want "]"`},
		{"u8[268435457]", `type "u8[268435457]", column 4: 268435457 is too large for the number of elements`},
		{"u8[99999999999999999999]", `type "u8[99999999999999999999]", column 4: 99999999999999999999 is too large for the number of elements`},
		{"u32[268435456]", `type "u32[268435456]", column 15: a type of more than 268435456 bytes is too large`},
		{"u8[65536][65536]", `type "u8[65536][65536]", column 17: a type of more than 268435456 bytes is too large`},
		{"u8[268435456][0][2]", `type "u8[268435456][0][2]", column 20: a type of more than 268435456 bytes is too large`},
		{"u8[1][1][1][1][1][1][1][1][1]", `type "u8[1][1][1][1][1][1][1][1][1]", column 28: an array of more than 8 dimensions`},
		{"bytes", `type "bytes", column 1: bytes needs a size, such as bytes[6]`},
		{"void", `type "void", column 1: void is no type of a value; void * is a pointer`},
		{"void[4]", `type "void[4]", column 1: void is no type of a value; void * is a pointer`},
		{"é", `type "é", column 1: got "é", want a type`},
		{"u32 é", `type "u32 é", column 5: got "é" after the type`},
		{"struct { /* é */ u33 a; }", `type "struct { /* é */ u33 a; }", column 18: no type u33 (did you mean u32?)`},
		{"\xff", `type "\xff", column 1: got "\xff", want a type`},
		{strings.Repeat("é", 40) + "!", `type "` + strings.Repeat("é", 38) + `...", column 1: got "é", want a type`},
		{strings.Repeat(" ", 64<<10) + "u8", `a type of 65538 bytes is too long (at most 65536)`},
	})
}

// The limits are what keeps the parser from growing with the text: each of these is refused, and at once.
func TestParseLimits(t *testing.T) {
	deep := strings.Repeat("struct { ", 33) + "u8 a;" + strings.Repeat("} a;", 33)
	for _, test := range []struct{ name, src, want string }{
		{"structs", deep, "more than 32 structs inside each other"},
		{"dimensions", "u8" + strings.Repeat("[1]", 10_000), "an array of more than 8 dimensions"},
		{"stars", "u8 " + strings.Repeat("*", 60_000) + "!", `got "!" after the type`},
		{"words", strings.Repeat("unsigned ", 7_000), "no type unsigned unsigned"},
		{"size", "struct { u8 a[268435456]; u8 b; }", "a struct of more than 268435456 bytes is too large"},
		{"elements without bytes", "struct { struct { } a[268435456][2]; }", "a type of more than 268435456 bytes is too large"},
		{"repetition", strings.Repeat("struct { ", 20) + "u8 none[0];" + strings.Repeat("} a, b, c, d, e, f, g, h;", 20), "when it is written out"},
		{"repeated enum", "struct { enum { " + strings.Repeat("A", 30_000) + " } a, b, c, d; }", "when it is written out"},
		{"fields", "struct { u8 a[200000000], b[200000000]; }", "a struct of more than 268435456 bytes is too large"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := Parse(test.src); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}
