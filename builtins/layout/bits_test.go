package layout

import "testing"

func TestBitField(t *testing.T) {
	check(t, nil, []expr{
		{`dec("struct { u8 ihl:4, version:4; }", "45")`, `record(ihl=5, version=4)`},
		{`enc("struct { u8 ihl:4, version:4; }", (5, 4))`, `45`},
		{`enc("struct { u8 ihl:4, version:4; }", {"version": 4, "ihl": 15})`, `4f`},
		{`enc("struct { u8 ihl:4, version:4; }", (16, 4))`, `ihl: 16 is out of range for 4 bits (0 to 15)`},
		{`enc("struct { u8 ihl:4, version:4; }", (256, 4))`, `ihl: 256 is out of range for u8 (0 to 255)`},
		{`enc("struct { u8 ihl:4, version:4; }", ("5", 4))`, `ihl: got "5", want u8`},
		{`enc("struct { u8 ihl:4, version:4; }", b"\x45")`, `45`},
		{`enc("struct { i8 a:3, b:5; }", (-4, 15))`, `7c`},
		{`enc("struct { i8 a:3, b:5; }", (-5, 15))`, `a: -5 is out of range for 3 bits (-4 to 3)`},
		{`enc("struct { i8 a:3, b:5; }", (4, 15))`, `a: 4 is out of range for 3 bits (-4 to 3)`},
		{`dec("struct { i8 a:3, b:5; }", "7c")`, `record(a=-4, b=15)`},
		{`dec("struct { u32 a:20, b:12; }", "45 23 c1 ab")`, `record(a=74565, b=2748)`},
		{`enc("struct { u32 a:20, b:12; }", (0x12345, 0xabc))`, `45 23 c1 ab`},
		{`dec("struct { u64 a:64; }", "ff ff ff ff ff ff ff ff")`, `record(a=18446744073709551615)`},
		{`dec("struct { i64 a:64; }", "ff ff ff ff ff ff ff ff")`, `record(a=-1)`},
		{`enc("struct { i64 a:64; }", (-9223372036854775808,))`, `00 00 00 00 00 00 00 80`},
		{`enc("struct { u8 a:1; u64 b:64; } __packed", (1, (1 << 64) - 1))`, `ff ff ff ff ff ff ff ff 01`},
		{`dec("struct { u8 a:1; u64 b:63; } __packed", "01 00 00 00 00 00 00 80")`, `record(a=1, b=4611686018427387904)`},
		{`dec("struct { be16 a:4, b:12; }", "12 34")`, `record(a=2, b=833)`},
		{`dec("struct { bool a:1, b:1; }", "02")`, `record(a=False, b=True)`},
		{`enc("struct { bool a:1, b:1; }", (True, False))`, `01`},
		{`enc("struct { bool a:1, b:1; }", (2, False))`, `a: 2 is out of range for 1 bit (0 to 1)`},
		{`dec("struct { enum { X, Y = 5 } a:4; u8 b:4; }", "25 00 00 00")`, `record(a="Y", b=2)`},
		{`enc("struct { enum { X, Y = 5 } a:4; u8 b:4; }", ("Y", 2))`, `25 00 00 00`},
		{`enc("struct { enum { X, Y = 5 } a:2; u8 b:4; }", ("Y", 2))`, `a: "Y" is out of range for 2 bits (0 to 3)`},

		// A field's neighbours in the same byte keep their bits.
		{`dec("struct { u8 a:3, :2, b:3; }", "ff").replace(a=0) == dec("struct { u8 a:3, :2, b:3; }", "e0")`, `True`},
		{`enc("struct { u8 a:3, :2, b:3; }", dec("struct { u8 a:3, :2, b:3; }", "ff").replace(a=0))`, `f8`},
		{`enc("struct { u8 a:3, :2, b:3; }", (7, 7))`, `e7`},
	})
}
