package render

import (
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"go.starlark.net/starlark"
)

func write(t *testing.T, v starlark.Value, o Options) string {
	t.Helper()
	var sb strings.Builder
	if err := Write(&sb, v, o); err != nil {
		return sb.String() + "! " + err.Error()
	}
	return sb.String()
}

// TestFormats has each kind of value in each format.
func TestFormats(t *testing.T) {
	huge := starlark.MakeBigInt(new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1)))
	nested := plainMap(vals(1, plainMap(vals(5, uint64(1<<63)))), vals(2, &fakeMap{Value: starlark.None, unlisted: true}))
	hinted := record("at", 5, "n", 1)
	hinted.labels = map[string]string{"at": "02:03 (1s ago)"}
	for _, test := range []struct {
		name string
		v    starlark.Value
		want map[Format]string
	}{
		{"map", flows(), map[Format]string{
			FormatTable: `
<hash "flows" key=ipv4 value=u64 id=7>
saddr      port               packets  comm
ipv4       be16                   u64  char[16]
10.0.0.1    443  18446744073709551615  curl
10.0.0.20    53                     7  a,"b"|\t\x1b[2J\n\
2 entries
`,
			FormatJSON: `
[
{"key":{"saddr":"10.0.0.1","port":443},"value":{"packets":18446744073709551615,"comm":"curl"}},
{"key":{"saddr":"10.0.0.20","port":53},"value":{"packets":7,"comm":"a,\"b\"|\t\u001b[2J\n\\"}}
]
`,
			FormatJSONL: `
{"key":{"saddr":"10.0.0.1","port":443},"value":{"packets":18446744073709551615,"comm":"curl"}}
{"key":{"saddr":"10.0.0.20","port":53},"value":{"packets":7,"comm":"a,\"b\"|\t\u001b[2J\n\\"}}
`,
			FormatCSV: "\nkey.saddr,key.port,value.packets,value.comm\n10.0.0.1,443,18446744073709551615,curl\n" +
				"10.0.0.20,53,7,\"a,\"\"b\"\"|\t\x1b[2J\n\\\"\n",
			FormatTSV: "\nkey.saddr\tkey.port\tvalue.packets\tvalue.comm\n10.0.0.1\t443\t18446744073709551615\tcurl\n" +
				"10.0.0.20\t53\t7\ta,\"b\"|\\t\\x1b[2J\\n\\\\\n",
			FormatMarkdown: `
\<hash "flows" key=ipv4 value=u64 id=7\>

| saddr (ipv4) | port (be16) | packets (u64) | comm (char\[16\]) |
| --- | ---: | ---: | --- |
| 10.0.0.1 | 443 | 18446744073709551615 | curl |
| 10.0.0.20 | 53 | 7 | a,"b"\|\\t\\x1b\[2J\\n\\ |

2 entries
`,
		}},
		{"empty map", &fakeMap{Value: starlark.None, columns: flows().columns}, map[Format]string{
			FormatJSON: "\n[]\n", FormatJSONL: "\n", FormatCSV: "\nkey.saddr,key.port,value.packets,value.comm\n",
			FormatTSV: "\nkey.saddr\tkey.port\tvalue.packets\tvalue.comm\n",
		}},
		{"queue", &fakeMap{Value: starlark.None, unlisted: true}, map[Format]string{
			FormatTable: "\n<hash \"flows\" key=ipv4 value=u64 id=7>\n",
			FormatJSON:  "\n\"<hash \\\"flows\\\" key=ipv4 value=u64 id=7>\"\n",
			FormatTSV:   "\n<hash \"flows\" key=ipv4 value=u64 id=7>\n",
		}},
		{"keys", &fakeMap{Value: starlark.None, columns: []Column{{Fields: flows().columns[0].Fields}}, rows: [][]starlark.Value{flows().rows[0][:1]}}, map[Format]string{
			FormatTable: `
<hash "flows" key=ipv4 value=u64 id=7>
saddr     port
ipv4      be16
10.0.0.1   443
1 entry
`,
			FormatJSON: "\n[\n{\"saddr\":\"10.0.0.1\",\"port\":443}\n]\n", FormatTSV: "\nsaddr\tport\n10.0.0.1\t443\n",
		}},
		{"values", &fakeMap{Value: starlark.None, columns: []Column{{Type: "ktime", Shown: func(v starlark.Value) starlark.Value { return labelled{v, v.String() + "s ago"} }}}, rows: [][]starlark.Value{vals(5)}}, map[Format]string{
			FormatTable: "\n<hash \"flows\" key=ipv4 value=u64 id=7>\nvalue\nktime\n5s ago\n1 entry\n", FormatTSV: "\n5\n", FormatJSONL: "\n5\n",
		}},
		{"map of maps", nested, map[Format]string{
			FormatJSONL: `
{"key":1,"value":[{"key":5,"value":9223372036854775808}]}
{"key":2,"value":"<hash \"flows\" key=ipv4 value=u64 id=7>"}
`,
			FormatTSV: `
key	value
1	[{"key":5,"value":9223372036854775808}]
2	<hash "flows" key=ipv4 value=u64 id=7>
`,
		}},
		{"per CPU", plainMap(vals(1, tuple(5, 6))), map[Format]string{
			FormatJSONL: "\n{\"key\":1,\"value\":[5,6]}\n",
			FormatCSV:   "\nkey,value\n1,\"[5,6]\"\n",
			FormatTable: "\n<hash \"flows\" key=ipv4 value=u64 id=7>\nkey  value\nu32  u64\n  1  (5, 6)\n1 entry\n",
		}},
		{"record", hinted, map[Format]string{
			FormatTable:    "\nfield  value\nat     02:03 (1s ago)\nn      1\n",
			FormatJSON:     "\n{\"at\":5,\"n\":1}\n",
			FormatJSONL:    "\n{\"at\":5,\"n\":1}\n",
			FormatCSV:      "\nat,n\n5,1\n",
			FormatTSV:      "\nat\tn\n5\t1\n",
			FormatMarkdown: "\n| field | value |\n| --- | --- |\n| at | 02:03 (1s ago) |\n| n | 1 |\n",
		}},
		{"records", list(hinted, record("at", 0, "n", nil)), map[Format]string{
			FormatTable: "\nat                 n\n02:03 (1s ago)     1\n0               None\n2 rows\n",
			FormatJSON:  "\n[\n{\"at\":5,\"n\":1},\n{\"at\":0,\"n\":null}\n]\n",
			FormatJSONL: "\n{\"at\":5,\"n\":1}\n{\"at\":0,\"n\":null}\n",
			FormatCSV:   "\nat,n\n5,1\n0,\n",
		}},
		{"records in records", list(record("a", 1, "in", record("b", 2, "c", 3))), map[Format]string{
			FormatCSV: "\na,in.b,in.c\n1,2,3\n",
		}},
		{"record without fields", record(), map[Format]string{FormatTable: "\nfield  value\n", FormatJSON: "\n{}\n", FormatCSV: "\nvalue\n{}\n", FormatTSV: "\n{}\n"}},
		{"records that differ", list(record("a", 1), record("b", 2)), map[Format]string{
			FormatTable: "\n[record(a=1), record(b=2)]\n",
			FormatCSV:   "\nvalue\n\"{\"\"a\"\":1}\"\n\"{\"\"b\"\":2}\"\n",
		}},
		{"pairs", list(tuple("x", record("n", 1)), tuple("y", record("n", 2))), map[Format]string{
			FormatTable: "\nkey  n\nx    1\ny    2\n2 rows\n",
			FormatJSON:  "\n[[\"x\",{\"n\":1}],[\"y\",{\"n\":2}]]\n",
			FormatTSV:   "\nkey\tvalue.n\nx\t1\ny\t2\n",
		}},
		{"pairs and others", list(tuple("x", 1), tuple("y", 2, 3)), map[Format]string{FormatTSV: "\n[\"x\",1]\n[\"y\",2,3]\n"}},
		{"a value that should be a record", &fakeMap{Value: starlark.None, columns: flows().columns, rows: [][]starlark.Value{vals("x", record("packets", 1, "comm", "y"))}}, map[Format]string{
			FormatTable: "\n<hash \"flows\" key=ipv4 value=u64 id=7>\nsaddr  port  packets  comm\nipv4   be16      u64  char[16]\nx                  1  y\n1 entry\n",
			FormatCSV:   "\nkey.saddr,key.port,value.packets,value.comm\nx,,1,y\n",
		}},
		{"records in dicts", list(dict("key", record("n", 1), "rate", 2), dict("key", record("n", 3), "rate", 4)), map[Format]string{
			FormatTable: "\nn  rate\n1     2\n3     4\n2 rows\n",
			FormatJSONL: "\n{\"key\":{\"n\":1},\"rate\":2}\n{\"key\":{\"n\":3},\"rate\":4}\n",
			FormatTSV:   "\nkey.n\trate\n1\t2\n3\t4\n",
		}},
		{"records in some dicts", list(dict("old", record("n", 1)), dict("old", nil)), map[Format]string{
			FormatTable: "\nold\nrecord(n=1)\nNone\n2 rows\n",
		}},
		{"dicts in a list", list(dict("a", 1, "b", "x"), dict("a", 2, "b", "y")), map[Format]string{
			FormatTable: "\na  b\n1  x\n2  y\n2 rows\n",
			FormatCSV:   "\na,b\n1,x\n2,y\n",
			FormatJSON:  "\n[\n{\"a\":1,\"b\":\"x\"},\n{\"a\":2,\"b\":\"y\"}\n]\n",
		}},
		{"dict", dict("a", 1, "b", list(2)), map[Format]string{
			FormatTable: "\nkey  value\na    1\nb    [2]\n2 entries\n",
			FormatJSON:  "\n{\"a\":1,\"b\":[2]}\n",
			FormatJSONL: "\n{\"key\":\"a\",\"value\":1}\n{\"key\":\"b\",\"value\":[2]}\n",
			FormatCSV:   "\nkey,value\na,1\nb,[2]\n",
		}},
		{"dict of numbers", list(dict(1, "a")), map[Format]string{FormatJSON: "\n[[{\"key\":1,\"value\":\"a\"}]]\n"}},
		{"dict of records", dict(1, record("n", 2)), map[Format]string{
			FormatJSON: "\n[\n{\"key\":1,\"value\":{\"n\":2}}\n]\n",
			FormatTSV:  "\nkey\tvalue.n\n1\t2\n",
		}},
		{"list", list(1, nil, "a\tb", []byte("\x00\xff"), 1.5), map[Format]string{
			FormatTable: "\n[1, None, \"a\\tb\", b\"\\x00\\xff\", 1.5]\n",
			FormatJSON:  "\n[1,null,\"a\\tb\",\"00 ff\",1.5]\n",
			FormatJSONL: "\n1\nnull\n\"a\\tb\"\n\"00 ff\"\n1.5\n",
			FormatCSV:   "\nvalue\n1\n\"\"\na\tb\n00 ff\n1.5\n",
			FormatTSV:   "\n1\n\na\\tb\n00 ff\n1.5\n",
		}},
		{"empty list", list(), map[Format]string{FormatTable: "\n[]\n", FormatJSON: "\n[]\n", FormatJSONL: "\n", FormatCSV: "\nvalue\n", FormatTSV: "\n"}},
		{"iterable", &elements{Value: starlark.None, of: list(1, 2)}, map[Format]string{
			FormatTable: "\nkeys of a map\n", FormatJSON: "\n[\n1,\n2\n]\n", FormatJSONL: "\n1\n2\n", FormatTSV: "\n1\n2\n", FormatCSV: "\nvalue\n1\n2\n",
		}},
		{"text", val("a\tb\nc\x1b"), map[Format]string{
			FormatTable: "\na\tb\nc\\x1b\n", FormatJSON: "\n\"a\\tb\\nc\\u001b\"\n", FormatTSV: "\na\tb\nc\x1b\n", FormatMarkdown: "\na\\\\tb\\\\nc\\\\x1b\n",
		}},
		{"i128", huge, map[Format]string{
			FormatTable: "\n340282366920938463463374607431768211455\n", FormatJSON: "\n340282366920938463463374607431768211455\n",
			FormatCSV: "\n340282366920938463463374607431768211455\n",
		}},
		{"bool", val(true), map[Format]string{FormatTable: "\nTrue\n", FormatJSON: "\ntrue\n", FormatTSV: "\nTrue\n"}},
		{"floats", list(math.NaN(), math.Inf(1), math.Inf(-1), 1.0, 1e300), map[Format]string{
			FormatJSON: "\n[\"nan\",\"+inf\",\"-inf\",1.0,1e+300]\n", FormatTSV: "\nnan\n+inf\n-inf\n1.0\n1e+300\n",
		}},
		{"text that is not UTF-8", list("\xff\x00", "日本", "\u202e\u2028\u009b"), map[Format]string{
			FormatJSON: "\n[\"ff 00\",\"日本\",\"\\u202e\\u2028\\u009b\"]\n",
			FormatTSV:  "\n\\xff\\x00\n日本\n\\xe2\\x80\\xae\\xe2\\x80\\xa8\\xc2\\x9b\n",
		}},
	} {
		for format, want := range test.want {
			t.Run(test.name+"/"+format.String(), func(t *testing.T) {
				if got := "\n" + write(t, test.v, Options{Format: format}); got != want {
					t.Errorf("got %s\nwant %s\n(%q)", got, want, got)
				}
			})
		}
	}
}

