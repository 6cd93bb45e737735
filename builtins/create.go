package builtins

import (
	"errors"
	"fmt"
	"strings"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"
)

var createFunctions = []method.Row[*Library]{{
	Name:   "create",
	Params: `type=..., key=..., value=..., max_entries=..., name="", flags=0, inner=None, like=None, map_extra=0, numa_node=None`,
	Doc: "Make a map (BPF_MAP_CREATE).\n" +
		"type is bpftool's name: \"hash\", \"lru_percpu_hash\", ... key and value are types, spelled as in C (\"u32\", " +
		"\"struct { ipv4 saddr; be16 port; }\") or from typeof; the kernel keeps them with the map if it can. max_entries is how many " +
		"entries there is room for. name has at most 15 characters. like=m takes from m what is not given; inner=m makes maps like m " +
		"the values of a map in maps. The map is gone when nothing holds it any more: pin() keeps it.",
	Example: `ports = create("percpu_hash", key="struct { ipv4 addr; be16 port; }",
               value="u64", max_entries=1024, name="ports")
ports["10.0.0.1", 443] = [0] * cpus()
larger = create(like=m, max_entries=4096, name="flows2")`,
	Run: (*Library).create,
}}

// The places of create's parameters.
const (
	createType = iota
	createKey
	createValue
	createMaxEntries
	createName
	createFlags
	createInner
	createLike
	createMapExtra
	createNumaNode
)

// createDefaults are the sizes that a type has by its nature.
var createDefaults = map[string]struct{ key, value string }{
	"prog_array": {"", "u32"}, "perf_event_array": {"", "u32"}, "cgroup_array": {"", "u32"},
	"array_of_maps": {"", "u32"}, "hash_of_maps": {"", "u32"}, "xskmap": {"", "u32"},
	"sockmap": {"", "u64"}, "sockhash": {"", "u64"}, "reuseport_sockarray": {"", "u64"},
	"devmap": {"", "ifindex"}, "devmap_hash": {"u32", "ifindex"}, "cpumap": {"", "u32"}, "stack_trace": {"u32", ""},
	"sk_storage": {"i32", ""}, "inode_storage": {"i32", ""}, "task_storage": {"i32", ""}, "cgrp_storage": {"i32", ""},
}

const maxName = 15

func (l *Library) create(c method.Call) (starlark.Value, error) {
	spec, key, value, err := l.spec(c)
	if err != nil {
		return nil, err
	}
	m, err := l.make(c, spec, key, value)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// make makes a map. key and value are the types to use; nil chooses by the map's own.
func (l *Library) make(c method.Call, spec *engine.Spec, key, value *layout.Type) (*Map, error) {
	raw, err := l.descriptor(func() (engine.Map, error) { return l.engine.Create(*spec) })
	if err != nil {
		where := engine.KindOf(spec.Type).Name
		if spec.Name != "" {
			where += " " + starlark.String(spec.Name).String()
		}
		return nil, newError(Error{Op: c.Name, Where: where, Count: -1, Err: err, spec: spec, flags: uint64(spec.Flags), lib: l})
	}
	m, err := l.newMap(c.Thread, raw, l.types, key, value)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", c.Name, err), raw.Close())
	}
	m.created, m.inner, m.made = spec.Flags, spec.Inner, memoryOf(m.info)
	l.open.more(held{memory: m.made})
	if !m.info.BTF && m.value.Type.HasKept() && l.engine.Missing(engine.KeepingTypes) != "" {
		return nil, newError(Error{Op: c.Name, Where: engine.KindOf(spec.Type).Name, Count: -1, Err: errors.Join(unix.EPERM, raw.Close()), spec: spec, lib: l, wants: engine.KeepingTypes})
	}
	if !m.info.BTF && m.value.Type.HasKept() {
		return nil, errors.Join(fmt.Errorf("%s: the kernel does not keep the type %s with %s, so that what it names a lock or a timer would be plain bytes: it takes one lock, in a struct, in hashes and arrays",
			c.Name, m.value.Type, article(m.kind.Name)), raw.Close())
	}
	return m, nil
}

