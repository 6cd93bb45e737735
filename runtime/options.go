package runtime

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"bpfsh/runtime/method"

	"github.com/spf13/pflag"
	starlarktime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"
)

var optionFunctions = []method.Row[*Session]{{
	Name:   "options",
	Params: "about, usage=\"\", **flags",
	Doc: "What the script's words ask for, by the flags that it declares.\n" +
		"about says what the script does, for --help. usage names the words beside flags, and so how many there may be: " +
		"\"MAP [FILE]\", \"MAP...\"; without it there are none.\n" +
		"A flag is NAME=(default, \"what it is for\"). The default is True or False, an int, a float, a string, a time.duration, a list of " +
		"strings for a flag that may be given more than once, or None for a string that is None where it was not given; values on the command line must be of its type. " +
		"dry_run is given as --dry-run, and n as -n. A word in backquotes is what --help calls the value: \"how many `ROWS`\".\n" +
		"The result has an attribute for each flag, and .args, the words that are left. --help prints a text made of all this " +
		"and ends the script; what was not declared or does not fit ends it with exit status 2, and so does .error(text) for what else is wrong.",
	Example: `o = options("Print what flows there are.", usage="ADDRESS...",
            by=("bytes", "the ` + "`FIELD`" + ` to print"),
            missing_ok=(False, "leave out addresses that have none"))
for address in o.args:
    if address in m or not o.missing_ok:
        print(address, getattr(m[address], o.by))`,
	Run: (*Session).options,
}}

const (
	statusUsage = 2
	moreHelp    = "; --help lists the flags"
)

// options reads the script's words. What is wrong with them is the user's error and ends the script; what is wrong
// with the declaration is the script's own.
func (s *Session) options(c method.Call) (starlark.Value, error) {
	p := &words{script: s.scriptName(c.Thread), flags: pflag.NewFlagSet("", pflag.ContinueOnError)}
	var err error
	if p.about, err = c.String(0, "about"); err != nil {
		return nil, err
	}
	if p.usage, err = c.String(1, "usage"); err != nil {
		return nil, err
	}
	p.flags.SortFlags = false
	p.flags.Usage = func() {}
	for _, kv := range c.More {
		if err := p.declare(c, string(kv[0].(starlark.String)), kv[1]); err != nil {
			return nil, err
		}
	}
	help := p.flags.BoolP("help", "h", false, "print this help")
	if err := p.flags.Parse(s.script.words); err != nil {
		return nil, s.badUsage(p, p.explain(err))
	}
	if *help {
		s.print(c.Thread, p.help())
		return nil, &Exit{0}
	}
	if wrong := p.count(p.flags.Args()); wrong != "" {
		return nil, s.badUsage(p, wrong)
	}
	return p.values(s), nil
}

func (s *Session) badUsage(p *words, text string) error {
	name := p.script
	if strings.HasPrefix(name, "-") { // it has none
		name = "bpfsh"
	}
	s.Warn(name + ": " + text)
	return &Exit{statusUsage}
}

// scriptName is what a usage calls the script that is running.
func (s *Session) scriptName(thread *starlark.Thread) string {
	frames := s.frames(thread)
	if len(frames) == 0 {
		return "-c CODE"
	}
	switch name := frames[0].Pos.Filename(); name {
	case "<stdin>":
		return "-"
	case "<command>":
		return "-c CODE"
	default:
		return filepath.Base(name)
	}
}

// words are what a script may be given.
type words struct {
	script, about, usage string
	flags                *pflag.FlagSet
}

