package render

import (
	"math"
	"testing"
)

func TestUnits(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{Count(1048576), "1,048,576"},
		{Count(-1234), "-1,234"},
		{Size(408), "408 B"},
		{Size(9 << 20), "9.0 MiB"},
		{Size(1<<64 - 1), "16 EiB"},
		{Rate(0), "0/s"},
		{Rate(0.5), "0.50/s"},
		{Rate(7), "7/s"},
		{Rate(12.34), "12.3/s"},
		{Rate(999), "999/s"},
		{Rate(1440), "1.44k/s"},
		{Rate(65536), "65.5k/s"},
		{Rate(-1.2e6), "-1.20M/s"},
		{Rate(920e9), "920G/s"},
		{Rate(math.NaN()), "?"},
		{Rate(math.Inf(1)), "?"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}