// spec reads the arguments of create.
func (l *Library) spec(c method.Call) (spec *engine.Spec, key, value *layout.Type, err error) {
	spec = &engine.Spec{}
	like, err := mapArg(c, createLike, "like")
	if err != nil {
		return nil, nil, nil, err
	}
	if like != nil {
		*spec = *like.spec()
		key, value = like.key, like.value.Type
	}
	if err := readType(c, spec); err != nil {
		return nil, nil, nil, err
	}
	kind := engine.KindOf(spec.Type)
	if like != nil && kind != like.kind { // what else the other map has is its own type's
		*spec = engine.Spec{Type: spec.Type, MaxEntries: spec.MaxEntries}
	}
	if spec.Name, err = readName(c); err != nil {
		return nil, nil, nil, err
	}
	if key, err = l.readKey(c, kind, key); err != nil {
		return nil, nil, nil, err
	}
	if value, err = l.readValue(c, kind, value); err != nil {
		return nil, nil, nil, err
	}
	spec.Key, spec.KeySize, spec.Value, spec.ValueSize = nil, 0, nil, 0
	if key != nil {
		spec.Key, spec.KeySize = key.BTF(), uint32(key.Size())
	}
	if value != nil {
		spec.Value, spec.ValueSize = value.BTF(), uint32(value.Size())
	}
	if err := readEntries(c, kind, spec); err != nil {
		return nil, nil, nil, err
	}
	if c.Args[createFlags] != nil {
		flags, err := flagsOf(c, createFlags)
		if err != nil {
			return nil, nil, nil, err
		}
		if flags > 1<<32-1 {
			return nil, nil, nil, c.Bad("flags", c.Args[createFlags], "flags such as BPF_F_NO_PREALLOC, of 32 bits")
		}
		spec.Flags = uint32(flags)
	}
	spec.Flags |= kind.Flags
	inner, err := mapArg(c, createInner, "inner")
	if err != nil {
		return nil, nil, nil, err
	}
	if inner != nil {
		spec.Inner = inner.spec()
	}
	if inner != nil && !kind.Nests {
		return nil, nil, nil, fmt.Errorf("%s: the values of %s are no maps, got inner=%s", c.Name, article(kind.Name), inner.label())
	} else if kind.Nests && spec.Inner == nil {
		return nil, nil, nil, fmt.Errorf("%s: %s wants inner=, a map such as its values are to be", c.Name, article(kind.Name))
	}
	if c.Args[createMapExtra] != nil {
		if spec.MapExtra, err = c.Uint(createMapExtra, "map_extra", 1<<64-1); err != nil {
			return nil, nil, nil, err
		}
	}
	if given(c, createNumaNode) {
		if spec.NumaNode, err = c.Uint32(createNumaNode, "numa_node"); err != nil {
			return nil, nil, nil, err
		}
		spec.Flags |= unix.BPF_F_NUMA_NODE
	}
	return spec, key, value, nil
}

func readType(c method.Call, spec *engine.Spec) error {
	if c.Args[createType] == nil {
		if spec.Type == 0 {
			return fmt.Errorf("%s: missing argument type, such as \"hash\"", c.Name)
		}
		return nil
	}
	name, err := c.String(createType, "type")
	if err != nil {
		return err
	}
	typ, ok := engine.TypeByName(name)
	if !ok {
		return fmt.Errorf("%s: no map type %s%s; there are %s", c.Name, c.Args[createType], method.DidYouMean(name, engine.TypeNames()),
			strings.Join(engine.TypeNames(), ", "))
	}
	spec.Type = typ
	return nil
}

func readName(c method.Call) (string, error) {
	name, err := c.String(createName, "name")
	if err != nil {
		return "", err
	}
	return name, checkName(c, name)
}

// checkName refuses a name that the kernel would not take as it is.
func checkName(c method.Call, name string) error {
	for _, r := range name {
		if r != '_' && r != '.' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return fmt.Errorf("%s: name %s has %q: the kernel takes letters, digits, _ and .", c.Name, starlark.String(name), r)
		}
	}
	return checkLength(c, name)
}

// checkLength refuses a name that the kernel would cut.
func checkLength(c method.Call, name string) error {
	if len(name) <= maxName {
		return nil
	}
	return fmt.Errorf("%s: name %s has %d characters: the kernel keeps %d, which are %s", c.Name, quoted(name), len(name), maxName,
		starlark.String(name[:maxName]))
}

