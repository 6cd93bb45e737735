package render

import (
	"fmt"
	"math"
	"strconv"

	"github.com/dustin/go-humanize"
)

// Count is a number with commas: "1,048,576".
func Count(n int) string { return humanize.Comma(int64(n)) }

// Size is a number of bytes in binary units: "9.0 MiB".
func Size(bytes uint64) string { return humanize.IBytes(bytes) }

// Short is a number in three digits or so: "942", "1.44k", "18.4E". What is no whole number and below 100 keeps a
// fraction. What is no number is "?".
func Short(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "?"
	}
	n, prefix := v, ""
	if math.Abs(n) >= 999.5 { // below, "500m" would be read as millions
		n, prefix = humanize.ComputeSI(n)
		if math.Abs(n) >= 999.5 { // which would be written as 1000
			n, prefix = humanize.ComputeSI(math.Copysign(math.Nextafter(math.Abs(v)*1.001, 0), v))
		}
	}
	digits := 2
	switch m := math.Abs(n); {
	case m >= 99.95 || prefix == "" && m == math.Trunc(m):
		digits = 0
	case m >= 9.995:
		digits = 1
	}
	return strconv.FormatFloat(n, 'f', digits, 64) + prefix
}

// Rate is a number for each second, as Short has it: "1.44k/s". It is "?" where there is none, since no time has passed.
func Rate(perSecond float64) string {
	if s := Short(perSecond); s != "?" {
		return s + "/s"
	}
	return "?"
}

// Power is a power of two, or its negative, in binary units: "512", "1Ki", "-4Mi".
func Power(v float64) string {
	const prefixes = "KMGTPEZY"
	for i := -1; i < len(prefixes); i++ {
		if math.Abs(v) < 1024 {
			if i < 0 {
				return strconv.FormatFloat(v, 'f', 0, 64)
			}
			return fmt.Sprintf("%.0f%ci", v, prefixes[i])
		}
		v /= 1024
	}
	_, exponent := math.Frexp(v)
	sign := ""
	if v < 0 {
		sign = "-"
	}
	return fmt.Sprintf("%s2^%d", sign, exponent-1+10*(len(prefixes)+1))
}

// Percent is a share in percent: "12.6%".
func Percent(share float64) string { return strconv.FormatFloat(100*share, 'f', 1, 64) + "%" }
