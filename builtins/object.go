package builtins

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/builtins/object"
	"bpfsh/runtime/method"

	"github.com/cilium/ebpf/btf"
	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"
)

var objectFunctions = []method.Row[*Library]{{
	Name:   "load_object",
	Params: "path",
	Doc: "The maps and the types that an ELF object declares (clang -target bpf).\n" +
		"Nothing is put into the kernel. Afterwards the object's types are known by their names, as in typeof(\"struct flow_key\").",
	Example: `o = load_object("flow.o")
slots = o.maps["slots"].create()
create("hash", key="struct flow_key", value="u64", max_entries=64)`,
	Run: func(l *Library, c method.Call) (starlark.Value, error) {
		path, err := c.String(0, "path")
		if err != nil {
			return nil, err
		}
		o, err := object.Read(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		return l.keep(&Object{l, path, o}), nil
	},
}}

// keep makes o the object whose types are found first. It takes the place of the one that was loaded from its path before.
func (l *Library) keep(o *Object) *Object {
	kept := l.objects[:0]
	for _, other := range l.objects {
		if filepath.Clean(other.path) != filepath.Clean(o.path) {
			kept = append(kept, other)
		}
	}
	l.objects = append(kept, o)
	return o
}

// objectType finds a type in the objects that were loaded, the last first.
func (l *Library) objectType(name string) (btf.Type, error) {
	for i := len(l.objects) - 1; i >= 0; i-- {
		if spec := l.objects[i].o.Types; spec != nil {
			if t, err := layout.FindType(spec, name); !errors.Is(err, btf.ErrNotFound) {
				return t, err
			}
		}
	}
	return nil, btf.ErrNotFound
}

func (l *Library) objectTypeNames() (names []string) {
	for _, o := range l.objects {
		if o.o.Types != nil {
			names = append(names, layout.NamesOf(o.o.Types)...)
		}
	}
	return names
}

// Object is an ELF object in the hands of a script.
type Object struct {
	lib  *Library
	path string
	o    *object.Object
}

var _ starlark.HasAttrs = (*Object)(nil)

func (o *Object) String() string        { return fmt.Sprintf("<object %q>", o.path) }
func (o *Object) Type() string          { return "bpf.object" }
func (o *Object) Freeze()               {} // it never changes
func (o *Object) Truth() starlark.Bool  { return true }
func (o *Object) Hash() (uint32, error) { return method.HashString(o.path), nil }
func (o *Object) AttrNames() []string   { return objectTable.Names() }

func (o *Object) Attr(name string) (starlark.Value, error) { return objectTable.Attr(o, name) }

var objectTable = method.NewTable("bpf.object", objectAttrs, objectMethods)

var objectAttrs = []method.Attr[*Object]{{
	Name: "maps",
	Doc:  "The maps that the object declares, a dict by name.",
	Get: func(o *Object) (starlark.Value, error) {
		if o.o.NoMaps != nil {
			return nil, fmt.Errorf("%s: its maps cannot be read: %w", o.path, o.o.NoMaps)
		}
		d := starlark.NewDict(len(o.o.Maps))
		for i := range o.o.Maps {
			declared, err := o.declared(&o.o.Maps[i])
			if err != nil {
				return nil, err
			}
			if err := d.SetKey(starlark.String(declared.m.Name), declared); err != nil {
				return nil, err
			}
		}
		d.Freeze()
		return d, nil
	},
}}

var objectMethods = []method.Row[*Object]{{
	Name:   "type",
	Params: "name",
	Doc:    "A type of the object's, such as \"struct flow_key\".\nOf several objects that have one of this name, it is this object's.",
	Example: `key = load_object("flow.o").type("struct flow_key")
flows = create("hash", key=key, value="u64", max_entries=64)`,
	Run: func(o *Object, c method.Call) (starlark.Value, error) {
		find := func(name string) (btf.Type, error) {
			if o.o.Types == nil {
				return nil, btf.ErrNotFound
			}
			return layout.FindType(o.o.Types, name)
		}
		names := func() []string {
			if o.o.Types == nil {
				return nil
			}
			return layout.NamesOf(o.o.Types)
		}
		return typeArg(c, o.lib.types.With(find, names), 0, "name")
	},
}}

// declared is a map that an object declares: what it would be like.
type declared struct {
	lib        *Library
	of         *Object
	object     string // the object's name
	m          *object.Map
	key, value *layout.Type // nil where there is no BTF
}

var _ starlark.HasAttrs = (*declared)(nil)

func (o *Object) declared(m *object.Map) (*declared, error) {
	d := &declared{lib: o.lib, of: o, object: strings.TrimSuffix(filepath.Base(o.path), filepath.Ext(o.path)), m: m}
	var err error
	if m.Spec.Key != nil {
		if d.key, err = o.lib.types.Of(m.Spec.Key); err != nil {
			return nil, fmt.Errorf("map %q: key: %w", m.Name, err)
		}
	}
	if m.Spec.Value != nil {
		if d.value, err = o.lib.types.Of(m.Spec.Value); err != nil {
			return nil, fmt.Errorf("map %q: value: %w", m.Name, err)
		}
	}
	return d, nil
}

func (d *declared) kind() *engine.Kind { return engine.KindOf(d.m.Spec.Type) }

func (d *declared) String() string {
	s := "<declared " + d.kind().Name + " " + starlark.String(d.m.Name).String()
	if d.key != nil && d.kind().Keyed() {
		s += " key=" + d.key.String()
	}
	if d.value != nil {
		s += " value=" + d.value.String()
	}
	return fmt.Sprintf("%s max_entries=%d>", s, d.m.Spec.MaxEntries)
}

func (d *declared) Type() string          { return "bpf.declared" }
func (d *declared) Freeze()               {} // it never changes
func (d *declared) Truth() starlark.Bool  { return true }
func (d *declared) Hash() (uint32, error) { return method.HashString(d.m.Name), nil }
func (d *declared) AttrNames() []string   { return declaredTable.Names() }

func (d *declared) Attr(name string) (starlark.Value, error) { return declaredTable.Attr(d, name) }

var declaredTable = method.NewTable("bpf.declared", declaredAttrs, declaredMethods)

var declaredAttrs = []method.Attr[*declared]{
	{Name: "name", Doc: "The name of the declaration, of any length.", Get: func(d *declared) (starlark.Value, error) { return starlark.String(d.m.Name), nil }},
	{Name: "type", Doc: "The type of map, by bpftool's name.", Get: func(d *declared) (starlark.Value, error) { return starlark.String(d.kind().Name), nil }},
	{Name: "key_type", Doc: "The type of the keys; None where the object does not say.", Get: func(d *declared) (starlark.Value, error) { return typeOrNone(d.key), nil }},
	{Name: "value_type", Doc: "The type of the values; None where the object does not say.", Get: func(d *declared) (starlark.Value, error) { return typeOrNone(d.value), nil }},
	{Name: "max_entries", Doc: "How many entries there would be room for.", Get: func(d *declared) (starlark.Value, error) { return number(d.m.Spec.MaxEntries), nil }},
	{Name: "flags", Doc: "The flags it would be made with.", Get: func(d *declared) (starlark.Value, error) { return number(d.m.Spec.Flags), nil }},
}

func typeOrNone(t *layout.Type) starlark.Value {
	if t == nil {
		return starlark.None
	}
	return t
}

var declaredMethods = []method.Row[*declared]{{
	Name:   "create",
	Params: "max_entries=None",
	Doc: "Make the map that an object declares.\n" +
		"Its name is cut to the 15 characters that the kernel keeps; what the object has in it from the start is written (variables, and the maps of a map of maps; programs are not loaded), and a map of constants frozen.",
	Example: `o = load_object("flow.o")
slots = o.maps["slots"].create(max_entries=64)    # the object says 4`,
	Run: func(d *declared, c method.Call) (starlark.Value, error) {
		m, err := d.create(c)
		if err != nil {
			return nil, err
		}
		return m, nil
	},
}, {
	Name:   "open_or_create",
	Params: "pin",
	Doc: "Open the map that is pinned there, or make it and pin it.\n" +
		"A map that is there and is not as the object declares it is an error that names each difference; nothing is changed then.",
	Example: `o = load_object("flow.o")
slots = o.maps["slots"].open_or_create("/sys/fs/bpf/slots")
slots[0] += 1    # the next run finds it there`,
	Run: (*declared).openOrCreate,
}}

func (d *declared) create(c method.Call) (*Map, error) {
	spec := d.m.Spec
	if len(c.Args) > 0 && given(c, 0) {
		n, err := c.Uint32(0, "max_entries")
		if err != nil {
			return nil, err
		}
		spec.MaxEntries = n
	}
	spec.Name = d.kernelName()
	spec.Flags |= d.kind().Flags
	m, err := d.lib.make(c, &spec, d.key, d.value)
	if err != nil {
		return nil, err
	}
	if err := d.fill(m); err != nil {
		return nil, errors.Join(err, m.raw.Close())
	}
	return m, nil
}

// kernelName is the name that the kernel gets, as libbpf gives it: cut, and for a section behind the object's.
func (d *declared) kernelName() string {
	name := d.m.Name
	if strings.HasPrefix(name, ".") {
		name = d.object[:min(len(d.object), max(0, maxName-len(name)))] + name
	}
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune("_.", r) || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, name)
	return name[:min(len(name), maxName)]
}

