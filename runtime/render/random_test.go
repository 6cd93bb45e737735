package render

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"go.starlark.net/starlark"
)

// randomText has what is difficult in texts.
func randomText(r *rand.Rand) string {
	const difficult = "ab ,\"'|\\\t\n\r\x00\x1b\x7f\u009b\u202e\u2028日本👍é_*<>&`\uFFFD"
	runes := []rune(difficult)
	var sb strings.Builder
	for range r.IntN(8) {
		sb.WriteRune(runes[r.IntN(len(runes))])
	}
	if r.IntN(10) == 0 {
		sb.WriteByte(0xff)
	}
	return sb.String()
}

func randomInt(r *rand.Rand) starlark.Int {
	n := new(big.Int).SetUint64(r.Uint64())
	n.Lsh(n, 64).Add(n, new(big.Int).SetUint64(r.Uint64()))
	n.Rsh(n, uint(r.IntN(128)))
	if r.IntN(2) == 0 {
		n.Neg(n)
	}
	return starlark.MakeBigInt(n)
}

func randomScalar(r *rand.Rand) starlark.Value {
	switch r.IntN(7) {
	case 0:
		return starlark.None
	case 1:
		return starlark.Bool(r.IntN(2) == 0)
	case 2:
		return starlark.Float(r.NormFloat64())
	case 3:
		return starlark.Bytes(randomText(r))
	case 4:
		return starlark.String(randomText(r))
	default:
		return randomInt(r)
	}
}

func randomValue(r *rand.Rand, depth int) starlark.Value {
	if depth == 0 || r.IntN(3) == 0 {
		return randomScalar(r)
	}
	var inner []starlark.Value
	for range r.IntN(4) {
		inner = append(inner, randomValue(r, depth-1))
	}
	switch r.IntN(5) {
	case 0:
		return starlark.Tuple(inner)
	case 1:
		d := starlark.NewDict(len(inner))
		for i, v := range inner {
			if r.IntN(5) == 0 {
				d.SetKey(starlark.MakeInt(i), v)
			} else {
				d.SetKey(starlark.String(randomText(r)), v)
			}
		}
		return d
	case 2:
		rec := &rec{Value: starlark.None}
		for i, v := range inner {
			rec.names, rec.values = append(rec.names, fmt.Sprintf("f%d", i)), append(rec.values, v)
		}
		return rec
	case 3:
		m := plainMap()
		for i, v := range inner {
			m.rows = append(m.rows, []starlark.Value{starlark.MakeInt(i), v})
		}
		return m
	default:
		return starlark.NewList(inner)
	}
}

// decoded is what a JSON document of v should decode to.
func decoded(v starlark.Value) any {
	switch v := v.(type) {
	case starlark.NoneType:
		return nil
	case starlark.Bool:
		return bool(v)
	case starlark.Int, starlark.Float:
		return json.Number(v.String())
	case starlark.Bytes:
		return fmt.Sprintf("% x", string(v))
	case starlark.String:
		if s := string(v); strings.ToValidUTF8(s, "") == s {
			return s
		}
		return fmt.Sprintf("% x", string(v))
	case *fakeMap:
		l := []any{}
		for _, row := range v.rows {
			l = append(l, map[string]any{"key": decoded(row[0]), "value": decoded(row[1])})
		}
		return l
	case Fielder:
		o := map[string]any{}
		for i, name := range v.Fields() {
			o[name] = decoded(v.Field(i))
		}
		return o
	case *starlark.Dict:
		o, l := map[string]any{}, []any{}
		for _, item := range v.Items() {
			l = append(l, map[string]any{"key": decoded(item[0]), "value": decoded(item[1])})
			if s, ok := item[0].(starlark.String); ok && o != nil && strings.ToValidUTF8(string(s), "") == string(s) {
				o[string(s)] = decoded(item[1])
			} else {
				o = nil
			}
		}
		if o != nil {
			return o
		}
		return l
	case starlark.Indexable:
		l := []any{}
		for i := range v.Len() {
			l = append(l, decoded(v.Index(i)))
		}
		return l
	}
	panic(fmt.Sprintf("no JSON of %T", v))
}

func random(t testing.TB, seed uint64) *rand.Rand {
	t.Helper()
	return rand.New(rand.NewPCG(seed, 1))
}

// harmless finds what a terminal could obey; newlines aside.
func harmless(t *testing.T, what, text string) {
	t.Helper()
	if bad := strings.IndexFunc(strings.ReplaceAll(text, "\n", ""), dangerous); bad >= 0 {
		t.Errorf("%s: a control character in %q", what, text)
	}
}

func decode(t *testing.T, text string) (x any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&x); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	if _, err := d.Token(); err != io.EOF {
		t.Fatalf("more than one document in %q", text)
	}
	return x
}

