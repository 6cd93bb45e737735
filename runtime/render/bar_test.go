package render

import (
	"math"
	"testing"
)

func TestBar(t *testing.T) {
	for _, tt := range []struct {
		share float64
		cells int
		ascii bool
		want  string
	}{
		{0, 4, false, ""},
		{-1, 4, false, ""},
		{math.NaN(), 4, false, ""},
		{0.5, 0, false, ""},
		{1e-9, 4, false, "▏"},
		{0.25, 4, false, "█"},
		{0.5 + 3.0/32, 4, false, "██▍"},
		{1, 4, false, "████"},
		{7, 4, false, "████"},
		{math.Inf(1), 4, false, "████"},
		{1e-9, 4, true, "#"},
		{0.7, 4, true, "###"},
	} {
		if got := Bar(tt.share, tt.cells, tt.ascii); got != tt.want {
			t.Errorf("Bar(%v, %d, %t) = %q, want %q", tt.share, tt.cells, tt.ascii, got, tt.want)
		}
	}
}

func TestSparkline(t *testing.T) {
	for _, tt := range []struct {
		values []float64
		ascii  bool
		want   string
	}{
		{nil, false, ""},
		{[]float64{0, 0}, false, "▁▁"},
		{[]float64{-3, 0, 7, 3.5}, false, "▁▁█▅"},
		{[]float64{0, 1, 2}, true, "_+@"},
		{[]float64{math.NaN(), 1, math.Inf(1), math.Inf(-1)}, false, "▁██▁"},
	} {
		if got := Sparkline(tt.values, tt.ascii); got != tt.want {
			t.Errorf("Sparkline(%v, %t) = %q, want %q", tt.values, tt.ascii, got, tt.want)
		}
	}
}
