package layout

import "testing"

func TestIP(t *testing.T) {
	check(t, nil, []expr{
		{`enc("ipv4", "10.0.0.1")`, `0a 00 00 01`},
		{`enc("ipv4", "255.255.255.255")`, `ff ff ff ff`},
		{`enc("ipv4", b"\x0a\x00\x00\x01")`, `0a 00 00 01`},
		{`enc("ipv4", b"\x0a\x00\x00")`, `got 3 bytes, want an IPv4 address such as "10.0.0.1"`},
		{`enc("ipv4", 0x0a000001)`, `got 167772161, want an IPv4 address such as "10.0.0.1"`},
		{`enc("ipv4", "")`, `"" is not an IPv4 address such as "10.0.0.1"`},
		{`enc("ipv4", "10.0.0")`, `"10.0.0" is not an IPv4 address such as "10.0.0.1"`},
		{`enc("ipv4", "10.0.0.256")`, `"10.0.0.256" is not an IPv4 address such as "10.0.0.1"`},
		{`enc("ipv4", "10.0.0.01")`, `"10.0.0.01" is not an IPv4 address such as "10.0.0.1"`},
		{`enc("ipv4", " 10.0.0.1")`, `" 10.0.0.1" is not an IPv4 address such as "10.0.0.1"`},
		{`enc("ipv4", "::1")`, `::1 is an IPv6 address, want IPv4`},
		{`enc("ipv4", "::ffff:10.0.0.1")`, `::ffff:10.0.0.1 is an IPv6 address, want IPv4`},
		{`enc("ipv6", "2001:db8::1")`, `20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01`},
		{`enc("ipv6", "2001:DB8:0::1")`, `20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01`},
		{`enc("ipv6", "::ffff:10.0.0.1")`, `00 00 00 00 00 00 00 00 00 00 ff ff 0a 00 00 01`},
		{`enc("ipv6", "10.0.0.1")`, `10.0.0.1 is an IPv4 address, want IPv6; as IPv6 it is written ::ffff:10.0.0.1`},
		{`enc("ipv6", "fe80::1%eth0")`, `"fe80::1%eth0" is not an IPv6 address such as "2001:db8::1"`},
		{`enc("ipv6", "x")`, `"x" is not an IPv6 address such as "2001:db8::1"`},
		{`enc("ipv6", 1)`, `got 1, want an IPv6 address such as "2001:db8::1"`},

		{`dec("ipv4", "00 00 00 00")`, `0.0.0.0`},
		{`dec("ipv4", "0a 00 00 01")`, `10.0.0.1`},
		{`dec("ipv6", "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00")`, `::`},
		{`dec("ipv6", "00 00 00 00 00 00 00 00 00 00 ff ff 0a 00 00 01")`, `::ffff:10.0.0.1`},
		{`dec("ipv6", "00 00 00 00 00 00 00 00 00 00 00 00 0a 00 00 01")`, `::a00:1`},
		{`dec("ipv6", "fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 01")`, `fe80::1`},
	})
}

func TestMAC(t *testing.T) {
	check(t, nil, []expr{
		{`enc("mac", "02:00:5e:10:00:01")`, `02 00 5e 10 00 01`},
		{`enc("mac", "02-00-5E-10-00-01")`, `02 00 5e 10 00 01`},
		{`enc("mac", "0200.5e10.0001")`, `02 00 5e 10 00 01`},
		{`enc("mac", b"\x02\x00\x5e\x10\x00\x01")`, `02 00 5e 10 00 01`},
		{`enc("mac", "02:00:5e:10:00")`, `got "02:00:5e:10:00", want an Ethernet address such as "02:00:5e:10:00:01"`},
		{`enc("mac", "02:00:5e:10:00:01:02:03")`, `got "02:00:5e:10:00:01:02:03", want an Ethernet address such as "02:00:5e:10:00:01"`},
		{`enc("mac", 1)`, `got 1, want an Ethernet address such as "02:00:5e:10:00:01"`},
		{`dec("mac", "02 00 5e 10 00 01")`, `02:00:5e:10:00:01`},
		{`dec("mac", "00 00 00 00 00 00")`, `00:00:00:00:00:00`},
	})
}

