package layout

import (
	"encoding/binary"
	"net"
	"net/netip"

	"bpfsh/runtime/method"

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
	addr, _ := netip.AddrFromSlice(b[4:])
	p := netip.PrefixFrom(addr, int(binary.NativeEndian.Uint32(b)))
	if p.Masked() != p {
		return starlark.Bytes(b) // another program wrote host bits, or more bits than there are: no text would give them back
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
