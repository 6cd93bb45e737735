package layout

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"

	"go.starlark.net/starlark"
)

// MarshalJSON writes the fields as an object, in order: integers exact, bytes as hexadecimal text. It is what
// json.encode(record) gives.
func (r *Record) MarshalJSON() ([]byte, error) { return marshalFields(r) }

// MarshalJSON writes the fields as an object, in order.
func (f *Facts) MarshalJSON() ([]byte, error) { return marshalFields(f) }

// MarshalJSON writes one element for each CPU.
func (p *PerCPU) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	err := writeJSON(&out, p)
	return out.Bytes(), err
}

func marshalFields(v interface {
	Fields() []string
	Field(int) starlark.Value
}) ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, name := range v.Fields() {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := writeJSON(&out, starlark.String(name)); err != nil {
			return nil, err
		}
		out.WriteByte(':')
		if err := writeJSON(&out, v.Field(i)); err != nil {
			return nil, fmt.Errorf("field %s: %w", name, err)
		}
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

func writeJSON(out *bytes.Buffer, v starlark.Value) error {
	switch v := v.(type) {
	case starlark.NoneType:
		out.WriteString("null")
	case starlark.Bool:
		fmt.Fprintf(out, "%t", bool(v))
	case starlark.Int:
		out.WriteString(v.String())
	case starlark.Float:
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("JSON has no %s", v)
		}
		fmt.Fprintf(out, "%g", float64(v))
	case starlark.Bytes:
		fmt.Fprintf(out, `"% x"`, string(v))
	case json.Marshaler:
		if p, ok := v.(*PerCPU); ok {
			return writeList(out, p)
		}
		b, err := v.MarshalJSON()
		out.Write(b)
		return err
	case starlark.Indexable:
		if s, ok := v.(starlark.String); ok {
			b, err := json.Marshal(string(s))
			out.Write(b)
			return err
		}
		return writeList(out, v)
	default:
		b, err := json.Marshal(v.String())
		out.Write(b)
		return err
	}
	return nil
}

func writeList(out *bytes.Buffer, list starlark.Indexable) error {
	out.WriteByte('[')
	for i := range list.Len() {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := writeJSON(out, list.Index(i)); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
	}
	out.WriteByte(']')
	return nil
}
