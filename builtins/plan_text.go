package builtins

import (
	"encoding/binary"
	"fmt"
	"strings"

	"bpfsh/builtins/engine"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
)

// planText is the plan for people.
type planText struct {
	*planBuffer
	n int // entries of this map
}

func (p *planText) start(changes int) {
	if changes == 0 {
		p.line("plan: nothing would change")
	}
}

// maxPlanned is the most entries of a map that people are shown.
const maxPlanned = render.Limit

func (p *planText) change(c *engine.Change, m *plannedMap) error {
	p.n = 0
	switch c.Op {
	case engine.Created:
		p.line("plan: create " + m.described() + counted(&c.Entries) + gone(c))
	case engine.Written:
		p.line("plan: " + m.label() + counted(&c.Entries))
	case engine.Pinned:
		replaced := ""
		if c.Replaced != nil && c.Replaced.ID != c.Map.ID {
			replaced = fmt.Sprintf(", in place of id %d", c.Replaced.ID)
		}
		p.line("plan: pin " + m.label() + " at " + c.Path + replaced)
	case engine.Unpinned:
		if m == nil {
			p.line("plan: unpin " + c.Path)
			break
		}
		p.line("plan: unpin " + m.label() + " from " + c.Path)
	case engine.Mounted:
		p.line("plan: mount a bpffs at " + c.Path)
	case engine.Frozen:
		p.line("plan: freeze " + m.label())
	}
	return p.over()
}

func (p *planText) entry(m *plannedMap, e engine.EntryChange) error {
	if p.n == maxPlanned {
		return errEnough
	}
	p.n++
	text := "  " + entryNames[e.Op].sign
	if len(e.Key) > 0 {
		text += " " + m.key.Decode(e.Key).String()
	}
	switch e.Op {
	case engine.EntryAdded:
		text += " -> " + m.text(e.New)
	case engine.EntryChanged:
		text += " " + m.text(e.Old) + " -> " + m.text(e.New)
	case engine.EntryPushed:
		text += " " + m.text(e.New)
	case engine.EntryPopped:
		text += " " + m.text(e.Old)
	}
	p.line(text)
	return p.over()
}

func (p *planText) rest(n int) { p.line(fmt.Sprintf("  ... %s more", render.Count(n))) }
func (p *planText) end()       {}

// label names the map, and its id where there is one that others know.
func (m *plannedMap) label() string {
	if m.info.Name == "" || m.made {
		return m.Map.label()
	}
	return fmt.Sprintf("%s (id %d)", m.Map.label(), m.info.ID)
}

// described is the map as create would be told it.
func (m *plannedMap) described() string {
	text := m.kind.Name
	if m.info.Name != "" {
		text += " " + starlark.String(m.info.Name).String()
	} else {
		text += fmt.Sprintf(" id=%d", m.info.ID)
	}
	if m.key != nil {
		text += " key=" + m.key.String()
	}
	if m.value.Type.Size() > 0 {
		text += " value=" + m.value.Type.String()
	}
	text += fmt.Sprintf(" max_entries=%d", m.info.MaxEntries)
	if flags := m.info.Flags &^ m.kind.Flags; flags != 0 {
		text += fmt.Sprintf(" flags=%#x", flags)
	}
	return text
}

// text is a value as a script would write it; a map by its name where only the plan has it.
func (m *plannedMap) text(b []byte) string {
	if m.kind.Nests {
		if name := m.lib.planned.made[binary.NativeEndian.Uint32(b)]; name != "" {
			return "map " + starlark.String(name).String()
		}
	}
	return m.decodeValue(b).String()
}

// counted is ": 1 added, 2 removed"; "" where there is nothing.
func counted(d *engine.Difference) string {
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{{d.Added, "added"}, {d.Changed, "changed"}, {d.Removed, "removed"}, {d.Pushed, "pushed"}, {d.Popped, "popped"}} {
		if part.n > 0 {
			parts = append(parts, render.Count(part.n)+" "+part.what)
		}
	}
	if parts == nil {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}

func gone(c *engine.Change) string {
	if c.Gone {
		return " (closed again, and nothing holds it)"
	}
	return ""
}
