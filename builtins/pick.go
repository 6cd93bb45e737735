package builtins

import (
	"fmt"
	"strings"

	"bpfsh/builtins/layout"
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

// picker reads a by argument: what to take of each element. Without it that is the element, or of pairs the value. Of
// what each CPU has one, it is their sum.
func picker(c method.Call, i int, pairs bool) (func(starlark.Value) (starlark.Value, error), error) {
	switch by := c.Args[i].(type) {
	case nil, starlark.NoneType:
		return func(v starlark.Value) (starlark.Value, error) {
			if pair, ok := v.(starlark.Tuple); ok && pairs && len(pair) == 2 {
				v = pair[1]
			}
			return summed(v)
		}, nil
	case starlark.String:
		return func(v starlark.Value) (starlark.Value, error) {
			f, err := field(v, string(by))
			if err != nil {
				return nil, err
			}
			return summed(f)
		}, nil
	case starlark.Callable:
		return func(v starlark.Value) (starlark.Value, error) {
			picked, err := starlark.Call(c.Thread, by, starlark.Tuple{v}, nil)
			if err != nil {
				return nil, err
			}
			return summed(picked)
		}, nil
	default:
		return nil, c.Bad("by", by, "the name of a field, or a function")
	}
}

func summed(v starlark.Value) (starlark.Value, error) {
	if p, ok := v.(*layout.PerCPU); ok {
		return p.Sum()
	}
	return v, nil
}

// pickedName is what a by argument picks is called.
func pickedName(by starlark.Value) string {
	if name, ok := by.(starlark.String); ok {
		return strings.TrimPrefix(string(name), "value.")
	}
	return "value"
}

// field is a field of a record, of the value of a pair, or of a dict. A dot leads into what the field holds; of a pair
// "key." and "value." lead into its halves, unless the value has fields of these names.
func field(v starlark.Value, path string) (starlark.Value, error) {
	pair, ok := v.(starlark.Tuple)
	if !ok || len(pair) != 2 {
		return fieldOf(v, path)
	}
	first, rest, dotted := strings.Cut(path, ".")
	if _, err := fieldOf(pair[1], first); err != nil && (first == "key" || first == "value") {
		half := pair[0]
		if first == "value" {
			half = pair[1]
		}
		if !dotted {
			return half, nil
		}
		return fieldOf(half, rest)
	}
	return fieldOf(pair[1], path)
}

// fieldOf is field of anything but a pair.
func fieldOf(v starlark.Value, path string) (starlark.Value, error) {
	v, err := summed(v)
	if err != nil {
		return nil, err
	}
	f, err := namedField(v, path)
	first, rest, dotted := strings.Cut(path, ".")
	if err == nil || !dotted { // a dict may have a key with a dot
		return f, err
	}
	if f, err = namedField(v, first); err != nil {
		return nil, err
	}
	return fieldOf(f, rest)
}

func namedField(v starlark.Value, name string) (starlark.Value, error) {
	switch r := v.(type) {
	case starlark.Mapping:
		if f, found, err := r.Get(starlark.String(name)); found || err != nil {
			return f, err
		}
	case starlark.HasAttrs:
		if f, err := r.Attr(name); f != nil || err != nil {
			return f, err
		}
	}
	return nil, fmt.Errorf("%s has no field %s", method.Describe(v), name)
}
