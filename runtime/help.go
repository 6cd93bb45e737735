package runtime

import (
	"fmt"
	"slices"
	"strings"

	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

var helpFunctions = []method.Row[*Session]{{
	Name:   "help",
	Params: "x=None",
	Doc: "Print what there is to know about a function, method, value or topic.\n" +
		"help() lists all; help(m.update), help(\"update\") and help(\"batch\") tell more, and so do the names of types and of parameters.",
	Example: `help("batch")          # a topic
help(m.update)         # a method, without a call
help("BPF_NOEXIST")    # whatever has this name
help("hints")          # a parameter: what takes it`,
	Run: (*Session).help,
}}

// Helper is a value with something to say about itself beyond its type.
type Helper interface{ Help() string }

func (s *Session) help(c method.Call) (starlark.Value, error) {
	text, err := s.Help(c.Or(0, starlark.None))
	if err != nil {
		return nil, err
	}
	s.print(c.Thread, text)
	return starlark.None, nil
}

// Help is the text that help(x) prints, without the last newline.
func (s *Session) Help(x starlark.Value) (string, error) {
	switch x := x.(type) {
	case starlark.NoneType:
		return s.overview(), nil
	case method.Callable:
		return explain(x.Entry()), nil
	case *starlark.Function:
		return strings.TrimRight(signatureOf(x)+"\n"+indent(x.Doc()), "\n "), nil
	case Helper:
		return x.Help(), nil
	case starlark.String:
		return s.lookUp(string(x))
	case starlark.HasAttrs:
		return fmt.Sprintf("%s, with %s", x.Type(), strings.Join(x.AttrNames(), ", ")), nil
	default:
		return fmt.Sprintf("%s %s", x.Type(), x), nil
	}
}

func (s *Session) overview() string {
	var sb strings.Builder
	for _, t := range s.topics {
		var names []string
		for _, e := range t.Entries {
			names = append(names, e.Name)
		}
		fmt.Fprintf(&sb, "%s: %s\n%s\n", t.Name, t.Doc, indent(strings.Join(names, " ")))
	}
	sb.WriteString(`help("TOPIC"), help("NAME") and help(m.update) tell more.`)
	return sb.String()
}

// lookUp explains a topic, or every entry of a name, and names those with a parameter of that name.
func (s *Session) lookUp(name string) (string, error) {
	var found, taking []string
	alias := ""
	if s.cfg.Alias != nil {
		alias = s.cfg.Alias(name)
	}
	for _, t := range s.topics {
		if t.Name == name {
			found = append(found, t.Doc)
			for _, e := range t.Entries {
				found = append(found, explain(e))
			}
		}
	}
	for _, t := range s.topics {
		for _, e := range t.Entries {
			if e.Name == name || e.Name == alias {
				if text := explain(e); !slices.Contains(found, text) {
					found = append(found, text)
				}
			}
			if e.Takes(name) && !slices.Contains(taking, e.Name) {
				taking = append(taking, e.Name)
			}
		}
	}
	switch {
	case len(taking) == 1 && found == nil:
		return s.lookUp(taking[0])
	case len(taking) > 0:
		found = append(found, method.Wrap(name+" is a parameter of "+strings.Join(taking, ", ")+".", 0))
	case found == nil:
		return "", fmt.Errorf("help: nothing is called %s%s; help() lists all", starlark.String(name), method.DidYouMean(name, s.names()))
	}
	return strings.Join(found, "\n\n"), nil
}

// names are those that help knows.
func (s *Session) names() (names []string) {
	for _, t := range s.topics {
		names = append(names, t.Name)
		for _, e := range t.Entries {
			names = append(names, e.Name)
		}
	}
	return names
}

func explain(e method.Entry) string {
	text := fmt.Sprintf("%s (%s)\n%s", e.Signature(), e.Kind, indent(e.Doc))
	if e.Example != "" {
		text += "\n\n    " + strings.ReplaceAll(e.Example, "\n", "\n    ")
	}
	return text
}

// indent sets a text in by two columns, and breaks lines that would not fit a terminal of 80.
func indent(text string) string {
	var lines []string
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		lines = append(lines, method.Wrap(line, 2))
	}
	return strings.Join(lines, "\n")
}

func signatureOf(f *starlark.Function) string {
	var params []string
	for i := range f.NumParams() {
		name, _ := f.Param(i)
		if d := f.ParamDefault(i); d != nil {
			name += "=" + d.String()
		}
		params = append(params, name)
	}
	return fmt.Sprintf("%s(%s) (function)", f.Name(), strings.Join(params, ", "))
}
