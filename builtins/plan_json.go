package builtins

import (
	"encoding/binary"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
)

// planObjects is the plan as JSON: a list of objects, or one on each line.
type planObjects struct {
	*planBuffer
	lines bool
	host  string // that each line says it is from; "": it does not
	n     int
}

// operation begins an object.
func (p *planObjects) operation(name string) *layout.Facts {
	o := layout.NewFacts("change")
	if p.host != "" && p.lines {
		o.Add("host", starlark.String(p.host))
	}
	return o.Add("op", starlark.String(name))
}

func (p *planObjects) start(int) {
	if !p.lines {
		p.buf = append(p.buf, '[')
	}
}

func (p *planObjects) end() {
	if !p.lines {
		p.buf = append(p.buf, "]\n"...)
	}
}

func (p *planObjects) rest(int) {} // all are wanted

// changeNames are the operations on maps. What is written is told by its entries alone.
var changeNames = map[engine.ChangeOp]string{
	engine.Created: "create", engine.Pinned: "pin", engine.Unpinned: "unpin", engine.Frozen: "freeze", engine.Mounted: "mount",
}

func (p *planObjects) change(c *engine.Change, m *plannedMap) error {
	if c.Op == engine.Written {
		return nil
	}
	o := p.operation(changeNames[c.Op])
	if m != nil {
		m.identify(o)
	}
	switch c.Op {
	case engine.Created:
		if m.key != nil {
			o.Add("key_type", starlark.String(m.key.String()))
		}
		o.Add("value_type", starlark.String(m.value.Type.String())).
			Add("max_entries", number(m.info.MaxEntries)).
			Add("flags", number(m.info.Flags)).
			Add("map_extra", starlark.MakeUint64(m.info.MapExtra)).
			Add("gone", starlark.Bool(c.Gone))
	case engine.Pinned, engine.Unpinned, engine.Mounted:
		o.Add("path", starlark.String(c.Path))
		if c.Replaced != nil && c.Replaced.ID != c.Map.ID {
			o.Add("replaced", number(c.Replaced.ID))
		}
	}
	return p.object(o)
}

func (p *planObjects) entry(m *plannedMap, e engine.EntryChange) error {
	o := p.operation(entryNames[e.Op].name)
	m.identify(o)
	if len(e.Key) > 0 {
		o.Add("key", m.key.Decode(e.Key))
	}
	if e.Old != nil {
		o.Add("old", m.plain(e.Old))
	}
	if e.New != nil {
		o.Add("new", m.plain(e.New))
	}
	return p.object(o)
}

// identify adds which map it is. The id of one that is in the plan alone is no id of the kernel.
func (m *plannedMap) identify(o *layout.Facts) {
	o.Add("map", starlark.String(m.info.Name)).Add("id", number(m.info.ID)).Add("type", starlark.String(m.kind.Name))
}

// plain is a value; of a map of maps the id, since the map itself would be written with all its entries.
func (m *plannedMap) plain(b []byte) starlark.Value {
	if m.kind.Nests {
		return number(binary.NativeEndian.Uint32(b))
	}
	return m.value.Decode(b)
}

func (p *planObjects) object(o starlark.Value) error {
	b, err := render.JSON(o)
	if err != nil {
		return err
	}
	if p.n++; p.n > 1 && !p.lines {
		p.buf = append(p.buf, ",\n"...)
	}
	p.buf = append(p.buf, b...)
	if p.lines {
		p.buf = append(p.buf, '\n')
	}
	return p.over()
}
