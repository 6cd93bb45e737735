package builtins

import (
	"errors"
	"fmt"
	"path"
	"slices"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/runtime"
	"bpfsh/runtime/method"
	"bpfsh/runtime/render"

	"github.com/cilium/ebpf/btf"
	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"
)

var mapsFunctions = []method.Row[*Library]{{
	Name:   "maps",
	Params: "name=None, type=None, count=False, pid=None, program=None",
	Doc: "Every map on the system, a list of records ordered by id.\n" +
		"name is a pattern such as \"cilium_*\", type a map type, pid a process that has the map open, program the id, the name or the pin of one " +
		"that uses it; they choose among the maps. full is the share of the entries that are taken (from 0 to 1), and memory is in bytes; of a ringbuf max_entries is in bytes too. " +
		"processes, programs and pins are what holds the map. What is not known, or not for this user to see, is None: full of a map that cannot run " +
		"full, such as an array, and entries where the kernel does not tell them. With count these are counted by a walk, as count() does, where they " +
		"are no more than a million, and unconsumed is how many bytes of a ringbuf are not consumed, full their share.",
	Example: `show(maps("flow*", type="hash", count=True))
show(sorted(maps(), key=lambda map: map.memory, reverse=True)[:5])
[m.name for m in maps() if m.full and m.full > 0.9 and not m.evicting]
[m.id for m in maps() if m.processes == () and m.programs == ()]`,
	Run: (*Library).maps,
}}

