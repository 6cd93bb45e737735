package repl

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// token is a piece of an unfinished Starlark text.
type token struct {
	kind tokenKind
	text string
	at   int // byte offset
}

type tokenKind byte

const (
	tokenName tokenKind = iota
	tokenNumber
	tokenString // with its quotes; the last may lack the closing one
	tokenOther  // brackets, operators; a newline outside of brackets
)

// scanned is an unfinished text as far as it is typed.
type scanned struct {
	tokens  []token
	comment bool   // it ends in a comment
	quote   string // it ends in a string that was begun with this; "" if not
	inner   int    // where the content of that string begins
	raw     bool   // that string is a raw one
}

// scan cuts a text into tokens. It takes every text: what is no Starlark becomes tokens all the same.
func scan(text string) scanned {
	var s scanned
	depth := 0
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		start := i
		switch {
		case r == '\n':
			i++
			if depth == 0 {
				s.tokens = append(s.tokens, token{tokenOther, "\n", start})
			}
			continue
		case unicode.IsSpace(r):
			i += size
			continue
		case r == '#':
			end := strings.IndexByte(text[i:], '\n')
			if end < 0 {
				s.comment = true
				return s
			}
			i += end
			continue
		case isNameStart(r):
			for i < len(text) {
				r, size := utf8.DecodeRuneInString(text[i:])
				if !isNameStart(r) && !unicode.IsDigit(r) {
					break
				}
				i += size
			}
			if i < len(text) && (text[i] == '"' || text[i] == '\'') && isStringPrefix(text[start:i]) {
				break // the token is the string
			}
			s.tokens = append(s.tokens, token{tokenName, text[start:i], start})
			continue
		case r >= '0' && r <= '9':
			for i < len(text) && (isNameStart(rune(text[i])) || text[i] >= '0' && text[i] <= '9' || text[i] == '.') {
				i++
			}
			s.tokens = append(s.tokens, token{tokenNumber, text[start:i], start})
			continue
		}
		if c := text[i]; c == '"' || c == '\'' {
			raw := strings.Contains(text[start:i], "r")
			quote := text[i : i+1]
			if strings.HasPrefix(text[i:], strings.Repeat(quote, 3)) {
				quote = text[i : i+3]
			}
			inner := i + len(quote)
			end, closed := stringEnd(text, inner, quote)
			i = end
			s.tokens = append(s.tokens, token{tokenString, text[start:i], start})
			if !closed {
				s.quote, s.inner, s.raw = quote, inner, raw
				return s
			}
			continue
		}
		switch r {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth = max(0, depth-1)
		}
		i += size
		s.tokens = append(s.tokens, token{tokenOther, text[start:i], start})
	}
	return s
}

// stringEnd is where the string ends whose content begins at i. A plain one that is not closed ends with its line,
// unless that is the last.
func stringEnd(text string, i int, quote string) (end int, closed bool) {
	for i < len(text) {
		switch {
		case text[i] == '\\':
			i += 2
		case strings.HasPrefix(text[i:], quote):
			return i + len(quote), true
		case text[i] == '\n' && len(quote) == 1:
			return i, true
		default:
			i++
		}
	}
	return len(text), false
}

func isNameStart(r rune) bool { return r == '_' || unicode.IsLetter(r) }

func isStringPrefix(name string) bool {
	switch name {
	case "r", "b", "rb", "br":
		return true
	}
	return false
}

func isName(text string) bool {
	for i, r := range text {
		if !isNameStart(r) && (i == 0 || !unicode.IsDigit(r)) {
			return false
		}
	}
	return text != ""
}
