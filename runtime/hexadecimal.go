package runtime

import (
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"

	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

var hexadecimalFunctions = []method.Row[*Session]{{
	Name:   "hex",
	Params: "x",
	Doc:    "A number or bytes in hexadecimal: hex(255) is \"0xff\".\nOf bytes, two digits each: hex(b\"\\x0a\\x00\") is \"0a 00\".",
	Example: `hex(m.flags)                          # "0x0"
hex(m.key_type.encode("10.0.0.1"))    # "0a 00 00 01"`,
	Run: func(s *Session, c method.Call) (starlark.Value, error) {
		switch v := c.Args[0].(type) {
		case starlark.Int:
			if v.Sign() < 0 {
				return starlark.String(fmt.Sprintf("-0x%x", starlark.MakeInt(0).Sub(v).BigInt())), nil
			}
			return starlark.String(fmt.Sprintf("0x%x", v.BigInt())), nil
		case starlark.Bytes:
			return starlark.String(fmt.Sprintf("% x", string(v))), nil
		default:
			return nil, c.Bad("x", v, "int or bytes")
		}
	},
}, {
	Name:   "unhex",
	Params: "text",
	Doc:    "The bytes that a text of hexadecimal digits gives: unhex(\"0a 00\").\nSpaces and a leading 0x do not count.",
	Example: `key = unhex("0a 00 00 01")    # as bpftool prints it
m.key_type.decode(key)        # "10.0.0.1"`,
	Run: func(s *Session, c method.Call) (starlark.Value, error) {
		text, err := c.String(0, "text")
		if err != nil {
			return nil, err
		}
		digits := strings.TrimPrefix(strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) {
				return -1
			}
			return r
		}, text), "0x")
		b, err := hex.DecodeString(digits)
		if err != nil {
			return nil, c.Bad("text", c.Args[0], "pairs of hexadecimal digits")
		}
		return starlark.Bytes(b), nil
	},
}}
