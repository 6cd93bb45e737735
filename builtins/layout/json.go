package layout

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"

	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

// MarshalJSON writes the fields as an object, in order: integers exact, bytes as hexadecimal text. It is what
// json.encode(record) gives.
func (r *Record) MarshalJSON() ([]byte, error) { return marshal(r) }

// MarshalJSON writes the fields as an object, in order.
func (f *Facts) MarshalJSON() ([]byte, error) { return marshal(f) }

// MarshalJSON writes one element for each CPU.
func (p *PerCPU) MarshalJSON() ([]byte, error) { return marshal(p) }

func marshal(v starlark.Value) ([]byte, error) {
	var out bytes.Buffer
	err := writeJSON(&out, v)
	return out.Bytes(), err
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
		out.WriteString(v.String()) // as json.encode does: with a decimal point
	case starlark.Bytes:
		fmt.Fprintf(out, `"% x"`, string(v))
	case starlark.String:
		writeText(out, string(v))
	case fielded:
		return writeObject(out, items(v))
	case starlark.IterableMapping:
		return writeObject(out, v.Items())
	case starlark.Indexable:
		return writeList(out, v)
	default:
		writeText(out, v.String())
	}
	return nil
}

func writeText(out *bytes.Buffer, s string) {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.Encode(s) // of a string into a buffer: it cannot fail
	out.Truncate(out.Len() - len("\n"))
}

func writeObject(out *bytes.Buffer, items []starlark.Tuple) error {
	out.WriteByte('{')
	for i, kv := range items {
		if i > 0 {
			out.WriteByte(',')
		}
		name, ok := kv[0].(starlark.String)
		if !ok {
			return fmt.Errorf("JSON has no key %s", method.Describe(kv[0]))
		}
		writeText(out, string(name))
		out.WriteByte(':')
		if err := writeJSON(out, kv[1]); err != nil {
			return fmt.Errorf("field %s: %w", string(name), err)
		}
	}
	out.WriteByte('}')
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
