package method

import "strings"

// DidYouMean offers the nearest of the names as a text to put behind an error, or "" where none is near.
func DidYouMean(name string, names []string) string {
	if n := Nearest(name, names); n != "" {
		return " (did you mean " + n + "?)"
	}
	return ""
}

// Nearest is the name with the fewest edits from name, some third of its length at most, or "". Of those that differ only in
// their capitals it is the one with the fewest that are others.
func Nearest(name string, names []string) string {
	folded := strings.ToLower(name)
	best, most := "", (len(name)+1)/3
	for _, n := range names {
		d := edits(folded, strings.ToLower(n), most)
		if d < most || d == most && (best == "" || strings.EqualFold(n, best) && edits(name, n, len(name)) < edits(name, best, len(name))) {
			best, most = n, d
		}
	}
	return best
}

// edits is the Damerau-Levenshtein distance (insert, delete, replace, swap neighbours) of a and b, or more
// than most.
func edits(a, b string, most int) int {
	if len(a)-len(b) > most || len(b)-len(a) > most {
		return most + 1
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
