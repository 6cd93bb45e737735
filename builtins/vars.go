package builtins

import (
	"errors"
	"fmt"
	"strings"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/runtime/method"
	"bpfsh/runtime/render"

	"github.com/cilium/ebpf/btf"
	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"
)

var varsAttrs = []method.Attr[*Map]{{
	Name: "vars",
	Doc: "The global variables of a program, in its .data, .bss or .rodata map.\n" +
		"m.vars.counter reads one, and m.vars.counter = 7 writes it, through the map's memory: the variables beside it are not touched. " +
		"Their names and types are in the map's BTF.",
	Get: func(m *Map) (starlark.Value, error) { return m.vars() },
}}

// Vars is m.vars.
type Vars struct {
	m    *Map
	list []layout.Variable
}

var (
	_ starlark.HasSetField = (*Vars)(nil)
	_ render.Fielder       = (*Vars)(nil)
	_ render.Shower        = (*Vars)(nil)
)

func (m *Map) vars() (starlark.Value, error) {
	_, value := m.raw.Types()
	section, ok := value.(*btf.Datasec)
	if !ok && m.info.BTF && value == nil && m.lib.engine.Missing(engine.ReadingTypes) != "" {
		return nil, newError(Error{Op: "vars", as: "types", Map: m, Count: -1, Err: unix.EPERM, wants: engine.ReadingTypes, lib: m.lib})
	}
	if !ok {
		return nil, fmt.Errorf("vars: %s has no variables: it is not a .data, .bss or .rodata map with BTF", m.label())
	}
	list, err := m.lib.types.Variables(section)
	if err != nil {
		return nil, fmt.Errorf("vars: %s: %w", m.label(), err)
	}
	return &Vars{m, list}, nil
}

func (v *Vars) String() string        { return "variables of " + v.m.String() }
func (v *Vars) Type() string          { return "bpf.vars" }
func (v *Vars) Freeze()               {} // as of the map
func (v *Vars) Truth() starlark.Bool  { return true }
func (v *Vars) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: %s", v.Type()) }
func (v *Vars) AttrNames() []string   { return v.Fields() }

// Fields are the names of the variables, in the section's order.
func (v *Vars) Fields() []string {
	var names []string
	for _, one := range v.list {
		names = append(names, one.Name)
	}
	return names
}

// Field is variable i. One that cannot be read says why.
func (v *Vars) Field(i int) starlark.Value {
	value, err := v.read(&v.list[i])
	if err != nil {
		return starlark.String(err.Error())
	}
	return value
}

// Shown is the variables as people see them.
func (v *Vars) Shown() starlark.Value { return shownVars{v} }

type shownVars struct{ *Vars }

func (v shownVars) Field(i int) starlark.Value { return v.list[i].Type.Shown(v.Vars.Field(i)) }

func (v *Vars) find(name string) *layout.Variable {
	for i := range v.list {
		if v.list[i].Name == name {
			return &v.list[i]
		}
	}
	return nil
}

// Attr reads a variable.
func (v *Vars) Attr(name string) (starlark.Value, error) {
	one := v.find(name)
	if one == nil {
		return nil, nil
	}
	return v.read(one)
}

func (v *Vars) read(one *layout.Variable) (starlark.Value, error) {
	b := make([]byte, one.Type.Size())
	err := v.m.raw.ReadAt(b, one.Offset)
	if errors.Is(err, engine.NotSupported) { // its memory cannot be mapped, and it has one value
		whole := make([]byte, v.m.info.Stride())
		err = v.m.raw.Lookup(make([]byte, v.m.info.KeySize), whole, 0)
		copy(b, whole[one.Offset:])
	}
	if err != nil {
		return nil, v.m.explain("vars."+one.Name, nil, err)
	}
	return one.Type.Decode(b), nil
}

// SetField writes a variable.
func (v *Vars) SetField(name string, value starlark.Value) error {
	one := v.find(name)
	if one == nil {
		return starlark.NoSuchAttrError(fmt.Sprintf("vars: %s has no variable %s", v.m.label(), name))
	}
	b := make([]byte, one.Type.Size())
	if err := one.Type.Encode(b, value); err != nil {
		return v.m.bad("vars."+name, "value", err)
	}
	return v.m.explain("vars."+name, nil, v.m.raw.WriteAt(b, one.Offset))
}

// unmappable says that a variable cannot be written alone.
func unmappable(e *Error) bool {
	return strings.HasPrefix(e.Op, "vars.") && e.errno == engine.NotSupported
}
