package repl

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"bpfsh/runtime"
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

// fakeMap is a value with methods, keys, and text that nobody should trust.
type fakeMap struct {
	entries map[string]string
	reads   int // of the attribute that costs something
}

var (
	_ starlark.HasAttrs = (*fakeMap)(nil)
	_ Completer         = (*fakeMap)(nil)
	_ Documented        = (*fakeMap)(nil)
)

var fakeMethods = []method.Row[*fakeMap]{{
	Name: "update", Params: "key, value, flags=BPF_ANY", Doc: "Write value under key. BPF_NOEXIST: only if it is new.",
	Run: func(m *fakeMap, c method.Call) (starlark.Value, error) {
		key, _ := starlark.AsString(c.Args[0])
		m.entries[key] = c.Args[1].String()
		return starlark.None, nil
	},
}, {
	Name: "lookup", Params: "key, default=None", Doc: "The value of key.",
	Run: func(m *fakeMap, c method.Call) (starlark.Value, error) { return c.Args[0], nil },
}, {
	Name: "info", Doc: "All there is to know.",
	Run: func(*fakeMap, method.Call) (starlark.Value, error) { panic("completion has called a method") },
}}

var fakeAttrs = []method.Attr[*fakeMap]{{
	Name: "name", Doc: "The map's name.",
	Get: func(m *fakeMap) (starlark.Value, error) { m.reads++; return starlark.String("flows"), nil },
}}

var fakeTable = method.NewTable("map", fakeAttrs, fakeMethods)

func (m *fakeMap) String() string        { return "map flows" }
func (m *fakeMap) Type() string          { return "map" }
func (m *fakeMap) Freeze()               {}
func (m *fakeMap) Truth() starlark.Bool  { return true }
func (m *fakeMap) Hash() (uint32, error) { return 0, errors.New("unhashable") }
func (m *fakeMap) AttrNames() []string   { return fakeTable.Names() }
func (m *fakeMap) Help() string          { return "map flows: hash, 3 entries" }

func (m *fakeMap) Attr(name string) (starlark.Value, error) { return fakeTable.Attr(m, name) }

func (m *fakeMap) Entries() []method.Entry {
	return append(method.Entries("method", fakeMethods), method.AttrEntries(fakeAttrs)...)
}

func (m *fakeMap) Complete(kind, _ string) []string {
	if kind != "key" {
		return nil
	}
	return []string{`"10.0.0.1"`, `"10.0.0.2"`, `"10.9.0.1"`, starlark.String("e\x1b]0;pwn\a").String()}
}

// fakeStruct knows its fields when it is called, and when its method is.
type fakeStruct struct{ *starlark.Builtin }

func (*fakeStruct) Complete(kind, _ string) []string {
	if kind != "" && kind != "fields" {
		return nil
	}
	return []string{"packets", "bytes", "in"}
}

var structTable = method.NewTable("struct", nil, []method.Row[*fakeStruct]{
	{Name: "replace", Params: "**fields", Doc: "A changed copy."},
	{Name: "pick", Params: "n, fields", Doc: "Some of it."},
})

func (s *fakeStruct) Attr(name string) (starlark.Value, error) { return structTable.Attr(s, name) }
func (s *fakeStruct) AttrNames() []string                      { return structTable.Names() }

var fakeFunctions = []method.Row[int]{{
	Name: "open", Params: "where, key=None, readonly=False", Doc: "A map of the system.",
	Run: func(_ int, c method.Call) (starlark.Value, error) { return &fakeMap{entries: map[string]string{}}, nil },
}, {
	Name: "maps", Params: "name=None", Doc: "All maps.",
	Run: func(int, method.Call) (starlark.Value, error) { return starlark.String("no maps"), nil },
}, {
	Name: "nap", Doc: "Take a moment.",
	Run: func(int, method.Call) (starlark.Value, error) {
		time.Sleep(30 * time.Millisecond)
		return starlark.None, nil
	},
}}

// world is what there is in sessions of tests.
func world() starlark.StringDict {
	dict := method.Functions(0, fakeFunctions)
	dict["Flow"] = &fakeStruct{starlark.NewBuiltin("Flow", nil)}
	dict["m"] = &fakeMap{entries: map[string]string{}}
	for i, name := range []string{"BPF_ANY", "BPF_NOEXIST", "BPF_EXIST", "BPF_F_LOCK"} {
		dict[name] = starlark.MakeInt(i)
	}
	return dict
}

// names are those of maps, with some that a hostile process gave.
func names(n int) func(string) []string {
	all := []string{"flows", "flags", "/sys/fs/bpf/flows", "id:144", "evil\x1b]0;pwn\a\u202e", `quo"te`}
	for i := range n {
		all = append(all, fmt.Sprintf("map_%05d", i))
	}
	return func(string) []string { return all }
}

// configuration is what a command would give to Run.
func configuration(output *Output) Config {
	format := "table"
	return Config{
		Echo: func(w io.Writer, v starlark.Value) error {
			prefix := ""
			if format == "json" {
				prefix = "json:"
			}
			_, err := fmt.Fprintf(w, "%s%s\n", prefix, v)
			return err
		},
		Mode: func(name string) (string, error) {
			switch name {
			case "":
			case "table", "json":
				format = name
			default:
				return "", fmt.Errorf("got %s, want table or json", name)
			}
			return format, nil
		},
		Output:  output,
		Bare:    []string{"maps"},
		Sources: map[string]func(string) []string{"where": names(400)},
	}
}

// newWorld is newScript with a world in it, and with all that a command can give.
func newWorld(lines ...string) (*script, *runtime.Session, Config) {
	c, _ := newScript(lines...)
	out := NewOutput(c.screen, nil, false)
	s := runtime.New(runtime.Config{Stdout: out, Stderr: c.screen, Predeclared: world()})
	return c, s, configuration(out)
}

// transcript is what the screen shows after the lines.
func transcript(change func(*Config), lines ...string) (screen string, c *script, err error) {
	c, s, cfg := newWorld(lines...)
	if change != nil {
		change(&cfg)
	}
	err = Run(s, c, cfg)
	return c.screen.String(), c, err
}

// without replaces what differs from run to run.
func without(text string, replacements ...string) string {
	return strings.NewReplacer(replacements...).Replace(text)
}

var _ io.Writer = (*Output)(nil)
