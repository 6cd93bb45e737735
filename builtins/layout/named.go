package layout

import (
	"slices"

	"github.com/cilium/ebpf/btf"
)

// named are the types that a name, and not a shape, tells apart. They are typedefs and structs of that name in
// BTF, so that a map opened again still shows addresses.
var named = []*namedType{
	{"be16", "__be16", uint16Type, 2, intCodec{size: 2, big: true}},
	{"be32", "__be32", uint32Type, 4, intCodec{size: 4, big: true}},
	{"be64", "__be64", uint64Type, 8, intCodec{size: 8, big: true}},
	{"le16", "__le16", uint16Type, 2, intCodec{size: 2}},
	{"le32", "__le32", uint32Type, 4, intCodec{size: 4}},
	{"le64", "__le64", uint64Type, 8, intCodec{size: 8}},
	{"ipv4", "", uint32Type, 4, ipCodec{}},
	{"ipv6", "", arrayType(uint32Type, 4), 4, ipCodec{}},
	{"mac", "", arrayType(uint8Type, 6), 1, macCodec{}},
	{"comm", "", arrayType(charType, 16), 1, textCodec{}},
	{"cidr4", "", prefixType("cidr4", 4), 4, prefixCodec{}},
	{"cidr6", "", prefixType("cidr6", 16), 4, prefixCodec{}},
}

type namedType struct {
	name  string
	alias string   // another typedef that means the same
	btf   btf.Type // what the typedef stands for, or the struct
	align int
	codec codec
}

var (
	uint8Type  = &btf.Int{Name: "u8", Size: 1}
	uint16Type = &btf.Int{Name: "u16", Size: 2}
	uint32Type = &btf.Int{Name: "u32", Size: 4}
	uint64Type = &btf.Int{Name: "u64", Size: 8}
	charType   = &btf.Int{Name: "char", Size: 1, Encoding: btf.Signed}
)

func arrayType(elem btf.Type, n uint32) *btf.Array {
	return &btf.Array{Index: uint32Type, Type: elem, Nelems: n}
}

func prefixType(name string, size uint32) *btf.Struct {
	return &btf.Struct{Name: name, Size: 4 + size, Members: []btf.Member{
		{Name: "prefixlen", Type: uint32Type},
		{Name: "addr", Type: arrayType(uint8Type, size), Offset: 32},
	}}
}

// namedBTF is the BTF of the named type that a script calls name, or nil.
func namedBTF(name string) btf.Type {
	for _, n := range named {
		if n.name != name && (n.alias != name || name == "") {
			continue
		}
		if s, ok := n.btf.(*btf.Struct); ok {
			return s
		}
		return &btf.Typedef{Name: name, Type: n.btf}
	}
	return nil
}

// namedOf finds the named type that t is, or nil: one of its typedefs has the name, or it is the struct.
func namedOf(t btf.Type) *namedType {
	for ok := true; ok; t, ok = unwrap(t) {
		for _, n := range named {
			if n.is(t) {
				return n
			}
		}
	}
	return nil
}

func (n *namedType) is(t btf.Type) bool {
	switch t := t.(type) {
	case *btf.Typedef:
		_, isStruct := n.btf.(*btf.Struct)
		return !isStruct && t.Name != "" && (t.Name == n.name || t.Name == n.alias) && sameSize(t, n.btf)
	case *btf.Struct:
		want, isStruct := n.btf.(*btf.Struct)
		return isStruct && t.Name == n.name && t.Size == want.Size && slices.EqualFunc(t.Members, want.Members, sameShape)
	default:
		return false
	}
}

func sameShape(a, b btf.Member) bool {
	return a.Offset == b.Offset && a.BitfieldSize == b.BitfieldSize && sameSize(a.Type, b.Type) && spell(a.Type) == spell(b.Type)
}

func sameSize(a, b btf.Type) bool {
	x, err := btf.Sizeof(a)
	y, _ := btf.Sizeof(b)
	return err == nil && x == y
}

// unwrap takes one typedef or qualifier away. ok is false where t has none.
func unwrap(t btf.Type) (inner btf.Type, ok bool) {
	switch t := t.(type) {
	case *btf.Typedef:
		return t.Type, true
	case *btf.Const:
		return t.Type, true
	case *btf.Volatile:
		return t.Type, true
	case *btf.Restrict:
		return t.Type, true
	case *btf.TypeTag:
		return t.Type, true
	default:
		return t, false
	}
}
