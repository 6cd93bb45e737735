package builtins

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"
)

var lifecycleMethods = []method.Row[*Map]{{
	Name:   "freeze",
	Params: "force=False",
	Doc: "End all writing from user space, for good (BPF_MAP_FREEZE).\n" +
		"Programs still write. It holds for every handle on the map and cannot be undone; of a ringbuf it ends all consuming. At the prompt it asks first, unless force.",
	Example: `m.freeze()
_, err = catch(m.update, "10.0.0.1", (0, 0))
print(err.errno)                       # EPERM
m.kernel.update("10.0.0.1", (0, 0))    # programs still write`,
	Run: func(m *Map, c method.Call) (starlark.Value, error) {
		if err := m.confirm(c, 0, m.freezing); err != nil {
			return nil, err
		}
		return starlark.None, m.explain(c.Name, nil, m.raw.Freeze())
	},
}, {
	Name:   "pin",
	Params: "path, replace=False, force=False",
	Doc: "Give the map a name in a bpffs (BPF_OBJ_PIN).\n" +
		"The pin keeps it when nothing else does. A map can have several pins. EEXIST: something is at path; with replace, a map that is pinned there gives way. " +
		"The bpffs at /sys/fs/bpf is mounted if it is not. At the prompt it asks before another map loses its pin, unless force.",
	Example: `m.pin("/sys/fs/bpf/flows", replace=True)    # whatever map was there
m = open("/sys/fs/bpf/flows")               # in a later run`,
	Run: func(m *Map, c method.Call) (starlark.Value, error) {
		path, err := pathArg(c, 0)
		if err != nil {
			return nil, err
		}
		replace, err := c.Bool(1, "replace")
		if err != nil {
			return nil, err
		}
		if err := m.confirm(c, 2, func() string { return m.replacing(path, replace) }); err != nil {
			return nil, err
		}
		if err := m.raw.Pin(path, replace); err != nil {
			return nil, m.failPath(c.Name, path, err)
		}
		if !slices.Contains(m.pins, path) {
			m.pins = append(m.pins, path)
		}
		return starlark.None, nil
	},
}, {
	Name:   "unpin",
	Params: "path=None, force=False",
	Doc: "Remove a pin of this map.\n" +
		"Without path: the one that this handle has made. A pin of another map is an error. At the prompt it asks first where the pin is the last " +
		"that holds the map beside this process, as far as can be seen, unless force.",
	Example: `routes.pin("/sys/fs/bpf/routes")
routes.unpin()    # the one pin that this handle has made
open("flows").unpin("/sys/fs/bpf/flows")    # one that others have made`,
	Run: (*Map).unpin,
}, {
	Name: "close",
	Doc:  "Give this handle up.\nThe map lives on while a pin, a program or another handle holds it.",
	Example: `m.close()                        # its pin keeps the map
m = open("/sys/fs/bpf/flows")`,
	Run: func(m *Map, c method.Call) (starlark.Value, error) {
		if m.closed {
			return starlark.None, nil
		}
		if err := m.release(); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", c.Name, m.label(), err)
		}
		return starlark.None, nil
	},
}, {
	Name:   "info",
	Params: "holders=False",
	Doc: "What there is to know about the map, one record.\n" +
		"btf says whether the kernel keeps the types with it; memory is in bytes, and so are max_entries and unconsumed of a ringbuf; owner is the type of the programs that may use a " +
		"prog_array, once one is in it. With holders it has also what maps() tells: all pins of the map, and the processes and programs that hold it.",
	Example: `show(m.info())
print(m.info().memory // m.max_entries, "bytes for each entry")
show(m.info(holders=True).processes)`,
	Run: (*Map).infoRecord,
}}

// pathArg reads a path, and makes it absolute: a pin must be found again from another directory.
func pathArg(c method.Call, i int) (string, error) {
	path, err := c.String(i, "path")
	if err != nil {
		return "", err
	}
	if path == "" || strings.ContainsRune(path, 0) {
		return "", c.Bad("path", c.Args[i], `a path such as "/sys/fs/bpf/flows", which has no NUL`)
	}
	return filepath.Abs(path)
}

func (m *Map) unpin(c method.Call) (starlark.Value, error) {
	var path string
	if p := c.Args[0]; p != nil && p != starlark.None {
		var err error
		if path, err = pathArg(c, 0); err != nil {
			return nil, err
		}
	} else if len(m.pins) == 1 {
		path = m.pins[0]
	} else {
		return nil, fmt.Errorf("%s: %s: this handle has made %d pins%s: say which path", c.Name, m.label(), len(m.pins), listed(m.pins))
	}
	there, err := m.lib.engine.OpenPin(path, true)
	if _, known := errors.AsType[unix.Errno](err); err != nil && !known {
		err = fmt.Errorf("%s: %w", path, err) // which says what is there, but not where
	}
	if err != nil {
		return nil, m.failPath(c.Name, path, err)
	}
	id := there.Info().ID
	there.Close()
	if id != m.info.ID {
		return nil, fmt.Errorf("%s: %s: at %s another map is pinned, id=%d", c.Name, m.label(), path, id)
	}
	if m.info.ReadOnly {
		return nil, m.failPath(c.Name, path, m.refusal())
	}
	if err := m.confirm(c, 1, func() string { return m.unpinning(path) }); err != nil {
		return nil, err
	}
	if err := m.lib.engine.Unpin(path); err != nil {
		return nil, m.failPath(c.Name, path, err)
	}
	m.pins = slices.DeleteFunc(m.pins, func(p string) bool { return p == path })
	return starlark.None, nil
}