// TestLimit cuts what people read, and the rest only where it is asked for.
func TestLimit(t *testing.T) {
	long := plainMap()
	for i := range 50 {
		long.rows = append(long.rows, vals(i, i))
	}
	d := dict("a", 1, "b", 2, "c", 3)
	for _, test := range []struct {
		name string
		v    starlark.Value
		o    Options
		rows int
		last string
	}{
		{"table", long, Options{}, 44, "50 entries (40 shown)"},
		{"table of 3", long, Options{Limit: 3}, 7, "50 entries (3 shown)"},
		{"whole table", long, Options{Limit: -1}, 54, "50 entries"},
		{"markdown", long, Options{Format: FormatMarkdown}, 46, "50 entries (40 shown)"},
		{"json", long, Options{Format: FormatJSON}, 52, "]"},
		{"json of 3", long, Options{Format: FormatJSON, Limit: 3}, 5, "]"},
		{"jsonl", long, Options{Format: FormatJSONL}, 50, `{"key":49,"value":49}`},
		{"jsonl of 3", long, Options{Format: FormatJSONL, Limit: 3}, 3, `{"key":2,"value":2}`},
		{"csv", long, Options{Format: FormatCSV}, 51, "49,49"},
		{"csv of 3", long, Options{Format: FormatCSV, Limit: 3}, 4, "2,2"},
		{"tsv of 3", long, Options{Format: FormatTSV, Limit: 3}, 4, "2\t2"},
		{"dict", d, Options{Format: FormatJSON, Limit: 2}, 1, `{"a":1,"b":2}`},
		{"dict as a table", d, Options{Limit: 2}, 4, "3 entries (2 shown)"},
		{"list", list(1, 2, 3), Options{Format: FormatJSON, Limit: 2}, 4, "]"},
		{"records", list(record("a", 1), record("a", 2)), Options{Limit: 1}, 3, "2 rows (1 shown)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			lines := strings.Split(strings.TrimSuffix(write(t, test.v, test.o), "\n"), "\n")
			if len(lines) != test.rows || lines[len(lines)-1] != test.last {
				t.Errorf("%d lines, the last %q, want %d and %q", len(lines), lines[len(lines)-1], test.rows, test.last)
			}
		})
	}
}

