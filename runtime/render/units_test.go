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
		{Short(942), "942"},
		{Short(999.4), "999"},
		{Short(999.7), "1.00k"},
		{Short(999999), "1.00M"},
		{Short(-999999), "-1.00M"},
		{Short(9.996), "10.0"},
		{Short(1.23), "1.23"},
		{Short(1<<64 - 1), "18.4E"},
		{Short(math.Inf(-1)), "?"},
		{Power(0), "0"},
		{Power(512), "512"},
		{Power(-1), "-1"},
		{Power(1024), "1Ki"},
		{Power(-1 << 22), "-4Mi"},
		{Power(1 << 63), "8Ei"},
		{Power(1 << 89), "512Yi"},
		{Power(1 << 90), "2^90"},
		{Power(-math.Ldexp(1, 1000)), "-2^1000"},
		{Percent(0.1256), "12.6%"},
		{Rate(math.NaN()), "?"},
		{Rate(math.Inf(1)), "?"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}
