package layout

import "go.starlark.net/starlark"

// Printers say what people see of values of some types. The zero value has none. It is for one goroutine.
type Printers struct {
	byName map[string]func(starlark.Value) string
}

// Set gives a type a printer; nil takes it away. name is the type's spelling, or of a struct, a union or an enum its
// name: "struct flow".
func (p *Printers) Set(name string, print func(starlark.Value) string) {
	if print == nil {
		delete(p.byName, name)
		return
	}
	if p.byName == nil {
		p.byName = map[string]func(starlark.Value) string{}
	}
	p.byName[name] = print
}

// printing says whether there are printers at all, for some type.
func (h *Host) printing() bool { return h != nil && h.Printers != nil && len(h.Printers.byName) > 0 }

// printer is the type's; nil if it has none.
func (t *Type) printer() func(starlark.Value) string {
	if !t.host.printing() {
		return nil
	}
	if print := t.host.Printers.byName[t.name]; print != nil {
		return print
	}
	return t.host.Printers.byName[t.short()]
}

// Printed says whether there is a printer for the type, so that people see each of its values as one text.
func (t *Type) Printed() bool { return t.printer() != nil }
