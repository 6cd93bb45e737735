package repl

import (
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"

	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

// Completion is how a text can go on.
type Completion struct {
	From       int         // byte offset in the text: a candidate replaces what follows
	Head       string      // a line above the list, such as the signature of the call; "" for none
	Candidates []Candidate // sorted; each begins with what it replaces
}

// Candidate is one way to go on.
type Candidate struct {
	Text string
	Doc  string // a short line, or ""
	End  string // follows if it is the only one, such as a quotation mark
}

// completionTime is how long those are waited for who know the candidates.
const completionTime = 100 * time.Millisecond

// Complete is Assistant's.
func (l *loop) Complete(before string) Completion {
	if len(l.block.lines) == 0 {
		if c, ok := l.completeCommand(before); ok {
			return c
		}
	}
	return l.completeStatement(before)
}

// completeStatement completes what is typed of a statement, behind the lines of the block that came before.
func (l *loop) completeStatement(before string) Completion {
	earlier := ""
	if len(l.block.lines) > 0 {
		earlier = l.block.text() + "\n"
	}
	p := findPlace(earlier + before)
	c := l.candidates(p)
	c.From -= len(earlier)
	if c.From < 0 { // a string or a bracket that an earlier line began
		return Completion{Head: c.Head, From: len(before)}
	}
	typed := before[c.From:]
	c.Candidates = slices.DeleteFunc(c.Candidates, func(c Candidate) bool { return !strings.HasPrefix(c.Text, typed) })
	sort.SliceStable(c.Candidates, func(i, j int) bool { return c.Candidates[i].Text < c.Candidates[j].Text })
	c.Candidates = slices.CompactFunc(c.Candidates, func(a, b Candidate) bool { return a.Text == b.Text })
	return c
}

// candidates are what may stand at a place.
func (l *loop) candidates(p place) Completion {
	switch {
	case p.comment, p.complete:
		return Completion{}
	case p.attribute:
		return Completion{From: p.from, Candidates: l.attributes(p)}
	case p.bracket == "[" && p.callee != nil:
		if c := l.keys(p, "key", l.value(p.callee), "]"); len(c.Candidates) > 0 {
			return c
		}
	case p.bracket == "(" && p.callee != nil:
		return l.argument(p)
	}
	if p.quote != "" {
		return Completion{}
	}
	return Completion{From: p.from, Candidates: l.names(p)}
}

// names are those in scope.
func (l *loop) names(p place) []Candidate {
	var found []Candidate
	add := func(name string, v starlark.Value) {
		if isName(name) && (name[0] != '_' || p.prefix != "") && strings.HasPrefix(name, p.prefix) {
			found = append(found, Candidate{Text: name, Doc: summary(v)})
		}
	}
	for name, v := range l.session.Globals() {
		add(name, v)
	}
	for name, v := range starlark.Universe {
		add(name, v)
	}
	if p.bracket == "" {
		for _, name := range keywords {
			add(name, nil)
		}
	}
	if len(l.block.lines) > 0 {
		for _, t := range p.tokens { // what the block itself has named: parameters, local variables
			if t.kind == tokenName && t.at != p.from {
				add(t.text, nil)
			}
		}
	}
	return found
}

// summary is the first sentence of a function's doc.
func summary(v starlark.Value) string {
	if s := signatureOf("", v); s != nil {
		return s.doc
	}
	return ""
}

// attributes are those of what stands before the dot, if that can be known without a call.
func (l *loop) attributes(p place) []Candidate {
	v := l.value(p.base)
	if n := len(p.tokens); p.prefix != "" && n > 2 && p.tokens[n-3].kind == tokenString || p.prefix == "" && n > 1 && p.tokens[n-2].kind == tokenString {
		v = starlark.String("")
	}
	with, ok := v.(starlark.HasAttrs)
	if !ok {
		return nil
	}
	return l.within(func() []Candidate {
		var all, found []Candidate
		if d, ok := with.(Documented); ok {
			for _, e := range d.Entries() {
				all = append(all, Candidate{Text: e.Name, Doc: e.Summary()})
			}
		} else {
			for _, name := range with.AttrNames() {
				all = append(all, Candidate{Text: name})
			}
		}
		for _, c := range all {
			if isName(c.Text) && (c.Text[0] != '_' || p.prefix != "") && strings.HasPrefix(c.Text, p.prefix) {
				found = append(found, c)
			}
		}
		return found
	})
}

// Documented is a value that can say which attributes and methods are of use with it, and what for. It is asked rather
// than each of them: to read an attribute may take a system call.
type Documented interface{ Entries() []method.Entry }

// argument completes within a call.
func (l *loop) argument(p place) Completion {
	callee := l.value(p.callee)
	sig := signatureOf(strings.Join(p.callee, "."), callee)
	if p.callee[len(p.callee)-1] == "load" && len(p.callee) == 1 {
		sig = &signature{name: "load", params: []parameter{{name: "path", text: "path"}, {name: "names", text: "*names", more: true}}}
	}
	var q *parameter
	if sig != nil {
		q = sig.current(p)
	}
	var receiver starlark.Value
	if n := len(p.callee); n > 1 {
		receiver = l.value(p.callee[:n-1])
	}
	if q != nil {
		if c := l.keys(p, q.name, receiver, ""); len(c.Candidates) > 0 {
			c.Head = sig.String()
			return c
		}
		if p.quote != "" && p.fresh {
			return l.inString(p, sig.name, q.name)
		}
	}
	if p.quote != "" {
		return Completion{}
	}
	c := Completion{From: p.from}
	if p.fresh && p.keyword == "" {
		if sig != nil {
			if p.prefix == "" {
				c.Head = sig.String()
			}
			for _, q := range sig.open(p) {
				c.Candidates = append(c.Candidates, Candidate{Text: q.name + "="})
			}
		}
		for _, name := range l.keywords(p, sig, callee, receiver) {
			c.Candidates = append(c.Candidates, Candidate{Text: name + "="})
		}
	}
	switch {
	case q != nil && isFlags(*q):
		c.Candidates = append(c.Candidates, l.flags(p, callee)...)
	case p.prefix != "" || len(c.Candidates) == 0 && c.Head == "":
		c.Candidates = append(c.Candidates, l.names(p)...)
	}
	return c
}

// keywords are the names for keyword arguments that a callable value knows, or the value whose method it is: the fields
// of a struct.
func (l *loop) keywords(p place, sig *signature, callee, receiver starlark.Value) []string {
	kind, v := "", callee
	if sig != nil {
		last := len(sig.params) - 1
		if last < 0 || !strings.HasPrefix(sig.params[last].text, "**") {
			return nil
		}
		kind, v = sig.params[last].name, receiver
	}
	known, ok := v.(Completer)
	if !ok {
		return nil
	}
	return slices.DeleteFunc(l.ask(func() []string { return known.Complete(kind, p.prefix) }), func(name string) bool {
		return !isName(name) || slices.Contains(keywords, name) || slices.Contains(p.keywords, name)
	})
}

func isFlags(q parameter) bool {
	return q.name == "flags" || strings.Contains(q.text, "="+flagPrefix)
}

const flagPrefix = "BPF_"

var flagName = regexp.MustCompile(`\bBPF_[A-Z0-9_]+`)

// flags are the constants that the function's doc speaks of, or all, if what is typed begins none of these.
func (l *loop) flags(p place, callee starlark.Value) []Candidate {
	var told []string
	if c, ok := callee.(method.Callable); ok {
		told = flagName.FindAllString(c.Entry().Params+" "+c.Entry().Doc, -1)
	}
	var some, all []Candidate
	for name := range l.session.Globals() {
		if !strings.HasPrefix(name, flagPrefix) || !strings.HasPrefix(name, p.prefix) {
			continue
		}
		all = append(all, Candidate{Text: name})
		if slices.Contains(told, name) {
			some = append(some, Candidate{Text: name})
		}
	}
	if len(some) > 0 {
		return some
	}
	return all
}
