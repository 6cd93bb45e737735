package builtins

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"bpfsh/builtins/engine"
	"bpfsh/runtime"
	"bpfsh/runtime/method"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
	"golang.org/x/sys/unix"
)

var nestedMethods = []method.Row[*Map]{{
	Name:   "create_inner",
	Params: `name="", max_entries=None`,
	Doc: "Make a map that fits as a value of a map of maps.\n" +
		"It is like the one that inner= named when the outer map was made, or like one that is in it. outer[key] = the map puts it in.",
	Example: `new = outer.create_inner(name="new")
new[0] = 5
outer[2] = new    # filled before programs find it`,
	Run: (*Map).createInner,
}, {
	Name:   "swap",
	Params: `key, build, max_entries=None, name=""`,
	Doc: "Put a new map under key of a map of maps, once build has filled it.\n" +
		"build is called with a map as create_inner makes it. If it fails, the new map goes and the outer one stays as it is; else the new one takes the place of the old in one step, so that programs find " +
		"the one or the other, and never half of it. It returns the old map, or None if there was none.",
	Example: `def build(new):
    new.update_batch({0: 5, 1: 6})

old = outer.swap(1, build, name="v2")
print(diff(old, outer[1]))`,
	Run: (*Map).swap,
}}

func (m *Map) createInner(c method.Call) (starlark.Value, error) {
	made, err := m.newInner(c, 0, 1)
	if err != nil {
		return nil, err
	}
	return made, nil
}

// newInner makes a map that fits as a value, with the name and the max_entries of two arguments.
func (m *Map) newInner(c method.Call, name, entries int) (*Map, error) {
	if !m.kind.Nests {
		return nil, m.fail(c.Name, nil, errNotForType)
	}
	template, err := m.template()
	if err != nil {
		return nil, err
	}
	spec := *template
	if spec.Name, err = c.String(name, "name"); err != nil {
		return nil, err
	}
	if err := checkName(c, spec.Name); err != nil {
		return nil, err
	}
	if given(c, entries) {
		if spec.MaxEntries, err = c.Uint32(entries, "max_entries"); err != nil {
			return nil, err
		}
	}
	return m.lib.make(c, &spec, nil, nil)
}

func (m *Map) swap(c method.Call) (starlark.Value, error) {
	if !m.kind.Nests {
		return nil, m.fail(c.Name, nil, errNotForType)
	}
	build, ok := c.Args[1].(starlark.Callable)
	if !ok {
		return nil, c.Bad("build", c.Args[1], "a function that fills a map")
	}
	if err := m.writable(c.Name); err != nil {
		return nil, err
	}
	encoded, err := m.encodeKey(c.Name, c.Args[0])
	if err != nil {
		return nil, err
	}
	key := bytes.Clone(encoded)
	made, err := m.newInner(c, 3, 2)
	if err != nil {
		return nil, err
	}
	in := false
	defer func() { // also where build unwinds the run
		if !in && !made.closed {
			_ = made.release()
		}
	}()
	if _, err := starlark.Call(c.Thread, build, starlark.Tuple{made}, nil); err != nil {
		return nil, err
	}
	old, err := m.taken(c, key)
	if err != nil {
		return nil, err
	}
	defer m.giveBack()
	value, err := m.encodeValue(c.Name, made)
	if err != nil {
		return nil, err
	}
	if err := m.raw.Update(key, value, 0); err != nil {
		return nil, newError(Error{Op: c.Name, as: "update", Map: m, Key: c.Args[0], Count: -1, Err: err, lib: m.lib})
	}
	in = true
	return old, nil
}

// taken is the map under a key that is about to give way: open, since nothing else may hold it then. None: there is none.
func (m *Map) taken(c method.Call, key []byte) (starlark.Value, error) {
	err := m.raw.Lookup(key, m.valueBuf, 0)
	if errors.Is(err, unix.ENOENT) {
		return starlark.None, nil
	}
	if err != nil {
		return nil, m.explain(c.Name, c.Args[0], err)
	}
	old := m.decodeValue(m.valueBuf).(*Nested)
	if _, err := old.use(); errors.Is(err, unix.ENOENT) { // it went in this moment
		return starlark.None, nil
	} else if err != nil {
		return nil, err
	}
	return old, nil
}

// template is what a value must be like.
func (m *Map) template() (*engine.Spec, error) {
	if m.inner != nil {
		return m.inner, nil
	}
	b, err := m.nextBatch(runtime.Context(m.thread), "create_inner", engine.NewWalk(m.raw, 1))
	if err == io.EOF {
		return nil, fmt.Errorf("create_inner: %s: what its values are like is not known: it is empty, and was made elsewhere", m.label())
	}
	if err != nil {
		return nil, err
	}
	inner := m.decodeValue(b.Values[:m.info.ValueSize]).(*Nested)
	one, err := inner.use()
	if err != nil {
		return nil, err
	}
	m.inner = one.spec()
	return m.inner, one.release()
}

