package repl

import (
	"slices"
	"strings"
)

// Hint is Assistant's: the parameters that the innermost call still lacks.
//
// The callee's signature is looked up once for each statement, for the hint is drawn at each key.
func (l *loop) Hint(before string) string {
	earlier := ""
	if len(l.block.lines) > 0 {
		earlier = l.block.text() + "\n"
	} else if command, rest, ok := cutCommand(before); ok {
		if command.params == "" || !strings.HasSuffix(command.params, "EXPR") {
			return ""
		}
		before = rest
	}
	p := findPlace(earlier + before)
	if p.bracket != "(" || p.callee == nil || p.comment || p.quote != "" {
		return ""
	}
	name := strings.Join(p.callee, ".")
	sig, known := l.hinted[name]
	if !known {
		sig = signatureOf(name, l.value(p.callee))
		l.hinted[name] = sig
	}
	if sig == nil {
		return ""
	}
	return sig.rest(p)
}

// rest is the signature from the cursor on.
func (s *signature) rest(p place) string {
	started := !p.fresh || p.prefix != "" || p.keyword != "" // something of the argument is there
	var texts []string
	for i, q := range s.params {
		switch {
		case q.name == p.keyword, slices.Contains(p.keywords, q.name):
			continue
		case q.alone, q.more:
		case i < p.index-len(p.keywords), started && p.keyword == "" && i == p.index-len(p.keywords):
			continue
		}
		texts = append(texts, q.text)
	}
	if started && len(texts) > 0 {
		return ", " + strings.Join(texts, ", ") + ")"
	}
	return strings.Join(texts, ", ") + ")"
}
