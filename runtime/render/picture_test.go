package render

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.starlark.net/starlark"
)

// key is an element of two fields, one of them wide and hostile.
type key struct{ name, port string }

func (k key) Fields() []string           { return []string{"name", "port"} }
func (k key) Field(i int) starlark.Value { return starlark.String([]string{k.name, k.port}[i]) }
func (k key) String() string             { return "key" }
func (k key) Type() string               { return "key" }
func (k key) Freeze()                    {}
func (k key) Truth() starlark.Bool       { return true }
func (k key) Hash() (uint32, error)      { return 0, nil }

var nan = math.NaN()

// pictures are one of each kind.
var pictures = map[string]Picture{
	"histogram": &Histogram{Label: "disk sda", Unit: "usecs", Buckets: []Bucket{
		{16, 32, 0}, {32, 64, 942}, {64, 128, 1803}, {128, 256, 2210}, {256, 512, 0}, {512, 1024, 0}, {1024, 2048, 0}, {2048, 4096, 0}, {4096, 8192, 33}, {8192, 16384, 0}, {16384, 32768, 1},
	}},
	"skew": &Skew{Values: []float64{48210, 47733, 1203, 46901, 0, 49012, 48800, 120331, 0}, Offline: []bool{8: true}},
	"ranking": &Ranking{
		Ranked: Ranked{By: "bytes", Head: "key", Elements: []starlark.Value{
			starlark.String("10.0.3.17:443"), starlark.String("evil\x1b]0;pwn\x07"), starlark.String("日本-proxy"),
		}, Values: []float64{8.31e9, 2.04e9, 9.2e8}},
		Count: 40314, Total: 1.62e10, Noun: "key",
	},
	"rates": &Rates{
		Ranked: Ranked{By: "bytes", Head: "key", Elements: []starlark.Value{key{"10.0.3.17", "443"}, key{"日本\x1b[2J", "80"}, key{"new", "1"}},
			Values: []float64{8.31e9, 2.04e9, 5}},
		Rows: []RateRow{
			{Now: 1440, Peak: 2010, History: []float64{nan, 1000, 2010, 1440}, Mark: "~"},
			{Now: nan, Note: "reset", Peak: 402, History: []float64{nan, 402, 201, nan}, Mark: "~"},
			{Now: nan, Peak: nan, History: []float64{nan}, Mark: "+"},
		},
		More: 7, Noun: "key", Every: time.Second,
	},
}

