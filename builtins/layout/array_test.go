package layout

import "testing"

func TestArray(t *testing.T) {
	check(t, nil, []expr{
		{`dec("u8[3]", "01 02 03")`, `(1, 2, 3)`},
		{`dec("be16[2]", "00 01 00 02")`, `(1, 2)`},
		{`dec("i8[2][2]", "01 02 03 ff")`, `((1, 2), (3, -1))`},
		{`dec("u32[0]", "")`, `()`},
		{`dec("bool[3]", "00 01 02")`, `(False, True, 2)`},
		{`dec("ipv4[2]", "0a 00 00 01 0a 00 00 02")`, `("10.0.0.1", "10.0.0.2")`},
		{`dec("struct { u8 a; u8 b; }[2]", "01 02 03 04")`, `(record(a=1, b=2), record(a=3, b=4))`},

		{`enc("u8[3]", (1, 2, 3))`, `01 02 03`},
		{`enc("u8[3]", [1, 2, 3])`, `01 02 03`},
		{`enc("u8[3]", range(3))`, `00 01 02`},
		{`enc("u8[3]", b"\x01\x02\x03")`, `01 02 03`},
		{`enc("u8[3]", [1, 2])`, `got 2 elements, want 3 of u8`},
		{`enc("u8[3]", [1, 2, 3, 4])`, `got 4 elements, want 3 of u8`},
		{`enc("u8[3]", [])`, `got 0 elements, want 3 of u8`},
		{`enc("u8[3]", [1, 2, 256])`, `[2]: 256 is out of range for u8 (0 to 255)`},
		{`enc("u8[3]", 5)`, `got 5, want 3 of u8`},
		{`enc("u8[3]", "abc")`, `got "abc", want 3 of u8`},
		{`enc("u8[3]", {1: 2, 3: 4, 5: 6})`, `got dict of 3, want 3 of u8`},
		{`enc("u32[4]", b"\x01\x02\x03\x04")`, `got 4 bytes, want 4 of u32`},
		{`enc("u8[2][2]", [[1, 2], [3, 4]])`, `01 02 03 04`},
		{`enc("u8[2][2]", b"\x01\x02\x03\x04")`, `01 02 03 04`},
		{`enc("u8[2][2]", [b"\x01\x02", [3, 4]])`, `01 02 03 04`},
		{`enc("u8[2][2]", [[1, 2], [3]])`, `[1]: got 1 element, want 2 of u8`},
		{`enc("u8[2][2]", [[1, 2], [3, -4]])`, `[1][1]: -4 is out of range for u8 (0 to 255)`},
		{`enc("ipv4[2]", ["10.0.0.1", 5])`, `[1]: got 5, want an IPv4 address such as "10.0.0.1"`},
		{`enc("struct flow { u8 a; }[2]", [(1,), 5])`, `[1]: got 5, want struct flow: a dict, a record, or its fields in order`},
		{`enc("struct flow { u8 a; }[2]", 5)`, `got 5, want 2 of struct flow`},
	})
}

// An array of very many elements of no size would take memory that no value has.
func TestArrayTooLong(t *testing.T) {
	typ, err := Of(arrayType(fields(0), 1<<32-1))
	if err != nil {
		t.Fatal(err)
	}
	if v := typ.Decode(nil).String(); v != `b""` {
		t.Errorf("got %s, want no bytes", v)
	}
}
