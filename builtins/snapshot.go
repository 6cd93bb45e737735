package builtins

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/runtime"
	"bpfsh/runtime/method"

	starlarktime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"
)

var snapshotFunctions = []method.Row[*Library]{{
	Name:   "snapshot",
	Params: "m",
	Doc: "All entries of a map as they are now, kept as bytes.\n" +
		"It is read like a map: s[key], key in s, len(s), items(), keys(), values(), and show, sum, top and update_batch take it. Each key that stays in the map meanwhile is " +
		"there once, however busy the map is; .complete says whether that is certain. The values of a map of maps are ids: {k: snapshot(inner) for k, inner in outer.items()} reads what is in them. " +
		"A queue and a stack have none, since they are read only by taking out.",
	Example: `before = snapshot(m)
m["10.0.0.1"] = (4, 240)
print(before["10.0.0.1"].packets, diff(before, m))
before.save("flows.jsonl.gz")`,
	Run: func(l *Library, c method.Call) (starlark.Value, error) {
		m, err := asMap(c.Args[0])
		if m == nil && err == nil {
			err = c.Bad("m", c.Args[0], "a map")
		}
		if err != nil {
			return nil, err
		}
		s, err := m.snapshot(runtime.Context(c.Thread), c.Name)
		if err != nil {
			return nil, err
		}
		return s, nil
	},
}, {
	Name:   "load_snapshot",
	Params: "path, max_bytes=1 << 30",
	Doc: "A snapshot that save has written to a file.\n" +
		"All of it is checked before it is there: a file that was cut, that does not fit itself, or that was edited in one place and not in the other, is an error that names the line. " +
		"max_bytes is the most room that its entries may take. In a line without key_hex or value_hex the key or value is taken as update takes it.",
	Example: `snapshot(m).save("flows.jsonl.gz")
s = load_snapshot("flows.jsonl.gz")
print(s.time, s.map.name, len(s), "entries")`,
	Run: (*Library).loadSnapshot,
}}

// Snapshot is the entries of a map at one time.
type Snapshot struct {
	m        *Map // what was read, without an engine behind it
	time     time.Time
	ktime    uint64 // what the machine's clock for programs said then; 0 if that is not known
	host     string
	complete bool
	restarts int
}

