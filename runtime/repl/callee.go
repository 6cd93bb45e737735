package repl

import (
	"slices"
	"strings"

	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

// Completer is a value that knows what may stand in its brackets and calls.
type Completer interface {
	starlark.Value
	// Complete lists what begins with prefix, as it is written in a script: "\"10.0.0.1\"" and not 10.0.0.1. kind is
	// "key" for what is between v[ and ], else the name of a parameter of one of v's methods, or "" for the keyword
	// arguments of a call of v itself ("packets").
	//
	// A few dozen are enough. It may be called from another goroutine, while something else runs, and is not
	// waited for longer than 100 ms.
	Complete(kind, prefix string) []string
}

// parameter is one that a call can give an argument to.
type parameter struct {
	name  string
	text  string // with its default, as the signature has it
	alone bool   // it can only be given by name
	more  bool   // *args or **kwargs
}

// signature is what is known of a function before it is called.
type signature struct {
	name   string
	doc    string // its first sentence
	params []parameter
}

// signatureOf is nil for a function that does not tell.
func signatureOf(name string, v starlark.Value) *signature {
	switch v := v.(type) {
	case method.Callable:
		e := v.Entry()
		return &signature{name, e.Summary(), parseParams(e.Params)}
	case *starlark.Function:
		doc, _, _ := strings.Cut(strings.TrimSpace(v.Doc()), "\n")
		return &signature{name, doc, functionParams(v)}
	}
	return nil
}

func (s *signature) String() string {
	texts := make([]string, len(s.params))
	for i, p := range s.params {
		texts[i] = p.text
	}
	return s.name + "(" + strings.Join(texts, ", ") + ")"
}

// parseParams reads the parameters of a row.
func parseParams(text string) []parameter {
	var params []parameter
	alone := false
	add := func(text string) {
		text = strings.TrimSpace(text)
		name, _, _ := strings.Cut(text, "=")
		bare := strings.TrimLeft(name, "*")
		more := bare != name
		if bare != "" {
			params = append(params, parameter{bare, text, alone, more})
		}
		alone = alone || more
	}
	depth, start := 0, 0
	for _, t := range scan(text).tokens {
		switch {
		case t.is("("), t.is("["), t.is("{"):
			depth++
		case t.is(")"), t.is("]"), t.is("}"):
			depth--
		case t.is(",") && depth == 0:
			add(text[start:t.at])
			start = t.at + 1
		}
	}
	add(text[start:])
	return params
}

// functionParams are those of a def, in the order in which it has them: Starlark has *args behind what can only be
// given by name.
func functionParams(f *starlark.Function) []parameter {
	var params, alone, last []parameter
	n := f.NumParams() - count(f.HasVarargs()) - count(f.HasKwargs())
	for i := range f.NumParams() {
		name, _ := f.Param(i)
		p := parameter{name: name, text: name}
		if d := f.ParamDefault(i); d != nil {
			p.text += "=" + method.Describe(d)
		}
		switch {
		case i == n && f.HasVarargs():
			p.text, p.more = "*"+name, true
			params = append(params, p)
		case i >= n:
			p.text, p.more = "**"+name, true
			last = append(last, p)
		case i >= n-f.NumKwonlyParams():
			p.alone = true
			alone = append(alone, p)
		default:
			params = append(params, p)
		}
	}
	return slices.Concat(params, alone, last)
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// current is the parameter that the argument at the cursor is for; nil if there is none.
func (s *signature) current(p place) *parameter {
	for i := range s.params {
		q := &s.params[i]
		if p.keyword != "" && q.name == p.keyword || p.keyword == "" && i == p.index && !q.alone && !q.more {
			return q
		}
	}
	return nil
}

// open are the parameters that can be given by name where the cursor is.
func (s *signature) open(p place) []parameter {
	var open []parameter
	for i, q := range s.params {
		given := !q.alone && i < p.index-len(p.keywords) || slices.Contains(p.keywords, q.name)
		if !q.more && !given {
			open = append(open, q)
		}
	}
	return open
}

// value is what a name, or names with dots, stand for now. Only attributes are looked at, so that nothing is done by
// it; nil if there is none.
func (l *loop) value(names []string) starlark.Value {
	if len(names) == 0 {
		return nil
	}
	v, ok := l.session.Globals()[names[0]]
	if !ok {
		if v, ok = starlark.Universe[names[0]]; !ok {
			return nil
		}
	}
	for _, name := range names[1:] {
		with, ok := v.(starlark.HasAttrs)
		if !ok {
			return nil
		}
		var err error
		if v, err = with.Attr(name); err != nil || v == nil {
			return nil
		}
	}
	return v
}
