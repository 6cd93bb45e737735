package layout

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"
	"go.starlark.net/lib/json"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// expr is a Starlark expression and what it gives: its value as text, or its error.
type expr struct{ src, want string }

// check evaluates the expressions. They know T(spelling), json, and three functions on a spelling or a type:
//
//	enc(t, value)  the bytes of value, in hexadecimal
//	dec(t, hex)    the value of the bytes; an error if it does not encode to the same bytes
//	percpu(t, v…)  what a per-CPU map with one CPU for each v holds
//
// types are further names for types that cannot be spelled.
func check(t *testing.T, types map[string]btf.Type, tests []expr) {
	t.Helper()
	if hostBig {
		t.Skip("the bytes in the table are of a little-endian machine")
	}
	env := starlark.StringDict{
		"T":      builtin("T", func(t *Type, _ starlark.Tuple) (starlark.Value, error) { return t, nil }),
		"enc":    builtin("enc", func(t *Type, args starlark.Tuple) (starlark.Value, error) { return encodeHex(t, args[0]) }),
		"dec":    builtin("dec", func(t *Type, args starlark.Tuple) (starlark.Value, error) { return decodeHex(t, args[0]) }),
		"percpu": builtin("percpu", perCPU),
		"json":   json.Module,
	}
	for name, typ := range types {
		compiled, err := Of(typ)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		env[name] = compiled
	}
	for _, test := range tests {
		t.Run(test.src, func(t *testing.T) {
			if got := eval(env, test.src); got != test.want {
				t.Errorf("%s\n got %s\nwant %s", test.src, got, test.want)
			}
		})
	}
}

func eval(env starlark.StringDict, src string) string {
	v, err := starlark.EvalOptions(&syntax.FileOptions{}, new(starlark.Thread), "test", src, env)
	if err != nil {
		return err.Error()
	}
	if s, ok := v.(starlark.String); ok {
		return string(s)
	}
	return v.String()
}

// builtin makes a function whose first argument is a spelling or a type.
func builtin(name string, f func(*Type, starlark.Tuple) (starlark.Value, error)) *starlark.Builtin {
	return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		t, ok := args[0].(*Type)
		if !ok {
			var err error
			if t, err = Parse(string(args[0].(starlark.String))); err != nil {
				return nil, err
			}
		}
		return f(t, args[1:])
	})
}

func encodeHex(t *Type, v starlark.Value) (starlark.Value, error) {
	b := []byte(strings.Repeat("\xaa", t.Size())) // what was there must not shine through
	if err := t.Encode(b, v); err != nil {
		return nil, err
	}
	return starlark.String(fmt.Sprintf("% x", b)), nil
}

func decodeHex(t *Type, text starlark.Value) (starlark.Value, error) {
	b, err := hex.DecodeString(strings.ReplaceAll(string(text.(starlark.String)), " ", ""))
	if err != nil {
		return nil, err
	}
	if len(b) != t.Size() {
		return nil, fmt.Errorf("test gives %d bytes for %s, which has %d", len(b), t, t.Size())
	}
	v := t.Decode(b)
	again := []byte(strings.Repeat("\xaa", t.Size()))
	if err := t.Encode(again, v); err != nil {
		return nil, fmt.Errorf("%s decodes to %s, which does not encode: %w", text, v, err)
	}
	if string(again) != string(b) {
		return nil, fmt.Errorf("%s decodes to %s, which encodes to % x", text, v, again)
	}
	return v, nil
}

func perCPU(t *Type, args starlark.Tuple) (starlark.Value, error) {
	slot := Slot{Type: t, CPUs: len(args)}
	b := make([]byte, slot.Size())
	if err := slot.Encode(b, args); err != nil {
		return nil, err
	}
	return slot.Decode(b), nil
}

// mustParse is the type of a spelling that a test relies on.
func mustParse(tb testing.TB, spelling string) *Type {
	tb.Helper()
	t, err := Parse(spelling)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}
