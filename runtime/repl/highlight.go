package repl

import (
	"slices"
	"unicode/utf8"
)

// style is how a rune of the line looks. The zero value is as the terminal's text does.
type style string

const (
	styleKeyword style = "\x1b[35m"
	styleString  style = "\x1b[32m"
	styleNumber  style = "\x1b[36m"
	styleDim     style = "\x1b[2m" // comments and line ends
	styleEnd           = "\x1b[0m"
)

// constants are names that look like keywords.
var constants = []string{"None", "True", "False"}

// stylesOf tells the n runes of an unfinished Starlark text apart.
func stylesOf(text string, n int) []style {
	styles := make([]style, 0, n)
	at := 0 // bytes of text that have their style
	until := func(end int, s style) {
		for ; at < end; styles = append(styles, s) {
			_, size := utf8.DecodeRuneInString(text[at:])
			at += size
		}
	}
	// between are spaces, line ends and comments.
	between := func(end int) {
		comment := false
		for at < end {
			comment = text[at] == '#' || comment && text[at] != '\n'
			_, size := utf8.DecodeRuneInString(text[at:])
			s := style("")
			if comment || text[at] == '\n' {
				s = styleDim
			}
			until(at+size, s)
		}
	}
	for _, t := range scan(text).tokens {
		between(t.at)
		s := style("")
		switch {
		case t.text == "\n":
			s = styleDim
		case t.kind == tokenString:
			s = styleString
		case t.kind == tokenNumber:
			s = styleNumber
		case t.kind == tokenName && (slices.Contains(keywords, t.text) || slices.Contains(constants, t.text)):
			s = styleKeyword
		}
		until(t.at+len(t.text), s)
	}
	between(len(text))
	return styles
}

// paint shows a line with our marks as what they stand for. styles has one for each rune; those behind its end have none. What it returns
// takes as many columns as line.
func paint(line []rune, styles []style, newline rune) []rune {
	var painted []rune
	last := style("")
	set := func(s style) {
		if s == last {
			return
		}
		if last != "" {
			painted = append(painted, []rune(styleEnd)...)
		}
		painted = append(painted, []rune(s)...)
		last = s
	}
	for i, r := range line {
		if i < len(styles) {
			set(styles[i])
		} else {
			set("")
		}
		switch {
		case r == newlineMark:
			r = newline
		case isMark(r):
			r = ' '
		}
		painted = append(painted, r)
	}
	set("")
	return painted
}
