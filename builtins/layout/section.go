package layout

import "github.com/cilium/ebpf/btf"

// Variable is a global variable of a program: a part of the one value of its .data, .bss or .rodata map.
type Variable struct {
	Name   string
	Offset int // in the value, in bytes
	Size   int // of the variable; more than its type's where it ends with an array of any size
	Type   *Type
}

// Variables are those of a section, in its order. A variable whose type has no values is bytes.
func (h *Host) Variables(section *btf.Datasec) ([]Variable, error) {
	var vars []Variable
	for i, m := range sectionMembers(section) {
		t, err := h.Of(m.Type)
		if err != nil {
			return nil, err
		}
		vars = append(vars, Variable{m.Name, int(m.Offset / 8), int(section.Vars[i].Size), t})
	}
	return vars, nil
}

// sectionMembers are the variables of a section as the members of a struct.
func sectionMembers(section *btf.Datasec) []btf.Member {
	members := make([]btf.Member, len(section.Vars))
	for i, info := range section.Vars {
		t := info.Type
		if v, ok := t.(*btf.Var); ok {
			t = v.Type
		}
		if size, err := btf.Sizeof(t); err != nil || size > int(info.Size) {
			t = arrayType(bytesElem, info.Size)
		}
		members[i] = btf.Member{Name: info.Type.TypeName(), Type: t, Offset: btf.Bits(8 * info.Offset)}
	}
	return members
}
