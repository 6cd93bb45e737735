package repl

import (
	"slices"
	"strings"
)

// place is where in a statement the cursor is.
type place struct {
	scanned
	text   string // all that stands before the cursor
	prefix string // the name that is being typed; "" in a string
	from   int    // where it begins

	attribute bool     // the prefix follows a dot
	base      []string // what stands before that dot, if it is names with dots: {"m", "info"}; nil if it is not

	complete bool // what stands before is a number, or anything else that no name can follow

	bracket   string   // the innermost open one; "" if there is none
	inBracket int      // where what is in it begins
	callee    []string // what stands before it, if it is names with dots
	index     int      // of the argument: how many commas there are before it
	keyword   string   // of the argument, if it is given by name
	keywords  []string // of the arguments before
	argument  int      // where the argument begins, behind its keyword
	fresh     bool     // nothing of the argument is typed but the prefix
}

// findPlace looks at what stands before the cursor.
func findPlace(before string) place {
	p := place{scanned: scan(before), text: before, from: len(before)}
	tokens := p.tokens
	if n := len(tokens); n > 0 && p.quote == "" && tokens[n-1].kind == tokenName && tokens[n-1].at+len(tokens[n-1].text) == len(before) {
		p.prefix, p.from = tokens[n-1].text, tokens[n-1].at
		tokens = tokens[:n-1]
	}
	if p.quote != "" {
		tokens = tokens[:len(tokens)-1] // the string itself
	}
	if n := len(tokens); n > 0 && p.quote == "" && tokens[n-1].is(".") {
		p.attribute = true
		p.base = chain(tokens[:n-1])
	}
	if n := len(tokens); n > 0 && p.quote == "" && p.prefix == "" && tokens[n-1].at+len(tokens[n-1].text) == len(before) {
		last := tokens[n-1]
		p.complete = last.kind != tokenOther || last.is(")") || last.is("]") || last.is("}")
	}
	p.findBracket(tokens)
	return p
}

func (t token) is(text string) bool { return t.kind == tokenOther && t.text == text }

// findBracket finds the innermost bracket that is open behind the tokens, and the argument that is being typed.
func (p *place) findBracket(tokens []token) {
	var open []int
	for i, t := range tokens {
		if t.kind != tokenOther {
			continue
		}
		switch t.text {
		case "(", "[", "{":
			open = append(open, i)
		case ")", "]", "}":
			open = open[:max(0, len(open)-1)]
		}
	}
	if len(open) == 0 {
		return
	}
	at := open[len(open)-1]
	p.bracket, p.inBracket = tokens[at].text, p.skipSpace(tokens[at].at+1)
	p.callee = chain(tokens[:at])
	if i := at - len(p.callee)*2; p.callee != nil && i >= 0 && tokens[i].kind == tokenName && tokens[i].text == "def" {
		p.callee = nil
	}
	p.argument = p.inBracket
	first, depth := at+1, 0
	for i := at + 1; i < len(tokens); i++ {
		switch t := tokens[i]; {
		case t.is("("), t.is("["), t.is("{"):
			depth++
		case t.is(")"), t.is("]"), t.is("}"):
			depth--
		case t.is(",") && depth == 0:
			if p.keyword != "" {
				p.keywords = append(p.keywords, p.keyword)
			}
			p.index++
			p.keyword, p.argument, first = "", p.skipSpace(t.at+1), i+1
		case t.is("=") && depth == 0 && i == first+1 && tokens[first].kind == tokenName && (i+1 == len(tokens) || !tokens[i+1].is("=")):
			p.keyword, p.argument, first = tokens[first].text, p.skipSpace(t.at+1), i+1
		}
	}
	p.fresh = first == len(tokens)
}

func (p *place) skipSpace(at int) int {
	return len(p.text) - len(strings.TrimLeft(p.text[at:], " \n"))
}

// chain is the names with dots between them that the tokens end in: a, a.b, a.b.c. It is nil if they end in anything
// else, such as what a call returns.
func chain(tokens []token) []string {
	var names []string
	for i := len(tokens) - 1; i >= 0 && tokens[i].kind == tokenName; i -= 2 {
		if slices.Contains(keywords, tokens[i].text) && tokens[i].text != "load" {
			return nil
		}
		names = append(names, tokens[i].text)
		if i == 0 || !tokens[i-1].is(".") {
			slices.Reverse(names)
			return names
		}
	}
	return nil
}

// keywords are the words that no name can be.
var keywords = []string{
	"and", "break", "continue", "def", "elif", "else", "for", "if", "in", "lambda", "load", "not", "or", "pass",
	"return", "while",
}
