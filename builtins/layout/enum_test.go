package layout

import (
	"testing"

	"github.com/cilium/ebpf/btf"
)

func TestEnum(t *testing.T) {
	odd := &btf.Enum{Name: "odd", Size: 3, Values: []btf.EnumValue{{Name: "A"}}}
	check(t, map[string]btf.Type{"odd": odd}, []expr{
		{`enc("enum proto { TCP = 6, UDP = 17 }", "TCP")`, `06 00 00 00`},
		{`enc("enum proto { TCP = 6, UDP = 17 }", 17)`, `11 00 00 00`},
		{`enc("enum proto { TCP = 6, UDP = 17 }", 99)`, `63 00 00 00`},
		{`enc("enum proto { TCP = 6, UDP = 17 }", -1)`, `-1 is out of range for u32 (0 to 4294967295)`},
		{`enc("enum proto { TCP = 6, UDP = 17 }", "TPC")`, `enum proto has no TPC (did you mean TCP?)`},
		{`enc("enum { TCP = 6 }", "S C T P")`, `enum has no "S C T P"`},
		{`enc("enum proto { TCP = 6 }", 6.0)`, `got float, want u32`},
		{`enc("enum proto { TCP = 6 }", b"\x06\x00\x00\x00")`, `06 00 00 00`},
		{`enc("enum proto { TCP = 6 }", b"\x06")`, `got 1 byte, want u32`},
		{`dec("enum proto { TCP = 6, UDP = 17 }", "11 00 00 00")`, `UDP`},
		{`dec("enum proto { TCP = 6, UDP = 17 }", "63 00 00 00")`, `99`},

		{`dec("enum { A = 1, B = 1 }", "01 00 00 00")`, `A`},
		{`enc("enum { A = 1, B = 1 }", "B")`, `01 00 00 00`},
		{`enc("enum { A = -1 }", "A")`, `ff ff ff ff`},
		{`dec("enum { A = -1 }", "ff ff ff ff")`, `A`},
		{`dec("enum { A = -1 }", "fe ff ff ff")`, `-2`},
		{`dec("enum { A = 0xffffffff }", "ff ff ff ff")`, `A`},
		{`enc("enum : i8 { A = -128 }", "A")`, `80`},
		{`dec("enum : i8 { A = -128 }", "80")`, `A`},
		{`dec("enum : u16 { A = 0xffff }", "ff ff")`, `A`},
		{`enc("enum { A = 0x100000000 }", "A")`, `00 00 00 00 01 00 00 00`},
		{`dec("enum { A = 18446744073709551615 }", "ff ff ff ff ff ff ff ff")`, `A`},
		{`dec("enum { A = -9223372036854775808 }", "00 00 00 00 00 00 00 80")`, `A`},
		{`enc("enum { A = -9223372036854775808 }", "A")`, `00 00 00 00 00 00 00 80`},
		{`dec(odd, "00 00 00")`, `b"\x00\x00\x00"`},
	})
}