// fill writes what the object has in the map from the start.
func (d *declared) fill(m *Map) error {
	made := map[string]*Map{}
	for _, e := range d.m.Contents {
		value := e.Value
		if e.Map != "" {
			inner, err := d.inner(m, made, e.Map)
			if err != nil {
				return err
			}
			value = make([]byte, m.info.ValueSize)
			putValue(value, inner.raw.Value())
		}
		if err := m.raw.Update(e.Key, value, unix.BPF_ANY); err != nil {
			return m.explain("create", nil, err)
		}
	}
	for _, inner := range made {
		if err := inner.release(); err != nil { // the outer map holds it
			return err
		}
	}
	if d.m.Frozen {
		return m.explain("freeze", nil, m.raw.Freeze())
	}
	return nil
}

// inner makes the map of a name that is in m from the start, once.
func (d *declared) inner(m *Map, made map[string]*Map, name string) (*Map, error) {
	if one := made[name]; one != nil {
		return one, nil
	}
	for i := range d.of.o.Maps {
		if d.of.o.Maps[i].Name != name {
			continue
		}
		declared, err := d.of.declared(&d.of.o.Maps[i])
		if err != nil {
			return nil, err
		}
		one, err := declared.create(method.Call{Thread: m.thread, Name: "create"})
		made[name] = one
		return one, err
	}
	return nil, fmt.Errorf("create: map %q: the object has no map %q for it", d.m.Name, name)
}

