package layout

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"bpfsh/runtime/method"

	"github.com/cilium/ebpf/btf"
)

// WithHints is t with other types in some places: hints has the path of a field, such as "saddr" or "hops.addr", and
// the spelling of a type of its size. The path "" is t itself; in an array, a path is of each element.
//
// The name of a hint for numbers alone ("ktime", "hex") leaves the integer in its place what it is, and says what it
// stands for. Of an array, a type of its elements' size is each element's.
//
// The error names the path, and what there is.
func (t *Type) WithHints(hints map[string]string) (*Type, error) { return t.withHints("", hints) }

// Hints is WithHints for the two types of a map. Each path starts with "key" or "value"; key may be nil.
func Hints(key, value *Type, hints map[string]string) (k, v *Type, err error) {
	parts := map[string]map[string]string{"key": {}, "value": {}}
	for _, path := range slices.Sorted(maps.Keys(hints)) {
		root, rest, _ := strings.Cut(path, ".")
		switch {
		case parts[root] == nil || strings.HasSuffix(path, "."):
			return nil, nil, fmt.Errorf("%s: a path is key, value, or a field of one of them such as value.seen%s", quoteName(path), method.DidYouMean(root, []string{"key", "value"}))
		case root == "key" && key == nil:
			return nil, nil, fmt.Errorf("%s: there are no keys", path)
		}
		parts[root][rest] = hints[path]
	}
	if k = key; k != nil {
		if k, err = key.withHints("key", parts["key"]); err != nil {
			return nil, nil, err
		}
	}
	v, err = value.withHints("value", parts["value"])
	return k, v, err
}

// withHints is WithHints, with root before each path in an error.
func (t *Type) withHints(root string, hints map[string]string) (*Type, error) {
	for _, path := range slices.Sorted(maps.Keys(hints)) {
		var steps []string
		if path != "" {
			steps = strings.Split(path, ".")
		}
		o := override{t.host, hints[path]}
		model, err := o.at(t.btf, steps)
		if err == nil {
			t, err = t.host.Of(model)
		}
		if err != nil {
			where := strings.Trim(root+"."+path, ".")
			if root == "" {
				where = path
			}
			return nil, fmt.Errorf("%s: %w", cmp.Or(where, "the type itself"), err)
		}
	}
	return t, nil
}

// override puts one hint in its place.
type override struct {
	host *Host
	hint string
}

// at is t with the hint at the end of the path. What lies on the path is copied: a map's BTF is shared.
func (o override) at(t btf.Type, path []string) (btf.Type, error) {
	if len(path) == 0 {
		return o.instead(t)
	}
	if namedOf(t) == nil && kernelObject(t) == "" {
		switch u := btf.UnderlyingType(t).(type) {
		case *btf.Array:
			elem, err := o.at(u.Type, path)
			return arrayType(elem, u.Nelems), err
		case *btf.Struct:
			members, err := o.member(compositeOf(u), path)
			return &btf.Struct{Name: u.Name, Size: u.Size, Members: members}, err
		case *btf.Union:
			members, err := o.member(compositeOf(u), path)
			return &btf.Union{Name: u.Name, Size: u.Size, Members: members}, err
		case *btf.Datasec:
			members, err := o.member(compositeOf(u), path)
			return &btf.Struct{Name: u.Name, Size: u.Size, Members: members}, err
		}
	}
	return nil, fmt.Errorf("%s has no field %s: it is no struct", outline(t), quoteName(path[0]))
}

// member is c's members with the hint in the one that the path starts with, or in one within those without a name.
func (o override) member(c composite, path []string) ([]btf.Member, error) {
	members := slices.Clone(c.members)
	i := slices.IndexFunc(members, func(m btf.Member) bool { return slices.Contains(fieldNames(m), path[0]) })
	if i < 0 {
		var names []string
		for _, m := range members {
			names = append(names, fieldNames(m)...)
		}
		return nil, fmt.Errorf("%s", unknownField(title(c.word, c.name), path[0], names))
	}
	m := &members[i]
	if m.Name != "" {
		path = path[1:]
	}
	t, err := o.at(m.Type, path)
	if err != nil {
		return nil, err
	}
	m.Type = t
	if m.BitfieldSize == 0 || len(path) > 0 {
		return members, nil
	}
	whole, err := o.host.Of(t)
	if err != nil {
		return nil, err
	}
	if _, ok := integerOf(whole.codec); !ok {
		return nil, fmt.Errorf("%s has no bit fields, and it is one", whole.short())
	}
	return members, nil
}

// instead is the hint in place of t.
func (o override) instead(t btf.Type) (btf.Type, error) {
	if object := kernelObject(t); object != "" {
		return nil, fmt.Errorf("it is a %s, which the kernel keeps for itself", object)
	}
	array, isArray := btf.UnderlyingType(t).(*btf.Array)
	size, err := btf.Sizeof(t)
	if err != nil {
		return nil, err
	}
	if h := hintByName(o.hint); h != nil {
		switch {
		case h.fits(t):
			return h.around(t), nil
		case isArray && namedOf(t) == nil && h.fits(array.Type) && elementName(array.Type) == "":
			return arrayType(h.around(array.Type), array.Nelems), nil
		case h.btf == nil || !slices.Contains(h.sizes, size):
			return nil, fmt.Errorf("%s is of %s, got %s", h.name, h.want(), outline(t))
		}
	}
	given, err := o.host.Parse(o.hint)
	if err != nil {
		return nil, err
	}
	if given.size == size {
		return given.btf, nil
	}
	if isArray {
		if n, _ := btf.Sizeof(array.Type); given.size == n {
			return arrayType(given.btf, array.Nelems), nil
		}
	}
	return nil, fmt.Errorf("%s has %s, %s has %d", outline(given.btf), method.Counted(given.size, "byte"), outline(t), size)
}

// outline is the spelling of t; of a struct or a union its name alone.
func outline(t btf.Type) string {
	if c := compositeOf(t); c.word != "" && namedOf(t) == nil {
		return title(c.word, c.name)
	}
	return spell(t)
}
