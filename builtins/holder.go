package builtins

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
)

// holders looks for what holds maps.
func (l *Library) holders() (h engine.Holders, err error) {
	err = l.retry(func() error {
		h, err = l.engine.Holders()
		return err
	})
	return h, err
}

// held says that a map's one pin, at path, is all that is seen to hold it beside this process.
func (l *Library) held(id uint32, path string) bool {
	h, err := l.holders()
	if err != nil {
		return false
	}
	others := slices.ContainsFunc(h.Processes.By[id], func(p engine.Process) bool { return p.PID != uint32(os.Getpid()) })
	return !others && len(h.Programs.By[id]) == 0 && slices.Equal(h.Pins.By[id], []string{path})
}

// room is how wide the cells of lists and types are in a table.
const room = 24

// addHolders adds to a record what holds the map.
func addHolders(facts *layout.Facts, id uint32, held *engine.Holders) {
	pins, known := held.Pins.Of(id)
	paths := make([]string, len(pins))
	list := make(starlark.Tuple, len(pins))
	for i, path := range pins {
		paths[i], list[i] = path, starlark.String(path)
	}
	addList(facts, "pins", list, known, paths, yieldsPins)
	processes, known := held.Processes.Of(id)
	list = make(starlark.Tuple, len(processes))
	for i, p := range processes {
		list[i] = layout.NewFacts("process").Add("pid", number(p.PID)).Add("comm", starlark.String(p.Comm))
	}
	addList(facts, "processes", list, known, processNames(processes), yieldsProcesses)
	programs, known := held.Programs.Of(id)
	list = make(starlark.Tuple, len(programs))
	for i, p := range programs {
		list[i] = layout.NewFacts("program").Add("id", number(p.ID)).Add("name", starlark.String(p.Name)).
			Add("type", starlark.String(engine.ProgramType(p.Type)))
	}
	addList(facts, "programs", list, known, programNames(programs), yieldsPrograms)
}

func addList(facts *layout.Facts, name string, list starlark.Tuple, known bool, texts []string, yield int) {
	var v starlark.Value = list
	if !known {
		v = starlark.None
	}
	facts.AddSeen(name, v, layout.Seen{Yield: yield, Value: render.Drawn{Value: v, Room: room, Draw: func(room int, ascii bool) string {
		if !known {
			return render.Gap(ascii)
		}
		return render.ListText(texts, room, ascii)
	}}})
}

func processNames(processes []engine.Process) []string {
	names := make([]string, len(processes))
	for i, p := range processes {
		names[i] = fmt.Sprintf("%s(%d)", p.Comm, p.PID)
	}
	return names
}

func programNames(programs []engine.Program) []string {
	names := make([]string, len(programs))
	for i, p := range programs {
		names[i] = fmt.Sprintf("%s(%d)", p.Name, p.ID)
	}
	return names
}

// drawnType is a type; where it is too long, one that has a name is that name.
func drawnType(t starlark.Value) starlark.Value {
	return render.Drawn{Value: t, Room: room, Draw: func(room int, ascii bool) string {
		if typ, ok := t.(*layout.Type); !ok || typ.Size() == 0 {
			return ""
		}
		text := t.String()
		if title, _, _ := strings.Cut(text, " {"); room > 0 && len(text) > room && strings.Contains(title, " ") {
			text = title
		}
		return render.ListText([]string{text}, room, ascii)
	}}
}