// TestPictures draws each kind as narrow and as wide as terminals are.
func TestPictures(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    Options
		want string
	}{
		{"histogram", Options{Width: 40}, `
disk sda  usecs  n=4.99k  p50 [64, 128)
p90 [128, 256)  p99 [128, 256)
    [32, 64)    942   18.9%  │████▎
   [64, 128)  1.80k   55.0%  │████████▏
  [128, 256)  2.21k   99.3%  │██████████
           …                 │
  [4Ki, 8Ki)     33  100.0%  │▏
 [8Ki, 16Ki)      0  100.0%  │
[16Ki, 32Ki)      1  100.0%  │▏`},
		{"histogram", Options{Width: 80}, `
disk sda  usecs  n=4.99k  p50 [64, 128)  p90 [128, 256)  p99 [128, 256)
    [32, 64)    942   18.9%  │█████████████████████▎
   [64, 128)  1.80k   55.0%  │████████████████████████████████████████▊
  [128, 256)  2.21k   99.3%  │██████████████████████████████████████████████████
           …                 │
  [4Ki, 8Ki)     33  100.0%  │▊
 [8Ki, 16Ki)      0  100.0%  │
[16Ki, 32Ki)      1  100.0%  │▏`},
		{"histogram", Options{Width: 40, ASCII: true}, `
disk sda  usecs  n=4.99k  p50 [64, 128)
p90 [128, 256)  p99 [128, 256)
    [32, 64)    942   18.9%  |####
   [64, 128)  1.80k   55.0%  |########
  [128, 256)  2.21k   99.3%  |##########
         ...                 |
  [4Ki, 8Ki)     33  100.0%  |#
 [8Ki, 16Ki)      0  100.0%  |
[16Ki, 32Ki)      1  100.0%  |#`},
		{"skew", Options{Width: 40}, `
cpu0  48.2k  13.3%  │██▍
cpu1  47.7k  13.2%  │██▍
cpu2  1.20k   0.3%  │▏
cpu3  46.9k  12.9%  │██▍
cpu4      0   0.0%  │        ← idle
cpu5  49.0k  13.5%  │██▌
cpu6  48.8k  13.5%  │██▍
cpu7   120k  33.2%  │██████  ← 2.7× mean
cpu8      0   0.0%  │        ← offline
sum 362k  mean 45.3k  max 120k
max/mean 2.7  ▄▄▁▄▁▄▄█▁`},
		{"skew", Options{}, `
cpu0  48.2k  13.3%  │██████████████████▍
cpu1  47.7k  13.2%  │██████████████████▎
cpu2  1.20k   0.3%  │▌
cpu3  46.9k  12.9%  │█████████████████▉
cpu4      0   0.0%  │                                                ← idle
cpu5  49.0k  13.5%  │██████████████████▊
cpu6  48.8k  13.5%  │██████████████████▋
cpu7   120k  33.2%  │██████████████████████████████████████████████  ← 2.7× mean
cpu8      0   0.0%  │                                                ← offline
sum 362k  mean 45.3k  max 120k  max/mean 2.7  ▄▄▁▄▁▄▄█▁`},
		{"skew", Options{Width: 80, ASCII: true}, `
cpu0  48.2k  13.3%  |##################
cpu1  47.7k  13.2%  |##################
cpu2  1.20k   0.3%  |#
cpu3  46.9k  12.9%  |##################
cpu4      0   0.0%  |                                               <- idle
cpu5  49.0k  13.5%  |##################
cpu6  48.8k  13.5%  |##################
cpu7   120k  33.2%  |#############################################  <- 2.7x mean
cpu8      0   0.0%  |                                               <- offline
sum 362k  mean 45.3k  max 120k  max/mean 2.7  ==_=_==@_`},
		{"ranking", Options{Width: 40}, `
#  key                 bytes  share
1  10.0.3.17:443       8.31G  51.3%
2  evil\x1b]0;pwn\x07  2.04G  12.6%
3  日本-proxy           920M   5.7%
  … 40,311 more keys, 30.4% of the total`},
		{"ranking", Options{Width: 80}, `
#  key                 bytes  share    cum
1  10.0.3.17:443       8.31G  51.3%  51.3%  ████████████████████████████████████
2  evil\x1b]0;pwn\x07  2.04G  12.6%  63.9%  ████████▉
3  日本-proxy           920M   5.7%  69.6%  ████
  … 40,311 more keys, 30.4% of the total`},
		{"ranking", Options{Width: 30, ASCII: true}, `
#  key                 bytes
1  10.0.3.17:443       8.31G
2  evil\x1b]0;pwn\x07  2.04G
3  日本-proxy           920M
  ... 40,311 more keys, 30.4%~`},
		{"rates", Options{Width: 40}, `
   name         port  bytes  now/s
~  10.0.3.17    443   8.31G  1.44k
~  日本\x1b[2J  80    2.04G  reset
+  new          1         5
  … 7 more keys`},
		{"rates", Options{Width: 80}, `
   name         port  bytes  now/s  peak/s  last 4s
~  10.0.3.17    443   8.31G  1.44k   2.01k   ▄█▆
~  日本\x1b[2J  80    2.04G  reset     402   █▅
+  new          1         5
  … 7 more keys; each line of rates has its own scale`},
		{"rates", Options{Width: 80, ASCII: true, Limit: 2}, `
   name         port  bytes  now/s  peak/s  last 4s
~  10.0.3.17    443   8.31G  1.44k   2.01k   =@*
~  日本\x1b[2J  80    2.04G  reset     402   @+
  ... 8 more keys; each line of rates has its own scale`},
	} {
		t.Run(fmt.Sprintf("%s/%d/%t", tt.name, tt.o.Width, tt.o.ASCII), func(t *testing.T) {
			if diff := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), pictures[tt.name].Draw(tt.o)); diff != "" {
				t.Errorf("the picture differs (-want +got):\n%s\n%s", diff, pictures[tt.name].Draw(tt.o))
			}
		})
	}
}