// TestRandom writes values of every shape in every format, and reads the exact ones back.
func TestRandom(t *testing.T) {
	for seed := range uint64(4000) {
		checkRandom(t, seed)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func checkRandom(t *testing.T, seed uint64) {
	r := random(t, seed)
	v := randomValue(r, 4)
	want := must(json.Marshal(decoded(v)))
	one := write(t, v, Options{Format: FormatJSON})
	harmless(t, "json", one)
	if got := must(json.Marshal(decode(t, one))); !bytes.Equal(got, want) {
		t.Errorf("json: %s, want %s", got, want)
	}
	if got := must(json.Marshal(decode(t, string(must(JSON(v)))))); !bytes.Equal(got, want) {
		t.Errorf("JSON: %s, want %s", got, want)
	}
	width := 20 + r.IntN(60)
	for _, o := range []Options{{Width: width}, {}, {Format: FormatMarkdown}, {Format: FormatJSONL}} {
		text := write(t, v, o)
		if _, ok := v.(starlark.String); !ok {
			harmless(t, o.Format.String(), strings.ReplaceAll(text, "\t", "\x1b"))
		}
		for line := range strings.Lines(text) {
			if o.Format == FormatJSONL {
				decode(t, line)
			}
			if _, ok := v.(starlark.String); !ok && o.Format == FormatTable && strings.HasSuffix(line, " \n") {
				t.Errorf("spaces at the end of %q", line)
			}
		}
	}
}

// TestRandomRows reads the cells of rows back out of CSV and TSV, and finds every line of a narrow table narrow.
func TestRandomRows(t *testing.T) {
	for seed := range uint64(2000) {
		r := random(t, seed)
		columns := 1 + r.IntN(4)
		l, want := starlark.NewList(nil), [][]string{}
		for range 1 + r.IntN(5) {
			var rec = &rec{Value: starlark.None}
			var cells []string
			for i := range columns {
				s := randomText(r)
				rec.names, rec.values, cells = append(rec.names, strconv.Itoa(i)), append(rec.values, starlark.String(s)), append(cells, s)
			}
			l.Append(rec)
			want = append(want, cells)
		}
		got := must(csv.NewReader(strings.NewReader(write(t, l, Options{Format: FormatCSV}))).ReadAll())[1:]
		lines := strings.Split(strings.TrimSuffix(write(t, l, Options{Format: FormatTSV}), "\n"), "\n")[1:]
		if len(got) != len(want) || len(lines) != len(want) {
			t.Fatalf("seed %d: %d rows of CSV and %d of TSV, want %d", seed, len(got), len(lines), len(want))
		}
		for i := range want {
			tabs := strings.Split(lines[i], "\t")
			if len(tabs) != columns || len(got[i]) != columns {
				t.Fatalf("seed %d: %d cells of CSV and %d of TSV, want %d", seed, len(got[i]), len(tabs), columns)
			}
			for j, cell := range want[i] {
				if want := strings.ReplaceAll(cell, "\r\n", "\n"); got[i][j] != want { // as Go's reader gives it
					t.Errorf("seed %d: CSV has %q, want %q", seed, got[i][j], want)
				}
				if back := copied(tabs[j]); back != cell {
					t.Errorf("seed %d: TSV has %q, of %q", seed, tabs[j], cell)
				}
				harmless(t, "tsv", strings.ReplaceAll(tabs[j], "\t", "\x1b"))
			}
		}
		limit := 20 + r.IntN(30)
		text := strings.TrimSuffix(write(t, l, Options{Width: limit}), "\n")
		if n := widest(nil, text); n > limit {
			t.Errorf("seed %d: %d columns wide, want %d:\n%s", seed, n, limit, text)
		}
		if t.Failed() {
			return
		}
	}
}

// copied reads a cell of TSV as PostgreSQL does.
func copied(cell string) string {
	var out []byte
	for i := 0; i < len(cell); i++ {
		if cell[i] != '\\' {
			out = append(out, cell[i])
			continue
		}
		i++
		switch cell[i] {
		case 't':
			out = append(out, '\t')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 'x':
			n, _ := strconv.ParseUint(cell[i+1:i+3], 16, 8)
			out, i = append(out, byte(n)), i+2
		default:
			out = append(out, cell[i])
		}
	}
	return string(out)
}

func FuzzValues(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { checkRandom(t, seed) })
}

func FuzzText(f *testing.F) {
	f.Add("a\x1b[2J\u202e\xff|\\\t\n", 20)
	f.Fuzz(func(t *testing.T, s string, width int) {
		harmless(t, "Escape", strings.ReplaceAll(Escape(s), "\t", ""))
		if Escape(Escape(s)) != Escape(s) {
			t.Errorf("%q is escaped twice", s)
		}
		v := starlark.NewList([]starlark.Value{record("name", s, "n", 1)})
		limit := 20 + abs(width)%100
		text := strings.TrimSuffix(write(t, v, Options{Width: limit}), "\n")
		harmless(t, "table", strings.ReplaceAll(text, "\t", "\x1b"))
		if n := widest(nil, text); n > limit {
			t.Errorf("%d columns wide, want %d: %q", n, limit, text)
		}
		if got := decode(t, string(must(JSON(starlark.String(s))))); strings.ToValidUTF8(s, "") == s && got != s {
			t.Errorf("JSON of %q is read as %q", s, got)
		}
		if got := copied(string(appendTSV(nil, []byte(s)))); got != s {
			t.Errorf("TSV of %q is read as %q", s, got)
		}
	})
}

func abs(n int) int {
	if n < 0 {
		return -(n + 1)
	}
	return n
}
