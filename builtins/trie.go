package builtins

import (
	"context"
	"errors"

	"bpfsh/builtins/engine"
	"bpfsh/runtime"
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"
)

var trieMethods = []method.Row[*Map]{{
	Name:   "match",
	Params: "key",
	Doc: "The entry of a trie that covers key, as (prefix, value), or None.\n" +
		"It is the one with the longest prefix, whose value m[key] is. key is an address (\"10.1.2.3\") or a prefix (\"10.1.0.0/16\").",
	Example: `routes.match("10.1.2.3")     # ("10.0.0.0/8", 7)
routes.match("192.0.2.1")    # None: no prefix covers it`,
	Run: (*Map).match,
}}

// match looks for the prefix that lookup has found, which the kernel does not tell: the longest that is an entry.
func (m *Map) match(c method.Call) (starlark.Value, error) {
	if !m.kind.Trie {
		return nil, m.fail(c.Name, nil, errNotForType)
	}
	asked := c.Args[0]
	encoded, err := m.encodeKey(c.Name, asked)
	if err != nil {
		return nil, err
	}
	ctx := runtime.Context(c.Thread)
	k := append([]byte(nil), encoded...)
	for bits := min(engine.PrefixLen(k), 8*(len(k)-4)); bits >= 0; bits-- {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		engine.Shorten(k, bits)
		// Where no prefix as short as this covers it, neither does a shorter one.
		switch err := m.raw.Lookup(k, m.valueBuf, 0); {
		case errors.Is(err, unix.ENOENT):
			return starlark.None, nil
		case err != nil:
			return nil, m.explain(c.Name, asked, err)
		}
		if there, err := m.hasPrefix(c.Name, asked, k); err != nil {
			return nil, err
		} else if there {
			return starlark.Tuple{m.key.Decode(k), m.decodeValue(m.valueBuf)}, nil
		}
	}
	return starlark.None, nil
}
