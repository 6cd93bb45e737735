package layout

import (
	"strings"

	"go.starlark.net/starlark"
)

// Shown is what people see of v, which t decoded: v itself, or a value that is written as what v stands for: a time,
// the name of an interface, an address in hexadecimal. A number that should have a name and has none gets a "?".
//
// It is for text alone. A record stays one that has Fields and Field, with each of them as it is shown.
func (t *Type) Shown(v starlark.Value) starlark.Value {
	if print := t.printer(); print != nil {
		return labelled{v, print(v)}
	}
	if !t.shows() {
		return v
	}
	switch v := v.(type) {
	case starlark.Int:
		if t.shown {
			return labelled{v, t.label(v)}
		}
	case *Record:
		if v.rt.typ.shows() {
			return shownRecord{v}
		}
	case starlark.Tuple:
		if array, ok := t.codec.(arrayCodec); ok {
			return labelled{v, array.elem.list("", v)}
		}
	}
	return v
}

// shows says whether people may see something else than v of some value v: of the type, or of a part of it.
func (t *Type) shows() bool { return t.shown || t.host.printing() }

// Shown is what people see of a value under one key.
func (s Slot) Shown(v starlark.Value) starlark.Value {
	if p, ok := v.(*PerCPU); ok {
		return p.Shown()
	}
	return s.Type.Shown(v)
}

// Shown is what people see of the record.
func (r *Record) Shown() starlark.Value { return r.rt.typ.Shown(r) }

// label is the text of a number that has a hint, or a "?" for one that has no name among those of its type.
func (t *Type) label(v starlark.Int) string {
	if t.hint != nil {
		if text, ok := t.hint.show(t, v); ok {
			return text
		}
	}
	return v.String() + "?"
}

// list writes values of the type as a tuple is written.
func (t *Type) list(word string, values starlark.Tuple) string {
	var sb strings.Builder
	sb.WriteString(word + "(")
	for i, v := range values {
		if i > 0 {
			sb.WriteString(", ")
		}
		sb.WriteString(t.Shown(v).String())
	}
	if len(values) == 1 {
		sb.WriteByte(',')
	}
	return sb.String() + ")"
}

// labelled is a value with a text of its own.
type labelled struct {
	starlark.Value
	text string
}

func (l labelled) String() string { return l.text }

// shownRecord is a record whose fields are as they are shown.
type shownRecord struct{ *Record }

func (r shownRecord) Field(i int) starlark.Value { return r.rt.fields[i].typ.Shown(r.Record.Field(i)) }

func (r shownRecord) String() string {
	return r.write(func(i int) string { return r.Field(i).String() })
}
