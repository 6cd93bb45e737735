package method

import (
	"fmt"
	"hash/maphash"
	"strings"
	"sync"

	"go.starlark.net/starlark"
)

// Call is one call of a row's body.
type Call struct {
	Thread *starlark.Thread
	Name   string // of the row
	// Args has one value for each named parameter, in order; nil where an optional one was not given.
	Args []starlark.Value
	Rest starlark.Tuple   // what *args collected
	More []starlark.Tuple // what **kwargs collected
}

// Callable is a function or method made from a row.
type Callable interface {
	starlark.Callable
	Entry() Entry
}

// signature is a row with its Params, which are parsed when it is first called: most rows are not in most runs.
type signature[R any] struct {
	Row[R]
	parsed     sync.Once
	names      []string
	required   int // the first so many have no default
	positional int // the first so many may be given in order: those before *args
	rest       bool
	more       bool
}

// parse panics where a parameter without a default follows one that has one.
func (s *signature[R]) parse() {
	if s.Params == "" {
		return
	}
	for _, p := range splitParams(s.Params) {
		name, _, optional := strings.Cut(p, "=")
		switch {
		case strings.HasPrefix(name, "**"):
			s.more = true
		case strings.HasPrefix(name, "*"):
			s.rest = true
		default:
			s.names = append(s.names, name)
			if !s.rest {
				s.positional++
			}
			if !optional {
				s.required++
				if s.required != len(s.names) {
					panic(fmt.Sprintf("%s(%s): %s has no default but follows one that has", s.Name, s.Params, name))
				}
			}
		}
	}
}

// splitParams cuts at the commas that are not inside brackets or quotes, which occur in defaults.
func splitParams(params string) []string {
	var parts []string
	depth, start, quoted := 0, 0, false
	for i, c := range params {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '(' || c == '[' || c == '{':
			depth++
		case c == ')' || c == ']' || c == '}':
			depth--
		case c == ',' && depth == 0:
			parts = append(parts, strings.TrimSpace(params[start:i]))
			start = i + 1
		}
	}
	return append(parts, strings.TrimSpace(params[start:]))
}

// bind gives each parameter its argument.
func (s *signature[R]) bind(args starlark.Tuple, kwargs []starlark.Tuple) (values []starlark.Value, rest starlark.Tuple, more []starlark.Tuple, err error) {
	s.parsed.Do(s.parse)
	if len(args) == len(s.names) && s.positional == len(s.names) && len(kwargs) == 0 { // the common case copies nothing
		return args, nil, nil, nil
	}
	if len(args) > s.positional {
		if !s.rest {
			return nil, nil, nil, fmt.Errorf("%s: got %s, want %s: %s(%s)", s.Name, Counted(len(args), "argument"), s.arity(), s.Name, s.Params)
		}
		args, rest = args[:s.positional], args[s.positional:]
	}
	values = make([]starlark.Value, len(s.names))
	copy(values, args)
next:
	for _, kv := range kwargs {
		name := string(kv[0].(starlark.String))
		for i, n := range s.names {
			if n == name {
				if values[i] != nil {
					return nil, nil, nil, fmt.Errorf("%s: two values for %s", s.Name, name)
				}
				values[i] = kv[1]
				continue next
			}
		}
		if !s.more {
			return nil, nil, nil, fmt.Errorf("%s: no parameter %s%s: %s(%s)", s.Name, name, DidYouMean(name, s.names), s.Name, s.Params)
		}
		more = append(more, kv)
	}
	for i, n := range s.names[:s.required] {
		if values[i] == nil {
			return nil, nil, nil, fmt.Errorf("%s: missing argument %s: %s(%s)", s.Name, n, s.Name, s.Params)
		}
	}
	return values, rest, more, nil
}

// Counted is a number and what it counts: "1 value", "2 values".
func Counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func (s *signature[R]) arity() string {
	switch n := len(s.names); {
	case n == 0:
		return "none"
	case s.required < n:
		return fmt.Sprintf("at most %d", n)
	default:
		return fmt.Sprint(n)
	}
}

// bound is a row with the value it works on: what m.update is before it is called.
type bound[R any] struct {
	sig  *signature[R]
	recv R
	typ  string // of recv, as type(x) names it; "" for a function
}

func (b *bound[R]) Name() string          { return b.sig.Name }
func (b *bound[R]) Type() string          { return "builtin_function_or_method" }
func (b *bound[R]) Freeze()               {}
func (b *bound[R]) Truth() starlark.Bool  { return true }
func (b *bound[R]) Hash() (uint32, error) { return HashString(b.typ + "." + b.sig.Name), nil }

func (b *bound[R]) String() string {
	if b.typ == "" {
		return fmt.Sprintf("<built-in function %s>", b.sig.Name)
	}
	return fmt.Sprintf("<built-in method %s of %s value>", b.sig.Name, b.typ)
}

// Entry is what the row says about itself.
func (b *bound[R]) Entry() Entry {
	if b.typ == "" {
		return b.sig.entry("function")
	}
	return b.sig.entry("method")
}

// CallInternal binds the arguments and runs the body.
func (b *bound[R]) CallInternal(thread *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	values, rest, more, err := b.sig.bind(args, kwargs)
	if err != nil {
		return nil, err
	}
	return b.sig.Run(b.recv, Call{thread, b.sig.Name, values, rest, more})
}

var seed = maphash.MakeSeed()

// HashString hashes s for starlark.Value's Hash.
func HashString(s string) uint32 { return uint32(maphash.String(seed, s)) }
