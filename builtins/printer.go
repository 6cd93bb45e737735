package builtins

import (
	"regexp"
	"strings"

	"bpfsh/runtime"
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

var printerFunctions = []method.Row[*Library]{{
	Name:   "printer",
	Params: "type, fn",
	Doc: "Say how values of a type are shown to people.\n" +
		"fn is called with a value and returns its text, which tables and the prompt show instead of its fields; what it returns for machines stays as it is: print, json, jsonl, csv and tsv do not ask it. " +
		"type is a type, or the name of a struct, a union or an enum, such as \"struct flow\", wherever it comes from. fn=None takes the printer away. ~/.config/bpfsh/init.star is the place to keep them.",
	Example: `printer("struct flow", lambda f: "%s:%d" % (f.addr, f.port))
printer("u64", lambda n: "%d MiB" % (n >> 20))
printer("u64", None)`,
	Run: (*Library).printer,
}}

// namedType is a struct, a union or an enum by its name alone.
var namedType = regexp.MustCompile(`^(struct|union|enum) +[A-Za-z_][A-Za-z0-9_]*$`)

func (l *Library) printer(c method.Call) (starlark.Value, error) {
	var name string
	if text, ok := c.Args[0].(starlark.String); ok && namedType.MatchString(string(text)) {
		name = strings.Join(strings.Fields(string(text)), " ")
	} else {
		t, err := typeArg(c, l.types, 0, "type")
		if err != nil {
			return nil, err
		}
		name = t.String()
	}
	if c.Args[1] == starlark.None {
		l.types.Printers.Set(name, nil)
		return starlark.None, nil
	}
	fn, ok := c.Args[1].(starlark.Callable)
	if !ok {
		return nil, c.Bad("fn", c.Args[1], "a function of a value, or None")
	}
	l.types.Printers.Set(name, func(v starlark.Value) string {
		shown, err := starlark.Call(c.Thread, fn, starlark.Tuple{v}, nil)
		if err != nil {
			runtime.Raise(c.Thread, "printer", err)
		}
		if text, ok := starlark.AsString(shown); ok {
			return text
		}
		return shown.String()
	})
	return starlark.None, nil
}