func TestPrefix(t *testing.T) {
	check(t, nil, []expr{
		{`enc("cidr4", "10.0.0.0/8")`, `08 00 00 00 0a 00 00 00`},
		{`enc("cidr4", "0.0.0.0/0")`, `00 00 00 00 00 00 00 00`},
		{`enc("cidr4", "10.0.0.1/32")`, `20 00 00 00 0a 00 00 01`},
		{`enc("cidr4", "10.0.0.1")`, `20 00 00 00 0a 00 00 01`},
		{`enc("cidr4", "10.0.0.1/8")`, `10.0.0.1/8 has bits set beyond its prefix; the prefix is 10.0.0.0/8`},
		{`enc("cidr4", "10.0.0.0/33")`, `"10.0.0.0/33" is not an IPv4 prefix such as "10.0.0.0/8"`},
		{`enc("cidr4", "10.0.0.0/-1")`, `"10.0.0.0/-1" is not an IPv4 prefix such as "10.0.0.0/8"`},
		{`enc("cidr4", "10.0.0.0/")`, `"10.0.0.0/" is not an IPv4 prefix such as "10.0.0.0/8"`},
		{`enc("cidr4", "10/8")`, `"10/8" is not an IPv4 prefix such as "10.0.0.0/8"`},
		{`enc("cidr4", "::/0")`, `"::/0" is not an IPv4 prefix such as "10.0.0.0/8"`},
		{`enc("cidr4", 8)`, `got 8, want an IPv4 prefix such as "10.0.0.0/8"`},
		{`enc("cidr4", b"\x08\x00\x00\x00\x0a\x00\x00\x01")`, `08 00 00 00 0a 00 00 01`},
		{`enc("cidr4", b"\x08")`, `got 1 byte, want an IPv4 prefix such as "10.0.0.0/8"`},
		{`enc("cidr6", "2001:db8::/32")`, `20 00 00 00 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 00`},
		{`enc("cidr6", "::1")`, `80 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01`},
		{`enc("cidr6", "2001:db8::1/32")`, `2001:db8::1/32 has bits set beyond its prefix; the prefix is 2001:db8::/32`},
		{`enc("cidr6", "10.0.0.0/8")`, `"10.0.0.0/8" is not an IPv6 prefix such as "2001:db8::/32"`},
		{`enc("cidr6", "fe80::%eth0/64")`, `"fe80::%eth0/64" is not an IPv6 prefix such as "2001:db8::/32"`},
		{`enc("cidr6", "::ffff:10.0.0.0/104")`, `68 00 00 00 00 00 00 00 00 00 00 00 00 00 ff ff 0a 00 00 00`},

		{`dec("cidr4", "08 00 00 00 0a 00 00 00")`, `10.0.0.0/8`},
		{`dec("cidr4", "00 00 00 00 00 00 00 00")`, `0.0.0.0/0`},
		{`dec("cidr4", "20 00 00 00 0a 00 00 01")`, `10.0.0.1/32`},
		{`dec("cidr6", "20 00 00 00 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 00")`, `2001:db8::/32`},
		{`dec("cidr6", "60 00 00 00 00 00 00 00 00 00 00 00 00 00 ff ff 00 00 00 00")`, `::ffff:0.0.0.0/96`},
		{`dec("cidr6", "68 00 00 00 00 00 00 00 00 00 00 00 00 00 ff ff 0a 00 00 00")`, `::ffff:10.0.0.0/104`},

		// Another program may have written host bits, or a length that no address has.
		{`dec("cidr4", "08 00 00 00 0a 00 00 01")`, `b"\b\x00\x00\x00\n\x00\x00\x01"`},
		{`dec("cidr4", "21 00 00 00 0a 00 00 01")`, `b"!\x00\x00\x00\n\x00\x00\x01"`},
		{`dec("cidr4", "00 00 00 80 00 00 00 00")`, `b"\x00\x00\x00\x80\x00\x00\x00\x00"`},
		{`dec("cidr4", "08 01 00 00 0a 00 00 00")`, `b"\b\x01\x00\x00\n\x00\x00\x00"`},
		{`type(dec("cidr6", "81 00 00 00 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 00"))`, `bytes`},
	})
}
