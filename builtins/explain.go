package builtins

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/runtime/method"
	"bpfsh/runtime/render"
)

// Help is what help(m) and m? print: what the map is, how its keys and values lie in memory, and the methods that its
// type has, a line each.
func (m *Map) Help() string {
	var sb strings.Builder
	sb.WriteString(m.kind.Name + " " + m.label())
	if m.info.Name != "" {
		fmt.Fprintf(&sb, " id=%d", m.info.ID)
	}
	fmt.Fprintf(&sb, "\n%s\n", method.Wrap(strings.Join(m.state(), ", "), 2))
	if m.key != nil {
		writeOutline(&sb, "key", m.key)
	}
	if m.value.Type.Size() > 0 {
		writeOutline(&sb, "value", m.value.Type)
	}
	entries := slices.DeleteFunc(m.Entries(), func(e method.Entry) bool { return e.Kind == "attribute" && e.Name != "kernel" })
	sb.WriteString("\n" + method.List(entries))
	return sb.String()
}

// state is what there is to say of the map beside its types. What cannot be found out is left out.
func (m *Map) state() []string {
	said := []string{m.filling()}
	if m.info.CPUs > 0 {
		said = append(said, fmt.Sprintf("a value for each of %d CPUs", m.info.CPUs))
	}
	if names := flagNames(m.info.Flags); names != "" {
		said = append(said, names)
	}
	if m.closed {
		return append(said, "closed")
	}
	if m.info.ReadOnly {
		said = append(said, "read-only here")
	}
	if frozen, err := m.raw.Frozen(); err == nil && frozen {
		said = append(said, "frozen")
	}
	key, value := m.raw.Types()
	switch lacks := m.lib.engine.Missing(engine.ReadingTypes); {
	case !m.info.BTF:
		said = append(said, "no BTF")
	case key == nil && value == nil && lacks != "":
		said = append(said, "its types are not read: this process lacks "+lacks)
	}
	return append(said, m.heldBy()...)
}

// filling is how much there is room for, and how much of that is taken where it is quickly found out.
func (m *Map) filling() string {
	room := entriesIn(int(m.info.MaxEntries))
	if unit := m.kind.Unit; unit != "" {
		room = render.Count(int(m.info.MaxEntries)) + " " + unit
		if m.info.MaxEntries != 1 {
			room += "s"
		}
	}
	if !m.closed {
		if n, ok := unconsumed(m.raw); ok {
			return fmt.Sprintf("%s of %s not consumed", render.Count(int(n)), room)
		}
	}
	if n, ok := m.filled(); ok {
		return render.Count(n) + " of " + room
	}
	return "room for " + room
}

// heldBy says what keeps the map beside this process. Where there is too much of it, the rest is for info().
func (m *Map) heldBy() (said []string) {
	held, err := m.lib.holders()
	if err != nil { // the pins of this handle are known all the same
		held.Pins.By = map[uint32][]string{m.info.ID: m.pins}
	}
	ascii := m.lib.display.Options != nil && m.lib.display.Options().ASCII
	for _, path := range held.Pins.By[m.info.ID] {
		said = append(said, "pinned at "+render.ListText([]string{path}, 0, ascii))
	}
	others := slices.DeleteFunc(held.Processes.By[m.info.ID], func(p engine.Process) bool { return p.PID == uint32(os.Getpid()) })
	const some = 60
	if names := processNames(others); len(names) > 0 {
		said = append(said, "open in "+render.ListText(names, some, ascii))
	}
	if names := programNames(held.Programs.By[m.info.ID]); len(names) > 0 {
		said = append(said, "used by "+render.ListText(names, some, ascii))
	}
	return said
}

// filled is the number of entries, where that is quickly found out.
func (m *Map) filled() (n int, ok bool) {
	const quick = 4096
	if m.closed || !m.kind.Keyed() || m.kind.Shape == engine.Indexed {
		return 0, false
	}
	if n, ok := m.counted(); ok {
		return n, true
	}
	if m.info.MaxEntries > quick {
		return 0, false
	}
	n, err := m.count(context.Background(), "help") // also where nothing runs
	return n, err == nil
}

// writeOutline shows a type beside its name.
func writeOutline(sb *strings.Builder, name string, t *layout.Type) {
	const indent = "\n          "
	fmt.Fprintf(sb, "  %-8s%s\n", name, strings.ReplaceAll(t.Outline(), "\n", indent))
}