// TestPicturesFit draws each kind in all widths: no line is wider, and nothing that a terminal might obey is in it.
func TestPicturesFit(t *testing.T) {
	many := &Skew{Label: "packets", Values: make([]float64, 300), Offline: make([]bool, 300)}
	for i := range many.Values {
		many.Values[i] = float64(i * i % 97)
	}
	many.Values[7], many.Offline[9] = 1e6, true
	all := map[string]Picture{"many": many, "empty": &Histogram{}, "long": &Histogram{Label: strings.Repeat("日本", 50), Buckets: []Bucket{{0, 1, 1}}}}
	for name, p := range pictures {
		all[name] = p
	}
	for name, p := range all {
		for w := narrowest; w < 150; w += 1 + w/20 {
			for _, ascii := range []bool{false, true} {
				drawn := p.Draw(Options{Width: w, ASCII: ascii})
				for line := range strings.SplitSeq(drawn, "\n") {
					if width(line) > w {
						t.Errorf("%s, %d, %t: a line has %d columns: %q", name, w, ascii, width(line), line)
					}
				}
				if Escape(drawn) != drawn {
					t.Errorf("%s, %d, %t: it is not escaped: %q", name, w, ascii, drawn)
				}
				if ascii && strings.ContainsFunc(drawn, func(r rune) bool { return r > 0x7f && r != '日' && r != '本' }) {
					t.Errorf("%s, %d: it is not ASCII: %q", name, w, drawn)
				}
			}
		}
	}
	for _, p := range all { // and in colour the text is the same
		colored := p.Draw(Options{Width: 80, Color: true})
		if plain := strings.NewReplacer("\x1b[1m", "", "\x1b[2m", "", "\x1b[0m", "").Replace(colored); plain != p.Draw(Options{Width: 80}) || colored == plain {
			t.Errorf("in colour it is %q", colored)
		}
	}
}

// TestPictured shows a picture in a table's place alone.
func TestPictured(t *testing.T) {
	list := starlark.NewList([]starlark.Value{starlark.MakeInt(1)})
	o := Options{Pictures: func(v starlark.Value) Picture {
		if v == list {
			return &Histogram{Unit: "usecs"}
		}
		return nil
	}}
	for _, tt := range []struct {
		format Format
		v      starlark.Value
		want   string
	}{
		{FormatTable, list, "usecs  n=0"},
		{FormatTable, starlark.NewList(nil), "[]"},
		{FormatJSON, list, "[1]"},
		{FormatTSV, list, "1"},
		{FormatMarkdown, list, `\[1\]`},
	} {
		o.Format = tt.format
		for name, text := range map[string]func(starlark.Value) (string, error){"Text": o.Text, "Echo": o.Echo} {
			if got, err := text(tt.v); got != tt.want || err != nil {
				t.Errorf("%s in %s = %q, %v, want %q", name, tt.format, got, err, tt.want)
			}
		}
	}
}

// TestSkewedCPUs counts CPUs that do not run for the mean only if they have something, and names those without a line.
func TestSkewedCPUs(t *testing.T) {
	s := &Skew{Values: []float64{6, 0, 0, 3}, Offline: []bool{false, false, true, true}}
	if s.Mean() != 3 || s.Ratio() != 2 {
		t.Errorf("mean %v, ratio %v, want 3 and 2", s.Mean(), s.Ratio())
	}
	many := &Skew{Values: make([]float64, 40), Offline: make([]bool, 40)}
	for i := range 30 {
		many.Values[i] = 1
	}
	many.Values[12], many.Offline[38], many.Offline[39] = 70, true, true
	want := `
cpu0   ▁▁▁▁▁▁▁▁▁▁▁▁█▁▁▁▁▁▁▁▁▁▁▁
cpu24  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
cpu12  70  │██████████  ← 26.9× mean
sum 99  mean 2.61  max 70
max/mean 26.9  idle: 30-37
offline: 38-39`
	if got := many.Draw(Options{Width: 36}); "\n"+got != want {
		t.Errorf("many CPUs are drawn as\n%s\nwant%s", got, want)
	}
	if got := ranges([]int{0, 1, 2, 5, 7, 8}); got != "0-2,5,7-8" {
		t.Errorf("the ranges are %s", got)
	}
}

// TestTimed puts the time before each row, and writes the names of columns again where they are others.
func TestTimed(t *testing.T) {
	at := time.Date(2026, 11, 27, 9, 10, 11, 12e6, time.FixedZone("", 3600))
	heads := ""
	for _, tt := range []struct {
		v    starlark.Value
		f    Format
		want string
	}{
		{starlark.MakeInt(5), FormatTSV, "time\tvalue\n2026-11-27T08:10:11.012Z\t5"},
		{starlark.MakeInt(6), FormatTSV, "2026-11-27T08:10:11.012Z\t6"},
		{starlark.Tuple{key{"a", "b"}}, FormatTSV, "time\tname\tport\n2026-11-27T08:10:11.012Z\ta\tb"},
		{key{"a", "b"}, FormatJSONL, `{"time":"2026-11-27T08:10:11.012Z","name":"a","port":"b"}`},
		{starlark.NewList(nil), FormatJSONL, ""},
		{starlark.String("x"), FormatJSON, "[\n" + `{"time":"2026-11-27T08:10:11.012Z","value":"x"}` + "\n]"},
	} {
		if got, err := (Options{Format: tt.f, Heads: &heads}).Text(Timed{tt.v, at}); got != tt.want || err != nil {
			t.Errorf("%s = %q, %v, want %q", tt.v, got, err, tt.want)
		}
	}
}