// freezing is what somebody at the prompt is asked before the map is frozen.
func (m *Map) freezing() string {
	if frozen, err := m.raw.Frozen(); err != nil || frozen { // of which freezing tells
		return ""
	}
	ends := "all writing from user space"
	if m.kind.Streams && !m.kind.Keyed() {
		ends = "all consuming of its events"
	}
	return fmt.Sprintf("freeze %s, which ends %s for good?", m.labelID(), ends)
}

// replacing is what somebody at the prompt is asked before another map loses its pin; "" where none does.
func (m *Map) replacing(path string, replace bool) string {
	if !replace {
		return ""
	}
	there, err := m.lib.engine.OpenPin(path, true)
	if err != nil { // nothing is there, or nothing that gives way
		return ""
	}
	other := &Map{info: there.Info()}
	there.Close()
	if other.info.ID == m.info.ID {
		return ""
	}
	last := ""
	if m.lib.held(other.info.ID, path) {
		last = ", which nothing else is seen to hold"
	}
	return fmt.Sprintf("take the pin %s from %s%s?", starlark.String(path), other.labelID(), last)
}

// unpinning is what somebody at the prompt is asked before the last pin goes; "" where something else holds the map.
func (m *Map) unpinning(path string) string {
	if !m.lib.held(m.info.ID, path) {
		return ""
	}
	return fmt.Sprintf("remove the pin %s, which is all that is seen to hold %s beside this bpfsh?", starlark.String(path), m.labelID())
}

// refusal is what a handle that cannot write answers to a write.
func (m *Map) refusal() error {
	if _, err := m.raw.UpdateBatch(nil, nil, 0, 0); errors.Is(err, engine.ErrReadOnly) {
		return err
	}
	return unix.EPERM
}

func listed(paths []string) string {
	if len(paths) == 0 {
		return ""
	}
	return " (" + strings.Join(paths, ", ") + ")"
}

var mapAttrs = []method.Attr[*Map]{
	{Name: "name", Doc: "The map's name, at most 15 characters.", Get: func(m *Map) (starlark.Value, error) { return starlark.String(m.info.Name), nil }},
	{Name: "type", Doc: "The map's type, by bpftool's name.", Get: func(m *Map) (starlark.Value, error) { return starlark.String(m.kind.Name), nil }},
	{Name: "id", Doc: "The map's id, unique while the machine runs.", Get: func(m *Map) (starlark.Value, error) { return number(m.info.ID), nil }},
	{Name: "key_size", Doc: "The bytes of a key.", Get: func(m *Map) (starlark.Value, error) { return number(m.info.KeySize), nil }},
	{Name: "value_size", Doc: "The bytes of a value; of one CPU's, in a per-CPU map.", Get: func(m *Map) (starlark.Value, error) { return number(m.info.ValueSize), nil }},
	{Name: "max_entries", Doc: "How many entries there is room for; of a ringbuf, how many bytes.", Get: func(m *Map) (starlark.Value, error) { return number(m.info.MaxEntries), nil }},
	{Name: "flags", Doc: "The flags the map was made with, combined: BPF_F_NO_PREALLOC and others.", Get: func(m *Map) (starlark.Value, error) { return number(m.info.Flags), nil }},
	{Name: "frozen", Doc: "Whether user space may no longer write.", Get: func(m *Map) (starlark.Value, error) {
		yes, err := m.raw.Frozen()
		return starlark.Bool(yes), m.explain("frozen", nil, err)
	}},
	{Name: "key_type", Doc: "The type of the keys; None where there are none.", Get: func(m *Map) (starlark.Value, error) {
		if m.key == nil {
			return starlark.None, nil
		}
		return m.key, nil
	}},
	{Name: "value_type", Doc: "The type of the values; of one CPU's, in a per-CPU map. None where there are none.", Get: func(m *Map) (starlark.Value, error) {
		if m.info.ValueSize == 0 {
			return starlark.None, nil
		}
		return m.value.Type, nil
	}},
	{Name: "pins", Doc: "The paths at which this handle has pinned the map.", Get: func(m *Map) (starlark.Value, error) {
		t := make(starlark.Tuple, len(m.pins))
		for i, p := range m.pins {
			t[i] = starlark.String(p)
		}
		return t, nil
	}},
}

func number(n uint32) starlark.Value { return starlark.MakeUint64(uint64(n)) }

func (m *Map) infoRecord(c method.Call) (starlark.Value, error) {
	if m.closed {
		return nil, m.explain(c.Name, nil, unix.EBADF)
	}
	facts := layout.NewFacts("info")
	holders, err := c.Bool(0, "holders")
	if err != nil {
		return nil, err
	}
	for _, a := range mapAttrs {
		if holders && a.Name == "pins" { // whose are the handle's; here are those of all
			continue
		}
		v, err := a.Get(m)
		if err != nil {
			return nil, err
		}
		if a.Name == "max_entries" && m.kind.Unit == engine.Bytes {
			addSize(facts, a.Name, uint64(m.info.MaxEntries))
			continue
		}
		facts.Add(a.Name, v)
	}
	if n, ok := unconsumed(m.raw); ok {
		addSize(facts, "unconsumed", n)
	}
	memory, err := m.raw.Memory()
	if err != nil {
		return nil, m.explain(c.Name, nil, err)
	}
	owner, err := m.raw.Owner()
	if err != nil {
		return nil, m.explain(c.Name, nil, err)
	}
	if owner != 0 {
		facts.Add("owner", starlark.String(engine.ProgramType(owner)))
	}
	if holders {
		held, err := m.lib.holders()
		if err != nil {
			return nil, m.explain(c.Name, nil, err)
		}
		addHolders(facts, m.info.ID, &held)
	}
	addSize(facts.Add("map_extra", starlark.MakeUint64(m.info.MapExtra)), "memory", memory)
	return facts.Add("btf", starlark.Bool(m.info.BTF)), nil
}
