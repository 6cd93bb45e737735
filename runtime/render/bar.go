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
		return strings.Repeat("#", max(1, int(math.Round(share*float64(cells)))))
	}
	eighths := max(1, int(math.Round(share*float64(8*cells))))
	bar := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		bar += string([]rune("▏▎▍▌▋▊▉")[rest-1])
	}
	return bar
}

// Sparkline has a character for each value, as high as the value is beside the greatest of them.
func Sparkline(values []float64, ascii bool) string {
	levels := []rune("▁▂▃▄▅▆▇█")
	if ascii {
		levels = []rune("_.-=+*#@")
	}
	top := 0.0
	for _, v := range values {
		top = max(top, v)
	}
	line := make([]rune, len(values))
	for i, v := range values {
		level := 0
		if v > 0 {
			level = int(math.Round(v / top * float64(len(levels)-1)))
		}
		line[i] = levels[level]
	}
	return string(line)
}
