package builtins

import (
	"fmt"
	"io"

	"bpfsh/builtins/engine"
	"bpfsh/runtime"
	"bpfsh/runtime/method"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
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
}}

func (m *Map) createInner(c method.Call) (starlark.Value, error) {
	if !m.kind.Nests {
		return nil, m.fail(c.Name, nil, errNotForType)
	}
	template, err := m.template()
	if err != nil {
		return nil, err
	}
	spec := *template
	if spec.Name, err = c.String(0, "name"); err != nil {
		return nil, err
	}
	if err := checkName(c, spec.Name); err != nil {
		return nil, err
	}
	if given(c, 1) {
		if spec.MaxEntries, err = c.Uint32(1, "max_entries"); err != nil {
			return nil, err
		}
	}
	made, err := m.lib.make(c, &spec, nil, nil)
	if err != nil {
		return nil, err
	}
	return made, nil
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
	one.closed = true
	return m.inner, one.raw.Close()
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
	raw, err := n.lib.byID(method.Call{Name: "open"}, n.id, false)
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
