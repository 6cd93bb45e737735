package builtins

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"slices"
	"strings"

	"go.starlark.net/starlark"
)

// entry reads the line of an entry.
func (f *snapshotFile) entry(line []byte) error {
	key, value, err := f.parse(line)
	if err != nil {
		return err
	}
	held := f.m.held
	if size := uint64(len(held.Keys) + len(held.Values) + len(key) + len(value)); size > f.limit {
		return f.tooLarge()
	}
	if n := f.m.info.MaxEntries; n > 0 && uint64(held.N) == uint64(n) {
		return fmt.Errorf("there are more entries than map.max_entries, %d", n)
	}
	const header = 1
	if at, added := held.Add(key, value); !added {
		return fmt.Errorf("key %s is in line %d already", shorten(f.m.key.Decode(key).String()), at+1+header)
	}
	return nil
}

// parse finds the bytes of an entry in its line. They are good until the next call.
//
// A line as it was written ends in the bytes, and begins with what these decode to. Any other is read as JSON.
func (f *snapshotFile) parse(line []byte) (key, value []byte, err error) {
	k, v := len(f.m.keyBuf), len(f.m.valueBuf)
	tail := len(keyHex) + 2*k + len(valueHex) + 2*v + len(`"}`)
	if len(line) > tail {
		at := len(line) - tail + len(keyHex)
		hexKey, hexValue := line[at:at+2*k], line[len(line)-2*v-len(`"}`):len(line)-len(`"}`)]
		if n, err := hex.Decode(f.m.keyBuf, hexKey); err == nil && n == k {
			if n, err := hex.Decode(f.m.valueBuf, hexValue); err == nil && n == v {
				written, err := f.lines.line(f.m.keyBuf, f.m.valueBuf)
				if err == nil && bytes.Equal(written[:len(written)-1], line) {
					return f.m.keyBuf, f.m.valueBuf, nil
				}
			}
		}
	}
	fields, err := objectFields(line)
	if err != nil {
		return nil, nil, err
	}
	for name := range fields {
		switch name {
		case "key", "value", "key_hex", "value_hex":
		default:
			return nil, nil, fmt.Errorf("got %s, want key and value, or key_hex and value_hex", quoted(name))
		}
	}
	key, err = f.part(fields, "key", k, func(b []byte, v starlark.Value) error {
		key, err := f.m.encodeKey("key", v)
		copy(b, key)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	value, err = f.part(fields, "value", v, func(b []byte, v starlark.Value) error { return f.m.value.Encode(b, v) })
	return key, value, err
}

// part is the bytes of a key or a value: those that its hexadecimal digits say, which what people read has to agree
// with, or those that it encodes to.
func (f *snapshotFile) part(fields map[string]json.RawMessage, name string, size int, encode func([]byte, starlark.Value) error) ([]byte, error) {
	text, digits := fields[name], fields[name+"_hex"]
	if text == nil && digits == nil {
		return nil, fmt.Errorf("it has no %s and no %s_hex", name, name)
	}
	var encoded []byte
	var unfit error
	if text != nil {
		v, err := fromJSON(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		b := make([]byte, size)
		if unfit = encode(b, v); unfit == nil {
			encoded = b
		}
	}
	if digits == nil {
		if unfit != nil {
			return nil, fmt.Errorf("%s: %w; %s_hex can give its bytes", name, withoutMap(unfit), name)
		}
		return encoded, nil
	}
	raw, err := unhex(digits, size)
	if err != nil {
		return nil, fmt.Errorf("%s_hex: %w", name, err)
	}
	if text == nil || bytes.Equal(raw, encoded) {
		return raw, nil
	}
	// What does not encode to its bytes, such as what stands for an odd NaN, is as they decode.
	same, err := f.says(name, raw, text)
	if err != nil {
		return nil, err
	}
	if !same {
		return nil, fmt.Errorf("%s and %s_hex do not say the same: one of them was edited; without %[2]s_hex, %[1]s holds", name, name)
	}
	return raw, nil
}

// withoutMap is an error of encoding a key, without what the line says anyway.
func withoutMap(err error) error {
	if e, ok := err.(*Error); ok {
		return errors.New(strings.TrimPrefix(e.Err.Error(), "key: "))
	}
	return err
}

// says says whether bytes decode to what a text says.
func (f *snapshotFile) says(name string, raw []byte, text json.RawMessage) (bool, error) {
	key, value := make([]byte, len(f.m.keyBuf)), make([]byte, len(f.m.valueBuf))
	if name == "key" {
		key = raw
	} else {
		value = raw
	}
	line, err := f.lines.line(key, value)
	if err != nil {
		return false, err
	}
	fields, err := objectFields(line[:len(line)-1])
	if err != nil {
		return false, err
	}
	want, err := canonical(fields[name])
	if err != nil {
		return false, err
	}
	got, err := canonical(text)
	return bytes.Equal(got, want), err
}

// canonical is a JSON value with its fields in one order, and its numbers as they are.
func canonical(text json.RawMessage) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, unreadable(err)
	}
	return json.Marshal(v)
}

func unhex(digits json.RawMessage, size int) ([]byte, error) {
	var text string
	if err := json.Unmarshal(digits, &text); err != nil {
		return nil, errors.New("want a text of hexadecimal digits")
	}
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil || len(b) != size {
		return nil, fmt.Errorf("got %s, want %d bytes in hexadecimal", quoted(text), size)
	}
	return b, nil
}

// objectFields are the fields of an object, each of which is there once.
func objectFields(line []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("it is no JSON object")
	}
	fields := map[string]json.RawMessage{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, unreadable(err)
		}
		name := t.(string) // of an object, what is not its end is a name
		if fields[name] != nil {
			return nil, fmt.Errorf("it has two of %s", quoted(name))
		}
		var text json.RawMessage
		if err := d.Decode(&text); err != nil {
			return nil, unreadable(err)
		}
		fields[name] = text
	}
	if _, err := d.Token(); err != nil {
		return nil, unreadable(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows the object")
	}
	return fields, nil
}

// fromJSON is a JSON value as a script would write it: numbers exact.
func fromJSON(text json.RawMessage) (starlark.Value, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, unreadable(err)
	}
	return fromAny(v)
}

func fromAny(v any) (starlark.Value, error) {
	switch v := v.(type) {
	case nil:
		return starlark.None, nil
	case bool:
		return starlark.Bool(v), nil
	case string:
		return starlark.String(v), nil
	case json.Number:
		if len(v) > 100 {
			return nil, errors.New("a number has too many digits")
		}
		if n, ok := new(big.Int).SetString(string(v), 10); ok {
			return starlark.MakeBigInt(n), nil
		}
		f, err := v.Float64()
		if err != nil {
			return nil, fmt.Errorf("%s is out of range for a float", v)
		}
		return starlark.Float(f), nil
	case []any:
		list := make(starlark.Tuple, len(v))
		for i := range v {
			var err error
			if list[i], err = fromAny(v[i]); err != nil {
				return nil, err
			}
		}
		return list, nil
	case map[string]any:
		dict := starlark.NewDict(len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) { // the same error each time
			value, err := fromAny(v[name])
			if err == nil {
				err = dict.SetKey(starlark.String(name), value)
			}
			if err != nil {
				return nil, err
			}
		}
		return dict, nil
	default:
		return nil, fmt.Errorf("JSON has no %T", v)
	}
}