// declare adds a flag of the script's.
func (p *words) declare(c method.Call, name string, spec starlark.Value) error {
	if name == "help" || name == "h" || name == "args" || name == "error" {
		return fmt.Errorf("%s: %s cannot be a flag: it is there without being declared", c.Name, name)
	}
	pair, ok := spec.(starlark.Tuple)
	if !ok || len(pair) != 2 {
		return c.Bad(name, spec, "(default, \"what it is for\")")
	}
	text, ok := starlark.AsString(pair[1])
	if !ok {
		return c.Bad(name, pair[1], "a text that says what it is for")
	}
	kind, ok := kindOf(pair[0])
	if !ok {
		return c.Bad(name, pair[0], "a default: bool, int, float, string, time.duration, list of strings or None")
	}
	short := ""
	if len(name) == 1 {
		short = name
	}
	f := p.flags.VarPF(&flagValue{kind, pair[0], false}, strings.ReplaceAll(name, "_", "-"), short, text)
	if kind == boolFlag {
		f.NoOptDefVal = "true"
	}
	return nil
}

// explain says what pflag found wrong.
func (p *words) explain(err error) string {
	var unknown *pflag.NotExistError
	var valueless *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		given := unknown.GetSpecifiedName()
		if group := unknown.GetSpecifiedShortnames(); group != "" {
			given = group
		}
		var names []string
		p.flags.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near := method.Nearest(given, names); near != "" {
			return err.Error() + " (did you mean " + dashed(p.flags.Lookup(near)) + "?)" + moreHelp
		}
		return err.Error() + moreHelp
	case errors.As(err, &valueless):
		return dashed(valueless.GetFlag()) + " wants a value" + moreHelp
	case errors.As(err, &invalid):
		return fmt.Sprintf("%s: got %q, want %v", dashed(invalid.GetFlag()), invalid.GetValue(), invalid.Unwrap())
	default:
		return err.Error() + moreHelp
	}
}

// dashed is a flag as it is given.
func dashed(f *pflag.Flag) string {
	if len(f.Name) == 1 {
		return "-" + f.Name
	}
	return "--" + f.Name
}

// count says what is wrong with the number of words; "" if nothing is.
func (p *words) count(given []string) string {
	var required []string
	most, optional := 0, 0
	for word := range strings.FieldsSeq(p.usage) {
		optional += strings.Count(word, "[")
		if name := strings.Trim(word, "[]"); name != "..." {
			most = min(most, math.MaxInt-1) + 1
			if optional == 0 {
				required = append(required, strings.TrimSuffix(name, "..."))
			}
		}
		optional -= strings.Count(word, "]")
		if strings.HasSuffix(strings.TrimRight(word, "]"), "...") {
			most = math.MaxInt
		}
	}
	switch {
	case len(given) < len(required):
		return fmt.Sprintf("missing %s (%s)", required[len(given)], p.line())
	case len(given) > most:
		return fmt.Sprintf("a word too many: %q (%s)", given[most], p.line())
	}
	return ""
}

// line is how the script is called.
func (p *words) line() string {
	return strings.TrimRight("usage: bpfsh "+p.script+" [flags] "+p.usage, " ")
}

// help is what --help prints.
func (p *words) help() string {
	var flags, texts []string
	margin := 0
	p.flags.VisitAll(func(f *pflag.Flag) {
		name, text := pflag.UnquoteUsage(f)
		left := "      --" + f.Name
		switch {
		case len(f.Name) == 1:
			left = "  -" + f.Name
		case f.Shorthand != "":
			left = "  -" + f.Shorthand + ", --" + f.Name
		}
		if name != "" {
			left += " " + name
		}
		if v, ok := f.Value.(*flagValue); ok && v.v.Truth() == starlark.True {
			text += " (default " + v.String() + ")"
		}
		flags, texts = append(flags, left), append(texts, text)
		margin = max(margin, len(left)+2)
	})
	lines := []string{strings.TrimSpace(p.about), "", p.line(), ""}
	for i, left := range flags {
		lines = append(lines, fmt.Sprintf("%-*s%s", margin, left, strings.TrimLeft(method.Wrap(texts[i], margin), " ")))
	}
	return strings.Join(lines, "\n")
}