func (l *Library) maps(c method.Call) (starlark.Value, error) {
	chosen, err := l.chosenMaps(c)
	if err != nil {
		return nil, err
	}
	count, err := c.Bool(2, "count")
	if err != nil {
		return nil, err
	}
	chosen.listing.walk = count
	list := []starlark.Value{}
	err = l.each(c, func(info *engine.Info, m engine.Map) error {
		if !chosen.has(info) {
			return nil
		}
		facts, err := chosen.listing.record(m)
		if err != nil {
			return newError(Error{Op: c.Name, Where: fmt.Sprintf("map id=%d", info.ID), Count: -1, Err: err, lib: l})
		}
		list = append(list, facts)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return starlark.NewList(list), nil
}

// choice is which maps are wanted.
type choice struct {
	pattern, typ string
	pid, program *uint32 // nil: any
	listing      *listing
}

func (w *choice) has(info *engine.Info) bool {
	if ok, _ := path.Match(w.pattern, info.Name); !ok || w.typ != "" && w.typ != engine.KindOf(info.Type).Name {
		return false
	}
	held := &w.listing.holders
	if w.pid != nil && !slices.ContainsFunc(held.Processes.By[info.ID], func(p engine.Process) bool { return p.PID == *w.pid }) {
		return false
	}
	return w.program == nil || slices.ContainsFunc(held.Programs.By[info.ID], func(p engine.Program) bool { return p.ID == *w.program })
}

// chosenMaps reads which maps are wanted, and looks for what holds maps.
func (l *Library) chosenMaps(c method.Call) (w *choice, err error) {
	w = &choice{pattern: "*"}
	if given(c, 0) {
		if w.pattern, err = c.String(0, "name"); err != nil {
			return nil, err
		}
		if _, err := path.Match(w.pattern, ""); err != nil {
			return nil, c.Bad("name", c.Args[0], `a pattern such as "cilium_*"`)
		}
	}
	if given(c, 1) {
		if w.typ, err = c.String(1, "type"); err != nil {
			return nil, err
		}
		if _, ok := engine.TypeByName(w.typ); !ok {
			return nil, fmt.Errorf("%s: no map type %s%s", c.Name, c.Args[1], method.DidYouMean(w.typ, engine.TypeNames()))
		}
	}
	if given(c, 3) {
		pid, err := c.Uint32(3, "pid")
		if err != nil {
			return nil, err
		}
		if pid == 0 || pid > 1<<31-1 {
			return nil, c.Bad("pid", c.Args[3], "the id of a process")
		}
		w.pid = &pid
	}
	if given(c, 4) {
		h, err := l.program(c.Thread, c.Args[4])
		if err != nil {
			return nil, failed(c.Name, "program", err)
		}
		id := h.(identified).id
		w.program = &id
		h.Close()
	}
	if w.listing, err = l.listing(c); err != nil {
		return nil, err
	}
	if w.pid != nil {
		err = l.checkProcess(c, *w.pid, &w.listing.holders)
	}
	return w, err
}

// checkProcess says why no maps of a process can be told.
func (l *Library) checkProcess(c method.Call, pid uint32, held *engine.Holders) error {
	for _, list := range held.Processes.By {
		if slices.ContainsFunc(list, func(p engine.Process) bool { return p.PID == pid }) {
			return nil
		}
	}
	err := error(unix.EACCES)
	if !slices.Contains(held.Hidden, pid) {
		h, gone := l.engine.Process(pid)
		if gone == nil {
			return h.Close()
		}
		err = gone
	}
	return newError(Error{Op: c.Name, Where: fmt.Sprintf("process %d", pid), Count: -1, Err: err, lib: l})
}

// listing is what the records of many maps have in common.
type listing struct {
	lib     *Library
	call    method.Call
	holders engine.Holders
	counts  map[uint32]int
	walk    bool // count what the kernel does not tell
}

func (l *Library) listing(c method.Call) (*listing, error) {
	list := &listing{lib: l, call: c}
	var err error
	if list.holders, err = l.holders(); err != nil {
		return nil, newError(Error{Op: c.Name, Count: -1, Err: err, lib: l})
	}
	list.counts, _ = l.engine.Counts() // where the kernel does not tell, they are not known
	return list, nil
}

// Which columns leave a table of maps that is too wide, the first ones last.
const (
	yieldsType = iota + 1
	yieldsMemory
	yieldsMax
	yieldsProcesses
	yieldsPins
	yieldsPrograms
	yieldsKey
	yieldsValue
)

// record is what there is to say of a map.
func (list *listing) record(m engine.Map) (*layout.Facts, error) {
	info := m.Info()
	kind := engine.KindOf(info.Type)
	frozen, err := m.Frozen()
	if err != nil {
		return nil, err
	}
	memory, err := m.Memory()
	if err != nil {
		return nil, err
	}
	entries, err := entriesOf(runtime.Context(list.call.Thread), m, list.counts, list.walk)
	if err != nil {
		return nil, err
	}
	key, value := list.lib.typesOf(m)
	taken, left := entries, starlark.Value(starlark.None)
	if list.walk {
		if n, ok := unconsumed(m); ok {
			left = starlark.MakeUint64(n)
			taken = left
		}
	}
	most := starlark.Value(number(info.MaxEntries))
	if kind.Unit == engine.Bytes {
		most = drawnSize(uint64(info.MaxEntries))
	}
	f := fullness{kind: kind, entries: taken, most: info.MaxEntries, frozen: frozen}
	facts := layout.NewFacts("map").
		Add("id", number(info.ID)).
		Add("name", starlark.String(info.Name)).
		AddSeen("type", starlark.String(kind.Name), layout.Seen{Yield: yieldsType}).
		AddSeen("key_type", key, layout.Seen{Value: drawnType(key), Yield: yieldsKey}).
		AddSeen("value_type", value, layout.Seen{Value: drawnType(value), Yield: yieldsValue}).
		AddSeen("key_size", number(info.KeySize), layout.Seen{Hidden: true}).
		AddSeen("value_size", number(info.ValueSize), layout.Seen{Hidden: true}).
		AddSeen("entries", entries, layout.Seen{Value: f.drawnEntries()}).
		AddSeen("max_entries", number(info.MaxEntries), layout.Seen{Head: "max", Value: most, Yield: yieldsMax}).
		AddSeen("full", f.share(), layout.Seen{Value: f.drawn()}).
		AddSeen("evicting", starlark.Bool(kind.Evicts), layout.Seen{Hidden: true}).
		AddSeen("memory", starlark.MakeUint64(memory), layout.Seen{Value: drawnSize(memory), Yield: yieldsMemory}).
		AddSeen("frozen", starlark.Bool(frozen), layout.Seen{Hidden: true}).
		AddSeen("flags", number(info.Flags), layout.Seen{Hidden: true})
	addHolders(facts, info.ID, &list.holders)
	return facts.AddSeen("unconsumed", left, layout.Seen{Hidden: true}), nil
}

// typesOf are the types of a map's keys and values as its handle would have them; None where there are none.
func (l *Library) typesOf(m engine.Map) (key, value starlark.Value) {
	info := m.Info()
	ownKey, ownValue := m.Types()
	k, v, err := defaultTypes(info, ownKey, ownValue, l.types)
	if err != nil || k != nil && k.Size() != int(info.KeySize) || v.Size() != int(info.ValueSize) {
		// Types that do not fit are no use.
		if k, v, err = defaultTypes(info, btf.Type(nil), nil, l.types); err != nil {
			return starlark.None, starlark.None
		}
	}
	key, value = starlark.None, v
	if info.ValueSize == 0 {
		value = starlark.None
	}
	if k != nil && engine.KindOf(info.Type).Keyed() {
		key = k
	}
	return key, value
}

// failed is an error of what an argument stands for.
func failed(op, arg string, err error) error {
	if unopened, ok := errors.AsType[*Error](err); ok {
		again := *unopened
		again.Op = op
		return newError(again)
	}
	return fmt.Errorf("%s: %s: %w", op, arg, err)
}

// addSize adds a number of bytes to a record.
func addSize(facts *layout.Facts, name string, bytes uint64) {
	facts.AddSeen(name, starlark.MakeUint64(bytes), layout.Seen{Value: drawnSize(bytes)})
}

func drawnSize(bytes uint64) starlark.Value {
	return render.Drawn{Value: starlark.MakeUint64(bytes), Number: true, Draw: func(int, bool) string { return render.Size(bytes) }}
}