// TestTerminal escapes what goes to a terminal, in every format.
func TestTerminal(t *testing.T) {
	text := "a\x1b[2J\u202e\tb\n"
	for _, v := range []starlark.Value{flows(), val(text), list(text), record("a", text), dict(text, text), plainMap(vals(1, text))} {
		for i := range formatNames {
			out := write(t, v, Options{Format: Format(i), Terminal: true})
			if strings.ContainsFunc(out, dangerous) {
				t.Errorf("%s: %q has a control character", Format(i), out)
			}
		}
	}
}

// TestFailure keeps the rows before it, and closes what it reads.
func TestFailure(t *testing.T) {
	want := map[Format]string{
		FormatTable: "! lookup: the map is gone", FormatMarkdown: "! lookup: the map is gone",
		FormatJSON:  "[\n{\"key\":1,\"value\":2}! lookup: the map is gone",
		FormatJSONL: "{\"key\":1,\"value\":2}\n! lookup: the map is gone",
		FormatCSV:   "key,value\n1,2\n! lookup: the map is gone", FormatTSV: "key\tvalue\n1\t2\n! lookup: the map is gone",
	}
	for format, want := range want {
		m := plainMap(vals(1, 2))
		m.broken = errBroken
		if got := write(t, m, Options{Format: format}); got != want {
			t.Errorf("%s: got %q, want %q", format, got, want)
		}
		if m.closed != 1 {
			t.Errorf("%s: closed %d times", format, m.closed)
		}
		for _, limit := range []int{-1, 1} {
			e := &elements{Value: starlark.None, of: list(record("a", 1), record("a", 2))}
			write(t, e, Options{Format: format, Limit: limit})
			if want := 1; !format.forPeople() && e.closed != want {
				t.Errorf("%s: iterator closed %d times, want %d", format, e.closed, want)
			}
		}
	}
	odd := &elements{Value: starlark.None, of: list(record("a", 1), 5)}
	if got, want := write(t, odd, Options{Format: FormatCSV}), "a\n1\n! row 2: int does not fit under the columns of the first row"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestHost begins lines of JSON with the machine, and nothing else.
func TestHost(t *testing.T) {
	own := plainMap(vals(1, 2))
	own.columns = []Column{{Name: "host"}, {Name: "n"}}
	for _, test := range []struct {
		v    starlark.Value
		want string
	}{
		{val(5), "{\"host\":\"a\\\"b\",\"value\":5}\n"},
		{val("{x"), "{\"host\":\"a\\\"b\",\"value\":\"{x\"}\n"},
		{plainMap(vals(1, 2)), "{\"host\":\"a\\\"b\",\"key\":1,\"value\":2}\n"},
		{list(record("n", 1), dict("n", 2), dict()), "{\"host\":\"a\\\"b\",\"n\":1}\n{\"host\":\"a\\\"b\",\"n\":2}\n{\"host\":\"a\\\"b\"}\n"},
		{list(tuple(1, 2)), "{\"host\":\"a\\\"b\",\"value\":[1,2]}\n"},
		{record("n", 1), "{\"host\":\"a\\\"b\",\"n\":1}\n"},
		{list(record("host", 1)), "{\"host\":1}\n"},
		{own, "{\"host\":1,\"n\":2}\n"},
	} {
		if got := write(t, test.v, Options{Format: FormatJSONL, Host: `a"b`}); got != test.want {
			t.Errorf("%s: got %q, want %q", test.v, got, test.want)
		}
		for _, format := range []Format{FormatTable, FormatJSON, FormatCSV, FormatTSV, FormatMarkdown} {
			if got, want := write(t, test.v, Options{Format: format, Host: "there"}), write(t, test.v, Options{Format: format}); got != want {
				t.Errorf("%s of %s: got %q, want %q", format, test.v, got, want)
			}
		}
	}
}

// TestCycle finds a value that holds itself.
func TestCycle(t *testing.T) {
	l := list(1)
	l.Append(l)
	d := dict("a", 1)
	d.SetKey(starlark.String("d"), d)
	for _, v := range []starlark.Value{l, d, list(d)} {
		for _, format := range []Format{FormatJSON, FormatJSONL, FormatCSV, FormatTSV} {
			var sb strings.Builder
			if err := Write(&sb, v, Options{Format: format}); !errors.Is(err, errDepth) {
				t.Errorf("%s of %s: got %v, want %v", format, v, err, errDepth)
			}
		}
	}
}

func TestParseFormat(t *testing.T) {
	for i, name := range FormatNames() {
		if f, err := ParseFormat(name); err != nil || f != Format(i) || f.String() != name {
			t.Errorf("%s: got %v, %v", name, f, err)
		}
	}
	_, err := ParseFormat("jsno")
	if want := `format "jsno": want table, json, jsonl, csv, tsv or markdown`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestEcho writes values as a script does, but for those with rows.
func TestEcho(t *testing.T) {
	for _, test := range []struct {
		v    starlark.Value
		o    Options
		want string
	}{
		{val("a\n"), Options{}, `"a\n"`},
		{record("a", 1), Options{}, "record(a=1)"},
		{list(record("a", 1)), Options{}, "a\n1\n1 row"},
		{plainMap(vals(1, 2)), Options{}, "<hash \"flows\" key=ipv4 value=u64 id=7>\nkey  value\nu32    u64\n  1      2\n1 entry"},
		{val("a\n"), Options{Format: FormatJSON}, `"a\n"`},
		{record("a", 1), Options{Format: FormatJSONL}, `{"a":1}`},
	} {
		if got, err := test.o.Echo(test.v); err != nil || got != test.want {
			t.Errorf("%s: got %q, %v, want %q", test.v, got, err, test.want)
		}
	}
}

// pieces counts what it gets, and finds text that does not end with a line.
type pieces struct{ n, odd int }

func (p *pieces) Write(b []byte) (int, error) {
	if p.n++; b[len(b)-1] != '\n' {
		p.odd++
	}
	return len(b), nil
}

// TestPieces hands whole lines on, some at a time.
func TestPieces(t *testing.T) {
	m := plainMap()
	for i := range 20000 {
		m.rows = append(m.rows, vals(i, "日本"))
	}
	for _, format := range []Format{FormatJSON, FormatJSONL, FormatCSV, FormatTSV} {
		p := &pieces{}
		if err := Write(p, m, Options{Format: format}); err != nil || p.odd > 0 || p.n < 5 {
			t.Errorf("%s: %v, %d pieces, of which %d do not end with a line", format, err, p.n, p.odd)
		}
	}
	if err := Write(failing{}, m, Options{Format: FormatTSV}); err != errBroken {
		t.Errorf("got %v, want the writer's error", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errBroken }