// values is what the script gets.
func (p *words) values(s *Session) starlark.Value {
	fail := func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var text string
		if err := starlark.UnpackPositionalArgs(b.Name(), args, kwargs, 1, &text); err != nil {
			return nil, err
		}
		return nil, s.badUsage(p, text+moreHelp)
	}
	v := given{starlark.StringDict{"args": stringList(p.flags.Args())}, starlark.NewBuiltin("error", fail)}
	p.flags.VisitAll(func(f *pflag.Flag) {
		if flag, ok := f.Value.(*flagValue); ok {
			v.StringDict[strings.ReplaceAll(f.Name, "-", "_")] = flag.v
		}
	})
	return v
}

// given is what options returns: the flags and args, and error beside them.
type given struct {
	starlark.StringDict
	fail *starlark.Builtin
}

var _ starlark.HasAttrs = given{}

func (g given) Type() string          { return "options" }
func (g given) Truth() starlark.Bool  { return true }
func (g given) Hash() (uint32, error) { return 0, errors.New("unhashable type: options") }
func (g given) AttrNames() []string   { return append(g.Keys(), g.fail.Name()) }

func (g given) Attr(name string) (starlark.Value, error) {
	if name == g.fail.Name() {
		return g.fail, nil
	}
	return g.StringDict[name], nil
}

// flagKind is what a flag takes.
type flagKind string

const (
	boolFlag     flagKind = "bool"
	intFlag      flagKind = "N"
	floatFlag    flagKind = "X"
	textFlag     flagKind = "TEXT"
	listFlag     flagKind = "TEXT..." // one at a time
	durationFlag flagKind = "TIME"
)

func kindOf(value starlark.Value) (flagKind, bool) {
	switch v := value.(type) {
	case starlark.Bool:
		return boolFlag, true
	case starlark.Int:
		return intFlag, true
	case starlark.Float:
		return floatFlag, true
	case starlark.String, starlark.NoneType:
		return textFlag, true
	case starlarktime.Duration:
		return durationFlag, true
	case *starlark.List:
		for i := range v.Len() {
			if _, ok := v.Index(i).(starlark.String); !ok {
				return "", false
			}
		}
		return listFlag, true
	default:
		return "", false
	}
}

// flagValue is a flag's value as the script sees it.
type flagValue struct {
	kind flagKind
	v    starlark.Value
	set  bool
}

var _ pflag.Value = (*flagValue)(nil)

// Type is what the help calls the value unless the flag names it.
func (f *flagValue) Type() string { return string(f.kind) }

func (f *flagValue) String() string {
	if f.v == nil { // pflag asks a zero value
		return ""
	}
	return f.v.String()
}

// Set reads the value. Its error is what was wanted.
func (f *flagValue) Set(text string) error {
	switch f.kind {
	case boolFlag:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return errors.New("true or false")
		}
		f.v = starlark.Bool(b)
	case intFlag:
		n, ok := wholeNumber(text)
		if !ok {
			return errors.New("a whole number")
		}
		f.v = starlark.MakeBigInt(n)
	case floatFlag:
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return errors.New("a number")
		}
		f.v = starlark.Float(x)
	case durationFlag:
		d, err := time.ParseDuration(text)
		if err != nil {
			return errors.New(`a time such as "1s" or "200ms"`)
		}
		f.v = starlarktime.Duration(d)
	case listFlag:
		var list []starlark.Value
		if f.set { // the default goes, what was given before stays
			for v := range f.v.(*starlark.List).Elements() {
				list = append(list, v)
			}
		}
		f.v = starlark.NewList(append(list, starlark.String(text)))
	default:
		f.v = starlark.String(text)
	}
	f.set = true
	return nil
}

// wholeNumber reads a number as a script writes it, where a leading 0 is no octal.
func wholeNumber(text string) (*big.Int, bool) {
	digits := strings.TrimLeft(text, "+-")
	if len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' {
		return nil, false
	}
	return new(big.Int).SetString(text, 0)
}
