package render

import (
	"math"
	"strings"
)

// Bar is a bar of at most cells characters, in eighths of a character, whose length is share of them: from 0 to 1. What
// is more than 0 is seen. In ASCII it is of whole characters.
func Bar(share float64, cells int, ascii bool) string {
	share = min(share, 1)
	if !(share > 0) || cells <= 0 { // nor what is no number
		return ""
	}
	if ascii {
		return strings.Repeat(eighthsASCII[:1], max(1, int(math.Round(share*float64(cells)))))
	}
	signs := []rune(eighths)
	n := max(1, int(math.Round(share*float64(8*cells))))
	bar := strings.Repeat(string(signs[7]), n/8)
	if rest := n % 8; rest > 0 {
		bar += string(signs[rest-1])
	}
	return bar
}

// Sparkline has a character for each value, as high as the value is beside the greatest of them. What is no number is as
// 0, and what is without an end as the greatest.
func Sparkline(values []float64, ascii bool) string {
	signs := []rune(levels)
	if ascii {
		signs = []rune(levelsASCII)
	}
	top := 0.0
	for _, v := range values {
		if v > top && !math.IsInf(v, 1) {
			top = v
		}
	}
	line := make([]rune, len(values))
	for i, v := range values {
		level := 0
		if v > 0 {
			level = int(math.Round(min(v/top, 1) * float64(len(signs)-1)))
		}
		line[i] = signs[level]
	}
	return string(line)
}
