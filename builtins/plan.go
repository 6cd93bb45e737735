package builtins

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
)

// planned is what the library knows of an engine that only plans.
type planned struct {
	changes func() ([]engine.Change, error)
	types   map[uint32]mapTypes // of the maps that scripts have opened, by id
	made    map[uint32]string   // the names of the maps that are in the plan alone
}

// mapTypes are the types that a script uses for a map. asked: it has said so itself.
type mapTypes struct {
	key, value *layout.Type
	asked      bool
}

// SetPlan says that the engine only plans, and where the plan comes from. It is called before maps are opened.
func (l *Library) SetPlan(changes func() ([]engine.Change, error)) {
	l.planned = &planned{changes, map[uint32]mapTypes{}, map[uint32]string{}}
}

// note keeps the types of a map. Those that a script has asked for are not replaced by the map's own.
func (p *planned) note(m *Map, asked bool) {
	if p != nil && (asked || !p.types[m.info.ID].asked) {
		p.types[m.info.ID] = mapTypes{m.key, m.value.Type, asked}
	}
}

// WritePlan writes what the scripts would have changed: text for people, or in the formats json and jsonl objects. It
// writes where show does.
func (l *Library) WritePlan() error {
	if l.planned == nil || l.display.Out == nil {
		return nil
	}
	changes, err := l.planned.changes()
	if err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	o := render.Options{}
	if l.display.Options != nil {
		o = l.display.Options()
	}
	for i := range changes {
		if c := &changes[i]; c.Op == engine.Created {
			l.planned.made[c.Map.ID] = c.Map.Name
		}
	}
	var w planWriter
	out := &planBuffer{w: l.display.Out}
	switch o.Format {
	case render.FormatJSON, render.FormatJSONL:
		w = &planObjects{planBuffer: out, lines: o.Format == render.FormatJSONL, host: o.Host}
	default:
		w = &planText{planBuffer: out}
	}
	w.start(len(changes))
	for i := range changes {
		if err := l.writeChange(w, &changes[i]); err != nil {
			return err
		}
	}
	w.end()
	return out.flush()
}

// planWriter writes a plan in one of its forms.
type planWriter interface {
	start(changes int)
	// change begins one, of a map whose types are known.
	change(c *engine.Change, m *plannedMap) error
	// entry is one of its entries. errEnough: the rest of them is not wanted.
	entry(m *plannedMap, e engine.EntryChange) error
	// rest says how many entries were not wanted.
	rest(n int)
	end()
}

// errEnough ends the entries of a map.
var errEnough = errors.New("enough")

func (l *Library) writeChange(w planWriter, c *engine.Change) error {
	var m *plannedMap
	if c.Map != nil {
		var err error
		if m, err = l.plannedMap(c); err != nil {
			return fmt.Errorf("plan: map id=%d: %w", c.Map.ID, err)
		}
	}
	if err := w.change(c, m); err != nil || c.Entries.Each == nil {
		return err
	}
	n := 0
	err := c.Entries.Each(m.inOrder(), func(e engine.EntryChange) error {
		err := w.entry(m, e)
		if err == nil {
			n++
		}
		return err
	})
	if err == errEnough {
		d := &c.Entries
		w.rest(d.Added + d.Changed + d.Removed + d.Pushed + d.Popped - n)
		err = nil
	}
	return err
}

// plannedMap is the map of a change, without an engine behind it, to decode what is in it.
type plannedMap struct {
	*Map
	made bool // it is in the plan alone
}

func (l *Library) plannedMap(c *engine.Change) (*plannedMap, error) {
	m := &Map{lib: l, info: c.Map, kind: engine.KindOf(c.Map.Type)}
	types, ok := l.planned.types[c.Map.ID]
	if !ok {
		var err error
		if types.key, types.value, err = defaultTypes(c.Map, c.Key, c.Value, l.types); err != nil {
			return nil, err
		}
	}
	m.value = layout.Slot{Type: types.value, CPUs: c.Map.CPUs}
	if m.kind.Keyed() {
		m.key = types.key
	}
	return &plannedMap{m, c.Spec != nil}, nil
}

// inOrder compares keys that are integers by what they count, and others by their bytes.
func (m *Map) inOrder() func(a, b []byte) int {
	if m.key == nil || len(m.integer(nil)) == 0 {
		return nil
	}
	one := make([]byte, m.info.KeySize)
	one[len(one)-1] = 1
	if m.integer(one) == "1" { // in network order
		return bytes.Compare
	}
	clear(one)
	one[0] = 1
	if m.integer(one) != "1" {
		return nil
	}
	last, sign := len(one)-1, byte(0)
	if m.integer(bytes.Repeat([]byte{0xff}, len(one))) == "-1" {
		sign = 0x80 // turned, negative numbers come first
	}
	return func(a, b []byte) int {
		if a[last] != b[last] {
			return cmp.Compare(a[last]^sign, b[last]^sign)
		}
		for i := last - 1; i >= 0; i-- {
			if a[i] != b[i] {
				return cmp.Compare(a[i], b[i])
			}
		}
		return 0
	}
}

// integer is the digits of a key; "" if it is no integer. nil is a key of zeros.
func (m *Map) integer(key []byte) string {
	if key == nil {
		key = make([]byte, m.info.KeySize)
	}
	if i, ok := m.key.Decode(key).(starlark.Int); ok {
		return i.String()
	}
	return ""
}

// entryNames are the operations on entries: as text, and as the objects of JSON name them.
var entryNames = map[engine.EntryOp]struct{ sign, name string }{
	engine.EntryAdded: {"+", "add"}, engine.EntryChanged: {"~", "change"}, engine.EntryRemoved: {"-", "remove"},
	engine.EntryPushed: {"push", "push"}, engine.EntryPopped: {"pop", "pop"},
}

// planBuffer gathers lines, and writes many at once.
type planBuffer struct {
	w   io.Writer
	buf []byte
	err error
}

// line adds a line that a terminal may have.
func (b *planBuffer) line(text string) {
	b.buf = append(append(b.buf, strings.ReplaceAll(render.Escape(text), "\n", `\n`)...), '\n')
}

// over writes what has come together, and is the error of writing.
func (b *planBuffer) over() error {
	const most = 1 << 16
	if len(b.buf) >= most {
		return b.flush()
	}
	return b.err
}

func (b *planBuffer) flush() error {
	if b.err == nil && len(b.buf) > 0 {
		_, b.err = b.w.Write(b.buf)
	}
	b.buf = b.buf[:0]
	return b.err
}