// readKey is the key type that was given, or that the type of map has by its nature.
func (l *Library) readKey(c method.Call, kind *engine.Kind, like *layout.Type) (*layout.Type, error) {
	if c.Args[createKey] != nil && !kind.Keyed() {
		return nil, fmt.Errorf("%s: %s has no keys, got key=%s", c.Name, article(kind.Name), method.Describe(c.Args[createKey]))
	}
	if !kind.Keyed() {
		return nil, nil
	}
	if c.Args[createKey] != nil {
		return typeArg(c, l.types, createKey, "key")
	}
	switch d := createDefaults[kind.Name]; {
	case like != nil:
		return like, nil
	case kind.Shape == engine.Indexed || kind.Shape == engine.Slots:
		return l.types.Parse("u32")
	case d.key != "":
		return l.types.Parse(d.key)
	case kind.Trie:
		return nil, fmt.Errorf("%s: %s wants key=, a type such as \"cidr4\"", c.Name, article(kind.Name))
	default:
		return nil, fmt.Errorf("%s: %s wants key=, a type such as \"u32\"", c.Name, article(kind.Name))
	}
}

func (l *Library) readValue(c method.Call, kind *engine.Kind, like *layout.Type) (*layout.Type, error) {
	switch d := createDefaults[kind.Name]; {
	case c.Args[createValue] != nil && kind.Shape == engine.Opaque:
		return nil, fmt.Errorf("%s: %s has no values, got value=%s", c.Name, article(kind.Name), method.Describe(c.Args[createValue]))
	case c.Args[createValue] != nil:
		return typeArg(c, l.types, createValue, "value")
	case kind.Shape == engine.Opaque:
		return nil, nil
	case like != nil:
		return like, nil
	case d.value != "":
		return l.types.Parse(d.value)
	default:
		return nil, fmt.Errorf("%s: %s wants value=, a type such as \"u64\"", c.Name, article(kind.Name))
	}
}

func readEntries(c method.Call, kind *engine.Kind, spec *engine.Spec) error {
	if c.Args[createMaxEntries] != nil {
		n, err := c.Uint32(createMaxEntries, "max_entries")
		if err != nil {
			return err
		}
		spec.MaxEntries = n
	}
	switch {
	case spec.MaxEntries == 0 && !kind.NoEntries:
		return fmt.Errorf("%s: %s wants max_entries=, from 1", c.Name, article(kind.Name))
	case spec.MaxEntries != 0 && kind.NoEntries:
		return fmt.Errorf("%s: %s grows with its objects and takes no max_entries, got %d", c.Name, article(kind.Name), spec.MaxEntries)
	}
	return nil
}

// typeArg reads a type: its spelling, with the names that are known, or what typeof made of it.
func typeArg(c method.Call, known *layout.Host, i int, name string) (*layout.Type, error) {
	switch v := c.Args[i].(type) {
	case *layout.Type:
		return v, nil
	case starlark.String:
		t, err := known.Parse(string(v))
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", c.Name, name, err)
		}
		return t, nil
	default:
		return nil, c.Bad(name, v, "a type such as \"u32\"")
	}
}

// given says whether there is an argument that is not None.
func given(c method.Call, i int) bool { return c.Args[i] != nil && c.Args[i] != starlark.None }

// mapArg reads a map, or None.
func mapArg(c method.Call, i int, name string) (*Map, error) {
	if !given(c, i) {
		return nil, nil
	}
	m, err := asMap(c.Args[i])
	if m == nil && err == nil {
		err = c.Bad(name, c.Args[i], "a map")
	}
	return m, err
}

// spec describes the map as it was made, without its name.
func (m *Map) spec() *engine.Spec {
	s := &engine.Spec{
		Type: m.info.Type, KeySize: m.info.KeySize, ValueSize: m.info.ValueSize, MaxEntries: m.info.MaxEntries,
		Flags: m.info.Flags &^ (unix.BPF_F_NUMA_NODE | m.kind.Sets), MapExtra: m.info.MapExtra, // the kernel does not tell the node
	}
	if m.kind.Nests {
		s.Inner, _ = m.template() // where it is not known, create asks for it
	}
	if m.key != nil {
		s.Key, s.Value = m.key.BTF(), m.value.Type.BTF()
	}
	return s
}
