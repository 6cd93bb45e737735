package layout

import (
	"encoding/binary"
	"net"
	"net/netip"

	"bpfsh/runtime/method"

	"github.com/cilium/ebpf/btf"
	"go.starlark.net/starlark"
)

// ipCodec is an address of 4 or 16 bytes in network order, shown as text.
type ipCodec struct{}

func (ipCodec) decode(b []byte) starlark.Value {
	addr, _ := netip.AddrFromSlice(b)
	return starlark.String(addr.String())
}

func (ipCodec) encode(b []byte, v starlark.Value) error {
	if raw(b, v) {
		return nil
	}
	s, ok := v.(starlark.String)
	if !ok {
		return badf("got %s, want an %s address such as %s", method.Describe(v), family(len(b)), exampleAddr(len(b)))
	}
	addr, err := parseAddr(string(s), len(b))
	if err != nil {
		return err
	}
	copy(b, addr.AsSlice())
	return nil
}

func parseAddr(s string, size int) (netip.Addr, error) {
	addr, err := netip.ParseAddr(s)
	switch {
	case err != nil || addr.Zone() != "":
		return addr, badf("%s is not an %s address such as %s", method.Describe(starlark.String(s)), family(size), exampleAddr(size))
	case addr.Is4() && size == 16:
		return addr, badf("%s is an IPv4 address, want IPv6; as IPv6 it is written ::ffff:%s", addr, addr)
	case addr.Is6() && size == 4:
		return addr, badf("%s is an IPv6 address, want IPv4", addr)
	}
	return addr, nil
}

func family(size int) string {
	if size == 4 {
		return "IPv4"
	}
	return "IPv6"
}

func exampleAddr(size int) string {
	if size == 4 {
		return `"10.0.0.1"`
	}
	return `"2001:db8::1"`
}

// macCodec is an Ethernet address.
type macCodec struct{}

func (macCodec) decode(b []byte) starlark.Value { return starlark.String(net.HardwareAddr(b).String()) }

func (macCodec) encode(b []byte, v starlark.Value) error {
	if raw(b, v) {
		return nil
	}
	if s, ok := v.(starlark.String); ok {
		if mac, err := net.ParseMAC(string(s)); err == nil && len(mac) == len(b) {
			copy(b, mac)
			return nil
		}
	}
	return badf("got %s, want an Ethernet address such as \"02:00:5e:10:00:01\"", method.Describe(v))
}

// prefixCodec is the key of an LPM trie: a u32 of significant bits in the machine's order, then the address.
type prefixCodec struct{}

func (prefixCodec) decode(b []byte) starlark.Value {
	n := binary.NativeEndian.Uint32(b)
	addr, _ := netip.AddrFromSlice(b[4:])
	if n > uint32(addr.BitLen()) {
		return starlark.Bytes(b)
	}
	p := netip.PrefixFrom(addr, int(n))
	if p.Masked() != p {
		return starlark.Bytes(b) // another program wrote host bits; as text it could not be written back
	}
	return starlark.String(p.String())
}

func (prefixCodec) encode(b []byte, v starlark.Value) error {
	if raw(b, v) {
		return nil
	}
	size := len(b) - 4
	s, ok := v.(starlark.String)
	if !ok {
		return badf("got %s, want an %s prefix such as %s", method.Describe(v), family(size), examplePrefix(size))
	}
	p, err := netip.ParsePrefix(string(s))
	if err != nil {
		addr, err := parseAddr(string(s), size) // an address alone is the prefix of all its bits
		if err != nil {
			return badf("%s is not an %s prefix such as %s", method.Describe(s), family(size), examplePrefix(size))
		}
		p = netip.PrefixFrom(addr, addr.BitLen())
	}
	if p.Addr().BitLen() != size*8 {
		return badf("%s is not an %s prefix such as %s", method.Describe(s), family(size), examplePrefix(size))
	}
	if m := p.Masked(); m != p {
		return badf("%s has bits set beyond its prefix; the prefix is %s", p, m)
	}
	binary.NativeEndian.PutUint32(b, uint32(p.Bits()))
	copy(b[4:], p.Addr().AsSlice())
	return nil
}

func examplePrefix(size int) string {
	if size == 4 {
		return `"10.0.0.0/8"`
	}
	return `"2001:db8::/32"`
}

// named are the types that a name, and not a shape, tells apart. They are typedefs and structs of that name in
// BTF, so that a map opened again still shows addresses.
var named = []struct {
	name    string
	aliases string // other typedefs that mean the same
	btf     btf.Type
	codec   codec
}{
	{"be16", "__be16", uint16Type, intCodec{size: 2, big: true}},
	{"be32", "__be32", uint32Type, intCodec{size: 4, big: true}},
	{"be64", "__be64", uint64Type, intCodec{size: 8, big: true}},
	{"le16", "__le16", uint16Type, intCodec{size: 2}},
	{"le32", "__le32", uint32Type, intCodec{size: 4}},
	{"le64", "__le64", uint64Type, intCodec{size: 8}},
	{"ipv4", "", uint32Type, ipCodec{}},
	{"ipv6", "", &btf.Array{Index: uint32Type, Type: uint32Type, Nelems: 4}, ipCodec{}},
	{"mac", "", &btf.Array{Index: uint32Type, Type: uint8Type, Nelems: 6}, macCodec{}},
	{"cidr4", "", prefixStruct("cidr4", 4), prefixCodec{}},
	{"cidr6", "", prefixStruct("cidr6", 16), prefixCodec{}},
}

var (
	uint8Type  = &btf.Int{Name: "u8", Size: 1}
	uint16Type = &btf.Int{Name: "u16", Size: 2}
	uint32Type = &btf.Int{Name: "u32", Size: 4}
	uint64Type = &btf.Int{Name: "u64", Size: 8}
)

func prefixStruct(name string, size uint32) *btf.Struct {
	return &btf.Struct{Name: name, Size: 4 + size, Members: []btf.Member{
		{Name: "prefixlen", Type: uint32Type},
		{Name: "addr", Type: &btf.Array{Index: uint32Type, Type: uint8Type, Nelems: size}, Offset: 32},
	}}
}

// namedType is the BTF of one of the named types, or nil.
func namedType(name string) btf.Type {
	for _, n := range named {
		if n.name != name && n.aliases != name {
			continue
		}
		if s, ok := n.btf.(*btf.Struct); ok {
			return s
		}
		return &btf.Typedef{Name: name, Type: n.btf}
	}
	return nil
}

// namedCodec finds the named type that t is, by a typedef's or a struct's name and the right size.
func namedCodec(t btf.Type) (string, codec) {
	for {
		size, err := btf.Sizeof(t)
		for _, n := range named {
			if name := t.TypeName(); err == nil && name != "" && (n.name == name || n.aliases == name) {
				if want, _ := btf.Sizeof(n.btf); want == size {
					return n.name, n.codec
				}
			}
		}
		switch u := t.(type) {
		case *btf.Typedef:
			t = u.Type
		case *btf.Const:
			t = u.Type
		case *btf.Volatile:
			t = u.Type
		case *btf.Restrict:
			t = u.Type
		case *btf.TypeTag:
			t = u.Type
		default:
			return "", nil
		}
	}
}
