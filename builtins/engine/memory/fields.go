package memory

import (
	"slices"
	"sort"
	"strings"

	"bpfsh/builtins/engine"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// fields are what of a value belongs to the kernel: it is not copied in, and comes out as zeros.
type fields struct {
	spans []span
	lock  bool // one of them is a spin lock
}

// span is a run of bytes.
type span struct{ from, to int }

// clear sets them to zero. What is in them is never asked for.
func (f *fields) clear(value []byte) {
	for _, s := range f.spans {
		clear(value[s.from:s.to])
	}
}

func (f fields) equal(g fields) bool { return f.lock == g.lock && slices.Equal(f.spans, g.spans) }

// fieldTypes are the structs that are such fields, and the map types that take them.
var fieldTypes = map[string][]uint32{
	"bpf_spin_lock": {unix.BPF_MAP_TYPE_HASH, unix.BPF_MAP_TYPE_ARRAY},
	"bpf_timer":     {unix.BPF_MAP_TYPE_HASH, unix.BPF_MAP_TYPE_LRU_HASH, unix.BPF_MAP_TYPE_ARRAY},
	"bpf_wq":        {unix.BPF_MAP_TYPE_HASH, unix.BPF_MAP_TYPE_LRU_HASH, unix.BPF_MAP_TYPE_ARRAY},
}

// typeRule says which types the kernel keeps with a map, beside that they have the map's sizes.
type typeRule func(o *object, key, value btf.Type) bool

func keyed(o *object, key, value btf.Type) bool   { return key != nil }
func keyless(o *object, key, value btf.Type) bool { return key == nil }
func untyped(o *object, key, value btf.Type) bool { return false }

// indexed wants an integer of 32 bits; only the one value of a program's variables goes without.
func indexed(o *object, key, value btf.Type) bool {
	if key == nil {
		_, variables := btf.UnderlyingType(value).(*btf.Datasec)
		return variables && o.info.Type == unix.BPF_MAP_TYPE_ARRAY && o.info.MaxEntries == 1
	}
	_, number := btf.UnderlyingType(key).(*btf.Int)
	return number
}

func prefixed(o *object, key, value btf.Type) bool {
	if key == nil {
		return false
	}
	_, is := btf.UnderlyingType(key).(*btf.Struct)
	return is
}

// keepTypes keeps the types with the map, if the kernel would; most maps that it does not keep them with are made
// without.
func (o *object) keepTypes(spec *engine.Spec) error {
	key, value := spec.Key, spec.Value
	if value == nil || !named(key) || !named(value) || !o.sizedAs(key, value) {
		return nil
	}
	kept, ok := keptFields(value)
	if !ok {
		return nil
	}
	if err := o.mayKeep(kept, key != nil); err != nil {
		return err
	}
	if !o.row.types(o, key, value) {
		return nil
	}
	o.key, o.value, o.kept, o.info.BTF = key, value, kept.fields, true
	return nil
}

// mayKeep refuses fields of the kernel in a map that has none. A type of map that wants a key gets no types without
// one, before its fields are looked at.
func (o *object) mayKeep(f found, hasKey bool) error {
	shape := engine.KindOf(o.info.Type).Shape
	switch {
	case len(f.spans) == 0, !hasKey && shape != engine.Indexed && shape != engine.Members:
		return nil
	case o.info.Flags&progFlags != 0:
		return unix.EACCES
	}
	for _, name := range f.names {
		if !slices.Contains(fieldTypes[name], o.info.Type) {
			return unix.EOPNOTSUPP
		}
	}
	return nil
}

// sizedAs says whether types have the sizes of keys and values.
func (o *object) sizedAs(key, value btf.Type) bool {
	if key != nil {
		if n, err := btf.Sizeof(key); err != nil || n != int(o.info.KeySize) {
			return false
		}
	}
	n, err := btf.Sizeof(value)
	return err == nil && n == int(o.info.ValueSize)
}

// found is the fields of a type while they are looked for.
type found struct {
	fields
	names []string
}

// keptFields are the fields of a struct; of any other type there are none. The kernel takes no type that has two of
// one kind.
func keptFields(t btf.Type) (f found, ok bool) {
	f.add(t, 0)
	slices.Sort(f.names)
	sort.Slice(f.spans, func(i, j int) bool { return f.spans[i].from < f.spans[j].from })
	return f, len(slices.Compact(slices.Clone(f.names))) == len(f.names)
}

func (f *found) add(t btf.Type, at int) {
	s, ok := btf.UnderlyingType(t).(*btf.Struct)
	if !ok {
		return
	}
	for _, m := range s.Members {
		in, ok := btf.UnderlyingType(m.Type).(*btf.Struct)
		if !ok {
			continue
		}
		from := at + int(m.Offset.Bytes())
		if fieldTypes[in.Name] == nil {
			f.add(in, from)
			continue
		}
		f.names = append(f.names, in.Name)
		f.spans = append(f.spans, span{from, from + int(in.Size)})
		f.lock = f.lock || in.Name == "bpf_spin_lock"
	}
}

// named says whether the kernel takes the names in a type: those of structs and unions, enums, typedefs and members
// are identifiers.
func named(t btf.Type) bool {
	switch u := t.(type) {
	case *btf.Typedef:
		return identifier(u.Name) && u.Name != "" && named(u.Type)
	case *btf.Struct:
		return identifier(u.Name) && namedMembers(u.Members)
	case *btf.Union:
		return identifier(u.Name) && namedMembers(u.Members)
	case *btf.Enum:
		return identifier(u.Name)
	case *btf.Array:
		return named(u.Type)
	case *btf.Const:
		return named(u.Type)
	case *btf.Volatile:
		return named(u.Type)
	}
	return true
}

func namedMembers(members []btf.Member) bool {
	for _, m := range members {
		if !identifier(m.Name) || !named(m.Type) {
			return false
		}
	}
	return true
}

// identifier says whether a name is one of C, or none.
func identifier(name string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
	if strings.Trim(name, letters+"0123456789") != "" {
		return false
	}
	return name == "" || strings.Contains(letters, name[:1])
}
