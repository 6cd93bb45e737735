package layout

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

// raw copies v to b where v is bytes of exactly b's length: every type takes its own bytes.
func raw(b []byte, v starlark.Value) bool {
	s, ok := v.(starlark.Bytes)
	if !ok || len(s) != len(b) {
		return false
	}
	copy(b, s)
	return true
}

// bytesCodec leaves bytes as they are: bytes[N], and what has no better form.
type bytesCodec struct{}

func (bytesCodec) decode(b []byte) starlark.Value { return starlark.Bytes(b) }

func (bytesCodec) encode(b []byte, v starlark.Value) error {
	if raw(b, v) {
		return nil
	}
	return badf("got %s, want %d bytes, such as unhex(\"00 1f ...\")", method.Describe(v), len(b))
}

// textCodec is char[N]: text up to the first NUL, or all N bytes without one.
type textCodec struct{}

func (textCodec) decode(b []byte) starlark.Value {
	text, rest, _ := bytes.Cut(b, []byte{0})
	if !utf8.Valid(text) || len(bytes.Trim(rest, "\x00")) > 0 {
		return starlark.Bytes(b)
	}
	return starlark.String(text)
}

func (textCodec) encode(b []byte, v starlark.Value) error {
	s, ok := v.(starlark.String)
	switch {
	case !ok && raw(b, v):
		return nil
	case !ok:
		return badf("got %s, want text of at most %d bytes, or exactly %[2]d bytes", method.Describe(v), len(b))
	case len(s) > len(b):
		return badf("text of %s does not fit char[%d]", method.Counted(len(s), "byte"), len(b))
	case strings.IndexByte(string(s), 0) >= 0:
		return badf("text ends at its first NUL, byte %d; give %d bytes to write what follows it", strings.IndexByte(string(s), 0), len(b))
	}
	copy(b, s)
	return nil
}
