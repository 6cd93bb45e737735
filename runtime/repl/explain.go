package repl

import (
	"fmt"
	"strings"

	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

// cutQuestion takes the question mark from a line such as m?, m.update? or ?m. Nothing in Starlark is written so.
func cutQuestion(line string) (names []string, ok bool) {
	text := strings.TrimSpace(line)
	if before, ok := strings.CutSuffix(text, "?"); ok {
		text = strings.TrimSuffix(before, "?")
	} else if text, ok = strings.CutPrefix(text, "?"); !ok {
		return nil, false
	}
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, true
	}
	names = strings.Split(text, ".")
	for _, name := range names {
		if !isName(name) {
			return nil, false
		}
	}
	return names, true
}

// explain prints what there is to know about a value or a method, or else about a topic of that name. No name at all
// is help().
func (l *loop) explain(names []string) error {
	var v starlark.Value = starlark.None
	if len(names) > 0 {
		v = l.value(names)
	}
	if v == nil && len(names) == 1 {
		if text, err := l.session.Help(starlark.String(names[0])); err == nil {
			l.session.Print(text)
			return nil
		}
	}
	if v == nil {
		return l.unexplained(names)
	}
	if s, ok := v.(starlark.String); ok { // help of a string is of what it names
		l.session.Print("string " + s.String())
		return nil
	}
	text, err := l.session.Help(v)
	if err != nil {
		return err
	}
	l.session.Print(text)
	return nil
}

// unexplained says which of the names there is not, and which may be meant.
func (l *loop) unexplained(names []string) error {
	n := 1
	for n < len(names) && l.value(names[:n]) != nil {
		n++
	}
	if n == 1 && l.value(names[:1]) == nil {
		known := append(l.session.Globals().Keys(), starlark.Universe.Keys()...)
		return fmt.Errorf("nothing is called %s%s; help() lists all", names[0], method.DidYouMean(names[0], known))
	}
	owner := strings.Join(names[:n-1], ".")
	var known []string
	if with, ok := l.value(names[:n-1]).(starlark.HasAttrs); ok {
		known = with.AttrNames()
	}
	return fmt.Errorf("%s has no .%s%s", owner, names[n-1], method.DidYouMean(names[n-1], known))
}