func (d *declared) openOrCreate(c method.Call) (starlark.Value, error) {
	path, err := pathArg(c, 0)
	if err != nil {
		return nil, err
	}
	raw, err := d.lib.descriptor(func() (engine.Map, error) { return d.lib.engine.OpenPin(path, false) })
	if errors.Is(err, unix.ENOENT) {
		m, err := d.create(method.Call{Thread: c.Thread, Name: c.Name})
		if err != nil {
			return nil, err
		}
		if err := m.raw.Pin(path, false); err != nil {
			return nil, errors.Join(m.failPath("pin", path, err), m.raw.Close())
		}
		m.pins = append(m.pins, path)
		return m, nil
	}
	if err != nil {
		return nil, newError(Error{Op: "open", Where: starlark.String(path).String(), Count: -1, Err: err, path: path, lib: d.lib})
	}
	differences := append(d.differences(raw), d.innerDifferences(c, raw)...)
	if len(differences) > 0 {
		raw.Close()
		return nil, fmt.Errorf("%s: the map at %s is not as %q declares it: %s", c.Name, path, d.m.Name, strings.Join(differences, "; "))
	}
	m, err := d.lib.newMap(c.Thread, raw, d.lib.types, d.key, d.value)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", c.Name, err), raw.Close())
	}
	m.inner = d.m.Spec.Inner
	return m, nil
}

// innerDifferences are those between a map that is in a map of maps and what is declared of it. An empty one does not tell.
func (d *declared) innerDifferences(c method.Call, raw engine.Map) []string {
	want := d.m.Spec.Inner
	if want == nil {
		return nil
	}
	m, err := d.lib.newMap(c.Thread, raw, d.lib.types, nil, nil)
	if err != nil {
		return nil
	}
	is, err := m.template()
	if err != nil {
		return nil
	}
	var list []string
	for _, part := range []struct{ what, is, wants string }{
		{"type", engine.KindOf(is.Type).Name, engine.KindOf(want.Type).Name},
		{"key_size", fmt.Sprint(is.KeySize), fmt.Sprint(want.KeySize)},
		{"value_size", fmt.Sprint(is.ValueSize), fmt.Sprint(want.ValueSize)},
	} {
		if part.is != part.wants {
			list = append(list, fmt.Sprintf("the %s of what it holds is %s, declared is %s", part.what, part.is, part.wants))
		}
	}
	return list
}

// differences are those between a map that is there and the declaration, a line each.
func (d *declared) differences(raw engine.Map) (list []string) {
	info, want := raw.Info(), &d.m.Spec
	differ := func(what, is, wants string) {
		if is != wants {
			list = append(list, fmt.Sprintf("%s is %s, declared is %s", what, is, wants))
		}
	}
	differ("type", engine.KindOf(info.Type).Name, d.kind().Name)
	for _, size := range []struct {
		what      string
		is, wants uint32
	}{
		{"key_size", info.KeySize, want.KeySize}, {"value_size", info.ValueSize, want.ValueSize}, {"max_entries", info.MaxEntries, want.MaxEntries},
	} {
		if d.kind().Clamped && size.what == "max_entries" {
			continue // it is the number of CPUs, whatever was asked for
		}
		differ(size.what, fmt.Sprint(size.is), fmt.Sprint(size.wants))
	}
	differ("flags", fmt.Sprintf("%#x", info.Flags&^d.kind().Sets), fmt.Sprintf("%#x", want.Flags|d.kind().Flags))
	differ("map_extra", fmt.Sprint(info.MapExtra), fmt.Sprint(want.MapExtra))
	key, value := raw.Types()
	for _, t := range []struct {
		what  string
		is    btf.Type
		wants *layout.Type
	}{{"key type", key, d.key}, {"value type", value, d.value}} {
		if t.is == nil || t.wants == nil { // one side does not say
			continue
		}
		is, err := d.lib.types.Of(t.is)
		if err == nil {
			differ(t.what, is.String(), t.wants.String())
		}
	}
	return list
}
