package builtins

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/runtime"
	"bpfsh/runtime/method"

	"github.com/cilium/ebpf/btf"
	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"
)

var findFunctions = []method.Row[*Library]{{
	Name:   "open",
	Params: "where, key=None, value=None, hints={}, readonly=False",
	Doc: "Open a map that is there (BPF_OBJ_GET, BPF_MAP_GET_FD_BY_ID).\n" +
		"where is an id (an int), a pin's path (a string with a slash), or a name; \"id:144\", \"pin:/p\" and \"name:x\" say which. " +
		"key and value are types to use instead of the map's own; hints gives some of its fields another type, such as " +
		"{\"key.saddr\": \"ipv4\", \"value.seen\": \"ktime\"}. readonly asks for a handle that cannot write, freeze, pin or " +
		"unpin, and gives such handles on the maps that are in a map of maps.",
	Example: `flows = open("/sys/fs/bpf/flows", readonly=True)
drops = open("drops", hints={"key": "ifindex"})
again = open(flows.id)    # an int; open("144") looks for a name`,
	Run: (*Library).openMap,
}}

func (l *Library) openMap(c method.Call) (starlark.Value, error) {
	hints, err := hintsArg(c, 3)
	if err != nil {
		return nil, err
	}
	readonly, err := c.Bool(4, "readonly")
	if err != nil {
		return nil, err
	}
	raw, err := l.find(c, readonly)
	if err != nil {
		return nil, err
	}
	m, err := l.typed(c, raw, hints)
	if err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	return m, nil
}

// typed makes the value for an open map, with the types that the call asks for.
func (l *Library) typed(c method.Call, raw engine.Map, hints map[string]string) (*Map, error) {
	var key, value *layout.Type
	var err error
	known := l.known(raw)
	if given(c, 1) {
		if key, err = typeArg(c, known, 1, "key"); err != nil {
			return nil, err
		}
	}
	if given(c, 2) {
		if value, err = typeArg(c, known, 2, "value"); err != nil {
			return nil, err
		}
	}
	m, err := l.newMap(c.Thread, raw, known, key, value)
	if err == nil && len(hints) > 0 {
		guessed := m.guessed.key || m.guessed.value
		m.key, m.value.Type, err = layout.Hints(m.key, m.value.Type, hints)
		if err != nil && guessed {
			return nil, &Error{Op: c.Name, Count: -1, Err: err, hint: m.typesHint()}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	if len(hints) > 0 {
		l.planned.note(m, true)
	}
	return m, nil
}

// known are the types that have names: those of the map's own program first.
func (l *Library) known(raw engine.Map) *layout.Host {
	spec := raw.Spec()
	if spec == nil {
		return l.types
	}
	return l.types.With(func(name string) (btf.Type, error) { return layout.FindType(spec, name) }, func() []string { return layout.NamesOf(spec) })
}

// hintsArg reads a dict of paths and spellings.
func hintsArg(c method.Call, i int) (map[string]string, error) {
	if !given(c, i) {
		return nil, nil
	}
	const want = `a dict such as {"key.saddr": "ipv4"}`
	d, ok := c.Args[i].(starlark.IterableMapping)
	if !ok {
		return nil, c.Bad("hints", c.Args[i], want)
	}
	hints := map[string]string{}
	for _, item := range d.Items() {
		path, ok := starlark.AsString(item[0])
		spelling, ok2 := starlark.AsString(item[1])
		if !ok || !ok2 {
			return nil, c.Bad("hints", item, want)
		}
		hints[path] = spelling
	}
	return hints, nil
}

// find opens what where says.
func (l *Library) find(c method.Call, readonly bool) (engine.Map, error) {
	const want = `an id, a name, or a path such as "/sys/fs/bpf/flows"`
	if _, ok := c.Args[0].(starlark.Int); ok {
		id, err := c.Uint32(0, "where")
		if err != nil {
			return nil, err
		}
		return l.byID(c, id, readonly)
	}
	where, ok := c.Args[0].(starlark.String)
	if !ok || where == "" {
		return nil, c.Bad("where", c.Args[0], want)
	}
	if strings.ContainsRune(string(where), 0) {
		return nil, c.Bad("where", where, "a name or a path: neither has a NUL")
	}
	kind, rest, ok := strings.Cut(string(where), ":")
	switch {
	case ok && kind == "id":
		id, err := strconv.ParseUint(rest, 10, 32)
		if err != nil {
			return nil, c.Bad("where", where, "a number behind id:")
		}
		return l.byID(c, uint32(id), readonly)
	case ok && kind == "pin":
		return l.byPath(c, rest, readonly)
	case ok && kind == "name":
		return l.byName(c, rest, readonly)
	case strings.Contains(string(where), "/"):
		return l.byPath(c, string(where), readonly)
	}
	if _, err := strconv.ParseUint(string(where), 10, 32); err == nil {
		return nil, fmt.Errorf("%s: %s is a string, and so a name; for the map with this id: open(%s)", c.Name, where, string(where))
	}
	return l.byName(c, string(where), readonly)
}

func (l *Library) byID(c method.Call, id uint32, readonly bool) (engine.Map, error) {
	m, err := l.descriptor(func() (engine.Map, error) { return l.engine.OpenID(id, readonly) })
	if err != nil {
		return nil, newError(Error{Op: c.Name, Where: fmt.Sprintf("map id=%d", id), Count: -1, Err: err, lib: l})
	}
	return m, nil
}

func (l *Library) byPath(c method.Call, pin string, readonly bool) (engine.Map, error) {
	m, err := l.descriptor(func() (engine.Map, error) { return l.engine.OpenPin(pin, readonly) })
	if err != nil {
		return nil, newError(Error{Op: c.Name, Where: quotedPath(pin), Count: -1, Err: err, path: pin, lib: l})
	}
	return m, nil
}

func (l *Library) byName(c method.Call, name string, readonly bool) (engine.Map, error) {
	if err := checkLength(c, name); err != nil {
		return nil, err
	}
	var ids []string
	var id uint32
	var names []string
	if err := l.each(c, func(info *engine.Info, _ engine.Map) error {
		names = append(names, info.Name)
		if info.Name == name {
			id = info.ID
			ids = append(ids, fmt.Sprint(id))
		}
		return nil
	}); err != nil {
		return nil, err
	}
	switch len(ids) {
	case 0:
		return nil, newError(Error{Op: c.Name, Where: "map " + starlark.String(name).String() + method.DidYouMean(name, names), Count: -1, Err: unix.ENOENT, lib: l})
	case 1:
		return l.byID(c, id, readonly)
	default:
		return nil, fmt.Errorf("%s: %d maps are called %s: open one by its id, %s", c.Name, len(ids), starlark.String(name), strings.Join(ids, ", "))
	}
}

// each calls f with every map. A map that goes away meanwhile is left out.
func (l *Library) each(c method.Call, f func(*engine.Info, engine.Map) error) error {
	ctx := runtime.Context(c.Thread)
	for id := uint32(0); ; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		next, err := l.engine.NextID(id)
		if errors.Is(err, unix.ENOENT) {
			return nil
		}
		if err != nil {
			return newError(Error{Op: c.Name, Count: -1, Err: err, lib: l})
		}
		id = next
		m, err := l.byID(c, id, true)
		if errors.Is(err, unix.ENOENT) {
			continue
		}
		if err != nil {
			return err
		}
		if err := errors.Join(f(m.Info(), m), m.Close()); err != nil {
			return err
		}
	}
}