// innerSays is what the values of the map must be like, for a message.
func (m *Map) innerSays() string {
	if !m.kind.Nests {
		return ""
	}
	t, err := m.template()
	if err != nil {
		return "they have one type, one size of keys and of values, and the same flags"
	}
	text := fmt.Sprintf("%s with keys of %d and values of %d bytes", article(engine.KindOf(t.Type).Name), t.KeySize, t.ValueSize)
	if engine.KindOf(t.Type).Shape == engine.Indexed {
		text += fmt.Sprintf(", %d entries", t.MaxEntries)
	}
	return text + fmt.Sprintf(", flags %#x", t.Flags)
}

// Nested is a map that was read out of a map of maps. It is opened when it is first used, by its id.
type Nested struct {
	lib    *Library
	thread *starlark.Thread
	id     uint32
	opened *Map // nil until it is used

	readonly bool // it was read through a handle that cannot write, and then neither can its own
}

var (
	_ starlark.HasAttrs   = (*Nested)(nil)
	_ starlark.HasSetKey  = (*Nested)(nil)
	_ starlark.Container  = (*Nested)(nil)
	_ starlark.Iterable   = (*Nested)(nil)
	_ starlark.Comparable = (*Nested)(nil)
	_ runtime.Helper      = (*Nested)(nil)
	_ render.Tabler       = (*Nested)(nil)
)

// use opens the map.
func (n *Nested) use() (*Map, error) {
	if n.opened != nil {
		return n.opened, nil
	}
	raw, err := n.lib.byID(method.Call{Name: "open"}, n.id, n.readonly)
	if err != nil {
		return nil, err
	}
	m, err := n.lib.newMap(n.thread, raw, n.lib.types, nil, nil)
	if err != nil {
		raw.Close()
		return nil, err
	}
	n.opened = m
	return m, nil
}

// asMap is the map that v is; nil if it is none. The error is of opening it.
func asMap(v starlark.Value) (*Map, error) {
	switch v := v.(type) {
	case *Map:
		return v, nil
	case *Nested:
		return v.use()
	default:
		return nil, nil
	}
}

func (n *Nested) Type() string          { return (*Map)(nil).Type() }
func (n *Nested) Freeze()               {} // as of a map
func (n *Nested) Truth() starlark.Bool  { return true }
func (n *Nested) Hash() (uint32, error) { return n.id, nil }
func (n *Nested) AttrNames() []string   { return mapTable.Names() }

// String does not open the map: an outer map of thousands is printed too.
func (n *Nested) String() string {
	if n.opened != nil {
		return n.opened.String()
	}
	return fmt.Sprintf("<map id=%d>", n.id)
}

func (n *Nested) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	return compareMaps(op, n.id, y)
}

// compareMaps finds handles on one map equal.
func compareMaps(op syntax.Token, id uint32, y starlark.Value) (bool, error) {
	var other uint32
	switch y := y.(type) {
	case *Map:
		other = y.info.ID
	case *Nested:
		other = y.id
	}
	switch op {
	case syntax.EQL:
		return id == other, nil
	case syntax.NEQ:
		return id != other, nil
	}
	return false, fmt.Errorf("maps have no order")
}

func (n *Nested) Attr(name string) (starlark.Value, error) {
	switch {
	case name == "id":
		return number(n.id), nil
	case !mapTable.Has(name):
		return nil, nil
	}
	m, err := n.use()
	if err != nil {
		return nil, err
	}
	return m.Attr(name)
}

func (n *Nested) Get(key starlark.Value) (starlark.Value, bool, error) {
	m, err := n.use()
	if err != nil {
		return nil, false, err
	}
	return m.Get(key)
}

func (n *Nested) SetKey(key, value starlark.Value) error {
	m, err := n.use()
	if err != nil {
		return err
	}
	return m.SetKey(key, value)
}

func (n *Nested) Has(key starlark.Value) (bool, error) {
	m, err := n.use()
	if err != nil {
		return false, err
	}
	return m.Has(key)
}

func (n *Nested) Iterate() starlark.Iterator {
	m, err := n.use()
	if err != nil {
		runtime.Raise(n.thread, "open", err)
	}
	return m.Iterate()
}

func (n *Nested) Help() string {
	m, err := n.use()
	if err != nil {
		return n.String() + ": " + err.Error()
	}
	return m.Help()
}

func (n *Nested) Table(limit int) (*render.Table, error) {
	m, err := n.use()
	if err != nil {
		return nil, err
	}
	return m.Table(limit)
}