// snapshot reads all entries. op is what errors and the progress call it.
func (m *Map) snapshot(ctx context.Context, op string) (*Snapshot, error) {
	if !m.kind.Keyed() || !m.kind.Has("lookup_batch") {
		return nil, m.failAs(op, "lookup_batch", errNotForType)
	}
	s := &Snapshot{time: time.Now(), complete: true}
	s.ktime, _ = m.lib.engine.Clock() // 0 where nobody tells it
	s.host, _ = os.Hostname()
	entries := engine.NewEntries(m.info, m.total())
	s.m = m.detached(entries)
	walk := engine.NewAhead(m.raw, 0)
	err := m.eachOf(ctx, op, m.task(ctx, op, m.total), walk, func(b engine.Batch) error {
		entries.Append(b)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.restarts = walk.Restarts()
	if !walk.Exact() {
		err = s.again(ctx, op, m)
	}
	return s, err
}

// again reads a map a second time that cannot be read bucket by bucket: what was passed over the first time, because
// something beside it went away in that moment, is found now. It may also be new, which nobody can tell: either says that
// the reading is not certain.
func (s *Snapshot) again(ctx context.Context, op string, m *Map) error {
	entries, walk := s.m.held, engine.NewAhead(m.raw, 0)
	k, v, at := int(m.info.KeySize), m.info.Stride(), -1
	err := m.eachOf(ctx, op, m.task(ctx, op, m.total), walk, func(b engine.Batch) error {
		for i := range b.N {
			key := b.Keys[i*k : (i+1)*k]
			if at = entries.Find(key, at+1); at >= 0 {
				continue
			}
			entries.Add(key, b.Values[i*v:(i+1)*v])
			s.complete = false
		}
		return nil
	})
	s.restarts += walk.Restarts()
	s.complete = s.complete && s.restarts == 0
	return err
}

// detached is the map without an engine behind it, to decode entries that were read.
func (m *Map) detached(entries *engine.Entries) *Map {
	return &Map{
		lib: m.lib, thread: m.thread, info: m.info, kind: m.kind, key: m.key, value: m.value, held: entries,
		keyBuf: make([]byte, m.info.KeySize), valueBuf: make([]byte, m.info.Stride()),
	}
}

// heldWalk gives entries that are in memory.
type heldWalk struct {
	entries *engine.Entries
	k, v    int
	at      int
}

func (w *heldWalk) Next() (engine.Batch, error) {
	const size = 4096
	n := min(size, w.entries.N-w.at)
	if n == 0 {
		return engine.Batch{}, io.EOF
	}
	from, to := w.at, w.at+n
	w.at = to
	return engine.Batch{Keys: w.entries.Keys[from*w.k : to*w.k], Values: w.entries.Values[from*w.v : to*w.v], N: n}, nil
}

var snapshotTable = method.NewTable("snapshot", snapshotAttrs, snapshotMethods)

var snapshotAttrs = []method.Attr[*Snapshot]{{
	Name: "map",
	Doc:  "The map that a snapshot is of: a record of what it was.\nIt has id, name, type, the sizes, max_entries, flags, map_extra, key_type and value_type.",
	Get:  func(s *Snapshot) (starlark.Value, error) { return s.identity(), nil },
}, {
	Name: "time",
	Doc:  "When the snapshot was begun.",
	Get:  func(s *Snapshot) (starlark.Value, error) { return starlarktime.Time(s.time), nil },
}, {
	Name: "ktime",
	Doc:  "What ktime() was when the snapshot was begun.",
	Get:  func(s *Snapshot) (starlark.Value, error) { return starlark.MakeUint64(s.ktime), nil },
}, {
	Name: "host",
	Doc:  "The name of the machine that the map was on.",
	Get:  func(s *Snapshot) (starlark.Value, error) { return starlark.String(s.host), nil },
}, {
	Name: "complete",
	Doc:  "Whether each key that stayed in the map is certainly in the snapshot.\nHashes and arrays are always read so; a trie is if nothing came or went meanwhile.",
	Get:  func(s *Snapshot) (starlark.Value, error) { return starlark.Bool(s.complete), nil },
}, {
	Name: "restarts",
	Doc:  "How often the kernel began anew, since a key that it was at had gone.",
	Get:  func(s *Snapshot) (starlark.Value, error) { return starlark.MakeInt(s.restarts), nil },
}}

var snapshotMethods = []method.Row[*Snapshot]{{
	Name:    "keys",
	Doc:     "All keys of a snapshot, in the order in which the map gave them.",
	Example: `gone = [key for key in snapshot(m).keys() if key not in m]`,
	Run:     func(s *Snapshot, c method.Call) (starlark.Value, error) { return &entries{s.m, c.Name}, nil },
}, {
	Name:    "values",
	Doc:     "All values of a snapshot, in the order of its keys.",
	Example: `sum(snapshot(m).values(), by="bytes")`,
	Run:     func(s *Snapshot, c method.Call) (starlark.Value, error) { return &entries{s.m, c.Name}, nil },
}, {
	Name: "items",
	Doc:  "All (key, value) pairs of a snapshot.",
	Example: `for address, flow in top(snapshot(m).items(), 10, by="bytes"):
    print(address, flow.bytes)`,
	Run: func(s *Snapshot, c method.Call) (starlark.Value, error) { return &entries{s.m, c.Name}, nil },
}, {
	Name:    "lookup",
	Params:  "key, default=None",
	Doc:     "The value under key in a snapshot, or default where there is none.",
	Example: `snapshot(m).lookup("10.0.0.9", default=(0, 0))`,
	Run: func(s *Snapshot, c method.Call) (starlark.Value, error) {
		v, found, err := s.find(c.Name, c.Args[0])
		if err != nil || found {
			return v, err
		}
		return c.Or(1, starlark.None), nil
	},
}, {
	Name:   "save",
	Params: "path",
	Doc: "Write a snapshot to a file, and return the number of entries.\n" +
		"It is JSON lines: what the map was, then a line for each entry, with key and value as --format jsonl writes them and their bytes, key_hex and value_hex, so that nothing is lost; " +
		"the last line has the count. A path that ends in .gz is compressed. The file is there when all of it is written, and not before. It is written under --readonly and --dry-run too, which are about maps, and then has what the script sees.",
	Example: `snapshot(m).save("flows.jsonl")
snapshot(m).save("flows.jsonl.gz")    # zcat flows.jsonl.gz | jq .key`,
	Run: (*Snapshot).save,
}}

// identity is what the map was.
func (s *Snapshot) identity() *layout.Facts {
	m, facts := s.m, layout.NewFacts("map")
	for _, name := range strings.Fields("id name type key_size value_size max_entries flags key_type value_type") {
		i := slices.IndexFunc(mapAttrs, func(a method.Attr[*Map]) bool { return a.Name == name })
		v, err := mapAttrs[i].Get(m)
		if err == nil { // none of these asks the kernel
			facts.Add(name, v)
		}
	}
	facts.Add("map_extra", starlark.MakeUint64(m.info.MapExtra))
	if m.info.CPUs > 0 {
		facts.Add("cpus", starlark.MakeInt(m.info.CPUs))
	}
	return facts
}

// find is the value under a key.
func (s *Snapshot) find(op string, key starlark.Value) (v starlark.Value, found bool, err error) {
	k, err := s.m.encodeKey(op, key)
	if err != nil {
		return nil, false, s.own(err)
	}
	at := s.m.held.Find(k, s.m.held.N)
	if at < 0 {
		return nil, false, nil
	}
	return s.m.decodeValue(s.m.held.Value(at)), true, nil
}

// own takes the map out of an error: there is none that a script could use.
func (s *Snapshot) own(err error) error {
	if e, ok := err.(*Error); ok && e.Map == s.m {
		of := *e
		of.Map, of.Where = nil, "snapshot of "+s.m.label()
		return &of
	}
	return err
}

// String says what the snapshot is of, and how many entries it has.
func (s *Snapshot) String() string {
	return fmt.Sprintf("<snapshot of %s: %s>", s.m.String()[1:len(s.m.String())-1], entriesIn(s.m.held.N))
}
