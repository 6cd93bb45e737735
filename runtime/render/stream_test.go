package render

import (
	"fmt"
	"io"
	"runtime"
	"testing"
	"time"

	"go.starlark.net/starlark"
)

// endless is a map whose entries are made while they are read.
type endless struct {
	starlark.Value
	n int
}

func (m *endless) Rows() (Rows, error) { return &endlessRows{m: m}, nil }

type endlessRows struct {
	m   *endless
	i   int
	row [2]starlark.Value
	rec rec
}

var streamColumns = []Column{{Name: "key"}, {Name: "value", Fields: []Column{{Name: "packets"}, {Name: "bytes"}, {Name: "comm"}}}}

func (r *endlessRows) Columns() []Column { return streamColumns }

func (r *endlessRows) Next() ([]starlark.Value, error) {
	if r.i == r.m.n {
		return nil, io.EOF
	}
	if r.rec.names == nil {
		r.rec = *record("packets", 0, "bytes", uint64(1<<63), "comm", "curl")
		r.row[1] = &r.rec
	}
	r.row[0], r.rec.values[0] = starlark.MakeInt(r.i), starlark.MakeInt(r.i)
	r.i++
	return r.row[:], nil
}

// TestStreamMemory writes a million rows, and some, without keeping them.
func TestStreamMemory(t *testing.T) {
	for format, n := range map[Format]int{FormatJSONL: 1e6, FormatCSV: 1e6, FormatJSON: 2e5, FormatTSV: 2e5} {
		p := &peak{}
		if err := Write(p, &endless{starlark.None, n}, Options{Format: format}); err != nil {
			t.Fatal(err)
		}
		if p.bytes < uint64(30*n) {
			t.Errorf("%s: %d bytes are not %d rows", format, p.bytes, n)
		}
		if grown := int64(p.most) - int64(p.first); grown > 8<<20 {
			t.Errorf("%s: %d bytes of memory more than at the first piece", format, grown)
		}
	}
}

// peak looks at the memory in use now and then.
type peak struct{ n, bytes, first, most uint64 }

func (p *peak) Write(b []byte) (int, error) {
	if p.bytes += uint64(len(b)); p.n%256 == 0 {
		runtime.GC()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		if p.n == 0 {
			p.first = s.HeapAlloc
		}
		p.most = max(p.most, s.HeapAlloc)
	}
	p.n++
	return len(b), nil
}

// BenchmarkStream has each format beside a loop of Fprintf that writes the same lines, with the ratio of their times.
func BenchmarkStream(b *testing.B) {
	const n = 10000
	for format, line := range map[Format]string{
		FormatJSONL: `{"key":%d,"value":{"packets":%d,"bytes":%d,"comm":"%s"}}` + "\n",
		FormatCSV:   "%d,%d,%d,%s\n",
		FormatTSV:   "%d\t%d\t%d\t%s\n",
	} {
		b.Run(format.String(), func(b *testing.B) {
			var ours, raw time.Duration
			for b.Loop() {
				start := time.Now()
				if err := Write(io.Discard, &endless{starlark.None, n}, Options{Format: format}); err != nil {
					b.Fatal(err)
				}
				middle := time.Now()
				for i := range n {
					fmt.Fprintf(io.Discard, line, i, i, uint64(1<<63), "curl")
				}
				ours, raw = ours+middle.Sub(start), raw+time.Since(middle)
			}
			b.ReportMetric(float64(ours)/float64(raw), "of-fmt")
			b.ReportMetric(float64(ours)/float64(b.N)/n, "ns/row")
		})
	}
}
