package render

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"unicode/utf8"

	"go.starlark.net/starlark"
)

// JSON is a value as a JSON document on one line.
//
// Integers have all their digits. Bytes are hexadecimal text with spaces, as unhex reads it, and so is text that is not
// UTF-8. JSON has no such numbers as "nan", "+inf" and "-inf": they are texts, as float reads them. A record is an
// object in the order of its fields; what has columns, such as a map, is a list of objects, {"key": …, "value": …}; so is a
// dict with a key that is no text. Other types say what they are by MarshalJSON, or else are the text that str gives.
//
// No character that a terminal might obey stands in it unescaped. The error is of reading rows, or that v holds itself.
func JSON(v starlark.Value) ([]byte, error) {
	var e encoder
	err := e.value(v)
	return e.buf, err
}

// AppendRow appends a row as FormatJSONL has it, without the end of its line.
func AppendRow(b []byte, columns []Column, row []starlark.Value) ([]byte, error) {
	e := encoder{buf: b}
	err := e.row(columns, row)
	return e.buf, err
}

// encoder appends JSON to buf.
type encoder struct {
	buf   []byte
	depth int
	ctx   context.Context // ends it within a list when it is done; nil: nothing does
}

// maxDepth is where a value is taken to hold itself.
const maxDepth = 256

var errDepth = errors.New("JSON: a value holds itself, or is nested too deeply")

func (e *encoder) value(v starlark.Value) error {
	switch v := v.(type) {
	case starlark.NoneType:
		e.buf = append(e.buf, "null"...)
		return nil
	case starlark.Bool:
		e.buf = strconv.AppendBool(e.buf, bool(v))
		return nil
	case starlark.Int:
		e.buf = appendInt(e.buf, v)
		return nil
	case starlark.Float:
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			e.buf = append(append(append(e.buf, '"'), v.String()...), '"')
		} else {
			e.buf = append(e.buf, v.String()...) // which has a decimal point or an exponent
		}
		return nil
	case starlark.String:
		e.buf = appendText(e.buf, string(v))
		return nil
	case starlark.Bytes:
		e.buf = append(appendHex(append(e.buf, '"'), string(v)), '"')
		return nil
	}
	if e.depth == maxDepth {
		return errDepth
	}
	e.depth++
	err := e.compound(v)
	e.depth--
	return err
}

func (e *encoder) compound(v starlark.Value) error {
	switch v := v.(type) {
	case Rower:
		return e.rows(v)
	case Fielder:
		return e.record(v)
	case starlark.IterableMapping:
		return e.mapping(v)
	case json.Marshaler:
		if _, ok := v.(starlark.Sequence); !ok { // of which the elements are written, exact
			b, err := v.MarshalJSON()
			e.buf = append(e.buf, b...)
			return err
		}
	case Tabler:
		return e.rows(v)
	}
	switch v := v.(type) {
	case starlark.Iterable, starlark.Indexable:
		return e.rows(v)
	}
	e.buf = appendText(e.buf, v.String())
	return nil
}

func (e *encoder) record(f Fielder) error {
	e.buf = append(e.buf, '{')
	for i, name := range f.Fields() {
		if err := e.field(i, name, f.Field(i)); err != nil {
			return err
		}
	}
	e.buf = append(e.buf, '}')
	return nil
}

func (e *encoder) field(i int, name string, v starlark.Value) error {
	e.name(i, name)
	return e.value(v)
}

// name begins field i of an object.
func (e *encoder) name(i int, name string) {
	if i > 0 {
		e.buf = append(e.buf, ',')
	}
	e.buf = append(appendText(e.buf, name), ':')
}

func (e *encoder) mapping(m starlark.IterableMapping) error {
	items := m.Items()
	if !texts(items) {
		return e.list(&pairRows{items: items})
	}
	e.buf = append(e.buf, '{')
	for i, item := range items {
		if err := e.field(i, string(item[0].(starlark.String)), item[1]); err != nil {
			return err
		}
	}
	e.buf = append(e.buf, '}')
	return nil
}

// texts says whether items can be an object.
func texts(items []starlark.Tuple) bool {
	for _, item := range items {
		if s, ok := item[0].(starlark.String); !ok || !utf8.ValidString(string(s)) {
			return false
		}
	}
	return true
}

// rows writes what has rows as a list.
func (e *encoder) rows(v starlark.Value) error {
	rows, err := rowsOf(v)
	if err != nil {
		return err
	}
	if rows == nil {
		e.buf = appendText(e.buf, v.String())
		return nil
	}
	defer closeRows(rows)
	return e.list(rows)
}

func (e *encoder) list(rows Rows) error {
	columns := rows.Columns()
	e.buf = append(e.buf, '[')
	for i := 0; ; i++ {
		row, err := rows.Next()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = stopped(e.ctx)
		}
		if err != nil {
			return err
		}
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		if err := e.row(columns, row); err != nil {
			return err
		}
	}
	e.buf = append(e.buf, ']')
	return nil
}

// row writes an object, or the one value where it has no name.
func (e *encoder) row(columns []Column, row []starlark.Value) error {
	if columns[0].Name == "" {
		return e.under(&columns[0], row[0])
	}
	e.buf = append(e.buf, '{')
	for i := range columns {
		e.name(i, columns[i].Name)
		if err := e.under(&columns[i], row[i]); err != nil {
			return err
		}
	}
	e.buf = append(e.buf, '}')
	return nil
}

// under writes a value under a column: a record's fields are known there, and need not be asked for.
func (e *encoder) under(c *Column, v starlark.Value) error {
	f, ok := v.(Fielder)
	if !ok || len(c.Fields) == 0 {
		return e.value(v)
	}
	e.buf = append(e.buf, '{')
	for i := range c.Fields {
		e.name(i, c.Fields[i].Name)
		if err := e.under(&c.Fields[i], f.Field(i)); err != nil {
			return err
		}
	}
	e.buf = append(e.buf, '}')
	return nil
}

func appendInt(b []byte, i starlark.Int) []byte {
	if n, ok := i.Int64(); ok {
		return strconv.AppendInt(b, n, 10)
	}
	if n, ok := i.Uint64(); ok {
		return strconv.AppendUint(b, n, 10)
	}
	return i.BigInt().Append(b, 10)
}

const hexDigits = "0123456789abcdef"

// appendHex appends "0a ff".
func appendHex(b []byte, s string) []byte {
	for i := range len(s) {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, hexDigits[s[i]>>4], hexDigits[s[i]&15])
	}
	return b
}

// appendText appends a JSON string.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return append(appendEscaped(b, s), '"')
		}
	}
	return append(append(b, s...), '"')
}

func appendEscaped(b []byte, s string) []byte {
	if !utf8.ValidString(s) {
		return appendHex(b, s)
	}
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\t':
			b = append(b, `\t`...)
		case dangerous(r):
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}
