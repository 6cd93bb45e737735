package render

import (
	"regexp"
	"strings"
	"testing"

	"go.starlark.net/starlark"
)

// TestTableWidths lines columns up by what a terminal shows, and lets no cell break a line.
func TestTableWidths(t *testing.T) {
	table := &Table{
		Columns: []Column{{Name: "name", Type: "char[16]"}, {Name: "n", Type: "u64"}},
		Rows: [][]starlark.Value{
			vals("日本", 1),
			vals("evil\x1b[2J\n\trow", uint64(1<<64-1)),
			vals("é👍", 22),
		},
		Total: 1234567, Noun: "entry", Nouns: "entries",
	}
	lines := strings.Split(table.String(), "\n")
	if len(lines) != 6 {
		t.Fatalf("got %d lines, want 6:\n%s", len(lines), table)
	}
	for _, l := range lines[:5] {
		if w := width(l); w != 40 {
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

func nestedTable() *Table {
	return &Table{
		Title: "outer \x1b[1m ", Columns: keyValue, Rows: [][]starlark.Value{vals(1, "one"), vals(2, "two")},
		Total: 2, Noun: "entry", Nouns: "entries",
		Parts: []*Table{{
			Title: "1: one", Columns: []Column{{Name: "k", Type: "u32"}, {Name: "v", Type: "struct { u64 packets; }"}},
			Rows:  [][]starlark.Value{vals(1, "long enough to be too wide")},
			Total: 1, Noun: "entry", Nouns: "entries",
			Parts: []*Table{{Title: "deeper"}},
		}},
	}
}

// TestLayout has tables as they are, narrow, and in colour.
func TestLayout(t *testing.T) {
	wide := record("name", "x", "path", "/sys/fs/bpf/a/very/long/path")
	for _, test := range []struct {
		name string
		t    *Table
		o    Options
		want string
	}{
		{"nested", nestedTable(), Options{}, `
outer \x1b[1m
key  value
  1  one
  2  two
2 entries
  1: one
    k  v
  u32  struct { u64 packets; }
    1  long enough to be too wide
  1 entry
    deeper`},
		{"nested and narrow", nestedTable(), Options{Width: 24}, `
outer \x1b[1m
key  value
  1  one
  2  two
2 entries
  1: one
  -[ entry 1 ]-
  k  1
  v  long enough to be t
     oo wide
  1 entry
    deeper`},
		{"colour", nestedTable(), Options{Color: true}, "\nouter \\x1b[1m\n\x1b[1mkey  value\x1b[0m\n  1  one\n  2  two\n2 entries\n" +
			"  1: one\n  \x1b[1m  k  v\x1b[0m\n  \x1b[2mu32  struct { u64 packets; }\x1b[0m\n    1  long enough to be too wide\n  1 entry\n    deeper"},
		{"types are cut first", &Table{Columns: []Column{{Name: "k", Type: "u32"}, {Name: "value", Type: "struct { u64 packets; }"}}, Rows: [][]starlark.Value{vals(1, 2)}},
			Options{Width: 20}, `
  k         value
u32  struct { u6…
  1             2`},
		{"narrow record", must(tableOf(nil, wide, -1)), Options{Width: 26}, `
field  value
name   x
path   /sys/fs/bpf/a/very/
       long/path`},
		{"narrow record in colour", must(tableOf(nil, wide, -1)), Options{Width: 26, Color: true}, "\n\x1b[1mfield  value\x1b[0m\n" + `name   x
path   /sys/fs/bpf/a/very/
       long/path`},
		{"wide characters are not cut in two", &Table{Columns: []Column{{Name: "a"}}, Rows: [][]starlark.Value{vals("日本日本日本日本日本日本")}}, Options{Width: 20, Color: true},
			"\n\x1b[1m-[ row 1 ]-\x1b[0m\na  日本日本日本日本\n   日本日本"},
		{"no rows", &Table{Columns: []Column{{Name: "a long name"}, {Name: "another long name"}}, Nouns: "rows"}, Options{Width: 20, Color: true},
			"\n\x1b[1ma long name  another long name\x1b[0m\n0 rows"},
		{"long names", &Table{Columns: []Column{{Name: "a name longer than half"}, {Name: "b"}}, Rows: [][]starlark.Value{vals("x y", 2)}}, Options{Width: 1}, `
-[ row 1 ]-
a name lo…  x y
b           2`},
		{"ends", &Table{Columns: []Column{{Name: "a"}, {Name: "b"}}, Rows: [][]starlark.Value{vals("x", ""), vals("y", "z  ")}}, Options{}, "\na  b\nx\ny  z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := "\n" + test.t.layout(test.o); got != test.want {
				t.Errorf("got %s\nwant %s\n(%q)", got, test.want, got)
			}
		})
	}
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

// TestMarkdown has parts behind their table, and nothing that a reader of Markdown would obey.
func TestMarkdown(t *testing.T) {
	table := nestedTable()
	table.Rows[0][1] = starlark.String("[x](http://y) <b> `c` _d_ max_entries a|b $1 &amp; **")
	want := `
outer \\x1b\[1m

| key | value |
| ---: | --- |
| 1 | \[x\](http://y) \<b\> \` + "`c\\`" + ` \_d\_ max_entries a\|b \$1 \&amp; \*\* |
| 2 | two |

2 entries

1: one

| k (u32) | v (struct { u64 packets; }) |
| ---: | --- |
| 1 | long enough to be too wide |

1 entry

deeper`
	if got := "\n" + table.markdown(Options{}); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

var colours = regexp.MustCompile("\x1b\\[[0-9]+m")

// TestColorAddsNothing finds the same text with and without colour, at every width.
func TestColorAddsNothing(t *testing.T) {
	for _, v := range []starlark.Value{flows(), record("a", 1, "b", strings.Repeat("x", 50)), list(record("a", 1)), dict("a", 1), val("x")} {
		for width := range 100 {
			with, without := write(t, v, Options{Width: width, Color: true}), write(t, v, Options{Width: width})
			if got := colours.ReplaceAllString(with, ""); got != without {
				t.Errorf("width %d: %q in colour, %q without", width, got, without)
			}
		}
	}
}
