package layout

import "testing"

func TestFloat(t *testing.T) {
	check(t, nil, []expr{
		{`enc("f64", 1.5)`, `00 00 00 00 00 00 f8 3f`},
		{`enc("f64", -0.0)`, `00 00 00 00 00 00 00 80`},
		{`enc("f64", 3)`, `00 00 00 00 00 00 08 40`},
		{`enc("f64", float("inf"))`, `00 00 00 00 00 00 f0 7f`},
		{`enc("f64", float("nan"))`, `00 00 00 00 00 00 f8 7f`},
		{`enc("f64", -float("nan"))`, `00 00 00 00 00 00 f8 7f`},
		{`enc("f64", (1 << 511) * (1 << 511 << 2))`, `int is out of range for f64`},
		{`enc("f64", -(1 << 511) * (1 << 511 << 2))`, `int is out of range for f64`},
		{`enc("f32", 1.5)`, `00 00 c0 3f`},
		{`enc("f32", -0.0)`, `00 00 00 80`},
		{`enc("f32", 0.1)`, `cd cc cc 3d`},
		{`enc("f32", 3.4028234663852886e38)`, `ff ff 7f 7f`},
		{`enc("f32", 3.5e38)`, `3.5e+38 is out of range for f32`},
		{`enc("f32", -3.5e38)`, `-3.5e+38 is out of range for f32`},
		{`enc("f32", 1 << 128)`, `340282366920938463463374607431768211456 is out of range for f32`},
		{`enc("f32", 1e-60)`, `00 00 00 00`},
		{`enc("f32", float("-inf"))`, `00 00 80 ff`},
		{`enc("f32", float("nan"))`, `00 00 c0 7f`},

		{`enc("f64", "1.5")`, `got "1.5", want a float`},
		{`enc("f64", True)`, `got True, want a float`},
		{`enc("f64", b"12345678")`, `31 32 33 34 35 36 37 38`},
		{`enc("f64", b"1234")`, `got 4 bytes, want a float`},

		{`dec("f64", "00 00 00 00 00 00 f8 3f")`, `1.5`},
		{`dec("f64", "00 00 00 00 00 00 00 80")`, `-0.0`},
		{`dec("f64", "01 00 00 00 00 00 00 00")`, `5e-324`},
		{`dec("f64", "00 00 00 00 00 00 f0 ff")`, `-inf`},
		{`dec("f32", "ff ff 7f 7f")`, `3.4028234663852886e+38`},
		{`dec("f32", "01 00 00 00")`, `1.401298464324817e-45`},

		// C's NAN is a float. What has a sign or a payload, or is signalling, would not be written back as it was.
		{`dec("f64", "00 00 00 00 00 00 f8 7f")`, `nan`},
		{`dec("f64", "00 00 00 00 00 00 f8 ff")`, `b"\x00\x00\x00\x00\x00\x00\xf8\xff"`},
		{`dec("f64", "01 00 00 00 00 00 f8 7f")`, `b"\x01\x00\x00\x00\x00\x00\xf8\x7f"`},
		{`dec("f64", "01 00 00 00 00 00 f0 7f")`, `b"\x01\x00\x00\x00\x00\x00\xf0\x7f"`},
		{`dec("f32", "00 00 c0 7f")`, `nan`},
		{`dec("f32", "00 00 c0 ff")`, `b"\x00\x00\xc0\xff"`},
		{`dec("f32", "01 00 c0 7f")`, `b"\x01\x00\xc0\x7f"`},
		{`dec("f32", "01 00 80 7f")`, `b"\x01\x00\x80\x7f"`},
	})
}
