package layout

import (
	"strconv"
	"strings"
	"text/scanner"
)

// token is a word, a number or a sign of a spelling.
type token struct {
	kind rune // as text/scanner has it
	text string
	at   int // offset in the spelling
}

// String shows the token in an error.
func (t token) String() string {
	if t.kind == scanner.EOF {
		return "the end"
	}
	return strconv.Quote(t.text)
}

// scan takes a spelling apart. The last token is the end.
func scan(src string) (toks []token) {
	var s scanner.Scanner
	s.Init(strings.NewReader(src))
	s.Mode = scanner.ScanIdents | scanner.ScanInts | scanner.ScanStrings | scanner.ScanComments | scanner.SkipComments
	s.IsIdentRune = isNameRune
	s.Error = func(*scanner.Scanner, string) {} // what it cannot read becomes a token that fits nowhere
	for {
		kind := s.Scan()
		if kind == scanner.EOF {
			return append(toks, token{kind: kind, at: len(src)})
		}
		tok := token{kind, s.TokenText(), min(s.Position.Offset, len(src))}
		if n := len(toks); n > 0 && toks[n-1].kind == scanner.Int && toks[n-1].at+len(toks[n-1].text) == tok.at && strings.Trim(tok.text, "uUlL") == "" {
			continue // the ULL of 1ULL
		}
		toks = append(toks, tok)
	}
}

// isNameRune is C's idea of a name, which is the kernel's for the names in BTF.
func isNameRune(r rune, i int) bool {
	return r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' && i > 0
}

func isName(s string) bool {
	for i, r := range s {
		if !isNameRune(r, i) {
			return false
		}
	}
	return s != ""
}
