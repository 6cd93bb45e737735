package render

import (
	"math"
	"strconv"

	"github.com/dustin/go-humanize"
)

// Count is a number with commas: "1,048,576".
func Count(n int) string { return humanize.Comma(int64(n)) }

// Size is a number of bytes in binary units: "9.0 MiB".
func Size(bytes uint64) string { return humanize.IBytes(bytes) }

// Rate is a number for each second, in three digits or so: "1.44k/s". It is "?" where there is none, since no time has
// passed.
func Rate(perSecond float64) string {
	if math.IsNaN(perSecond) || math.IsInf(perSecond, 0) {
		return "?"
	}
	n, prefix := perSecond, ""
	if math.Abs(n) >= 1000 { // below, "500m/s" would be read as a unit of its own
		n, prefix = humanize.ComputeSI(n)
	}
	digits := 2
	switch m := math.Abs(n); {
	case m >= 100 || prefix == "" && m == math.Trunc(m):
		digits = 0
	case m >= 10:
		digits = 1
	}
	return strconv.FormatFloat(n, 'f', digits, 64) + prefix + "/s"
}
