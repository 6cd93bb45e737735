package builtins

import (
	"encoding/binary"
	"fmt"
	"slices"
	"weak"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/runtime"
	"bpfsh/runtime/method"

	"github.com/cilium/ebpf/btf"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
	"golang.org/x/sys/unix"
)

// Map is an open map in the hands of a script.
type Map struct {
	lib     *Library
	thread  *starlark.Thread // the session's one thread, on which iterators raise their errors
	raw     engine.Map
	info    *engine.Info
	kind    *engine.Kind
	key     *layout.Type // nil where there are no keys
	value   layout.Slot
	guessed struct{ key, value bool } // the types are by the sizes alone
	pins    []string                  // that this handle has made
	closed  bool
	made    int          // about how much memory the map takes, if this handle has made it
	created uint32       // flags this handle was made with: some of them hold for a handle, not for the map
	inner   *engine.Spec // what the values of a map of maps must be like; nil if it is not known

	keyBuf, valueBuf []byte                    // of the operations on one entry
	handles          []engine.Handle           // that an operation has opened
	given            []starlark.Value          // the keys that it has opened them for
	methods          map[string]starlark.Value // bound once each
	held             *engine.Entries           // of a map that was read: they are all that there is, and raw is nil
	kernel           *KernelSide               // nil until it is asked for
	streams          []weak.Pointer[Events]    // to close with the map
}

var (
	_ starlark.HasAttrs   = (*Map)(nil)
	_ starlark.HasSetKey  = (*Map)(nil) // m[k], m[k] = v
	_ starlark.Container  = (*Map)(nil) // k in m
	_ starlark.Iterable   = (*Map)(nil) // for k in m
	_ starlark.Comparable = (*Map)(nil)
	_ runtime.Helper      = (*Map)(nil)
)

// newMap makes the value for an open map. key and value are the types to use; nil chooses by the map's own. known are the
// types that have names.
func (l *Library) newMap(thread *starlark.Thread, raw engine.Map, known *layout.Host, key, value *layout.Type) (*Map, error) {
	m := &Map{lib: l, thread: thread, raw: raw, info: raw.Info(), key: key, methods: map[string]starlark.Value{}}
	m.kind = engine.KindOf(m.info.Type)
	asked := key != nil || value != nil
	if key == nil || value == nil {
		ownKey, ownValue := raw.Types()
		k, v, err := defaultTypes(m.info, ownKey, ownValue, known)
		if err != nil {
			return nil, err
		}
		plain := plainTypes[m.kind.Name]
		if key == nil {
			m.key = k
			m.guessed.key = ownKey == nil && m.kind.Shape == engine.Hashed && !m.kind.Trie && m.kind.Keys == engine.Nothing && plain.key == nil
		}
		if value == nil {
			value = v
			m.guessed.value = ownValue == nil && m.kind.Shape != engine.Opaque && m.kind.Values == engine.Nothing && plain.value == nil
		}
	}
	if !m.kind.Keyed() || m.info.KeySize == 0 {
		m.key = nil
	}
	m.value = layout.Slot{Type: value, CPUs: m.info.CPUs}
	if m.key != nil && m.key.Size() != int(m.info.KeySize) {
		return nil, fmt.Errorf("key type %s has %d bytes, the keys of %s have %d", m.key, m.key.Size(), m.label(), m.info.KeySize)
	}
	if value.Size() != int(m.info.ValueSize) {
		return nil, fmt.Errorf("value type %s has %d bytes, the values of %s have %d", value, value.Size(), m.label(), m.info.ValueSize)
	}
	m.keyBuf, m.valueBuf = make([]byte, m.info.KeySize), make([]byte, m.info.Stride())
	l.open.add(m)
	l.planned.note(m, asked)
	return m, nil
}

// plainTypes are the spellings of keys and values without BTF, for types of maps that give them a meaning.
var plainTypes = map[string]struct {
	key, value func(info *engine.Info) string
}{
	"devmap":         {value: orProgram("ifindex", "struct { ifindex ifindex; u32 prog_id; }")},
	"devmap_hash":    {value: orProgram("ifindex", "struct { ifindex ifindex; u32 prog_id; }")},
	"cpumap":         {value: orProgram("u32", "struct { u32 qsize; u32 prog_id; }")},
	"cgroup_storage": {key: cgroupKey},
	"stack_trace": {value: func(info *engine.Info) string {
		if info.Flags&unix.BPF_F_STACK_BUILD_ID != 0 {
			return fmt.Sprintf("struct { i32 status; bytes build_id[20]; u64 offset; }[%d]", info.ValueSize/32)
		}
		return fmt.Sprintf("ksym[%d]", info.ValueSize/8)
	}},
	"percpu_cgroup_storage": {key: cgroupKey},
}

func orProgram(alone, with string) func(*engine.Info) string {
	return func(info *engine.Info) string {
		if info.ValueSize == 8 {
			return with
		}
		return alone
	}
}

func cgroupKey(info *engine.Info) string {
	if info.KeySize == 8 {
		return "u64"
	}
	return "struct { u64 cgroup_inode_id; u32 attach_type; }"
}

// defaultTypes are the map's own types from BTF, and plain ones where it has none: for a trie prefix and address,
// else what the type of map says, else integers where the size is an integer's, else bytes.
func defaultTypes(info *engine.Info, k, v btf.Type, known *layout.Host) (key, value *layout.Type, err error) {
	plain := func(size uint32) string {
		switch size {
		case 1, 2, 4, 8:
			return fmt.Sprintf("u%d", 8*size)
		default:
			return fmt.Sprintf("bytes[%d]", size)
		}
	}
	if k != nil {
		key, err = known.Of(k)
	} else if kind := engine.KindOf(info.Type); kind.Trie {
		key, err = known.Parse(map[uint32]string{8: "cidr4", 20: "cidr6"}[info.KeySize])
		if err != nil {
			key, err = known.Parse(fmt.Sprintf("struct { u32 prefixlen; bytes addr[%d]; } __attribute__((packed))", info.KeySize-4))
		}
	} else if spelling := plainTypes[engine.KindOf(info.Type).Name].key; spelling != nil {
		key, err = known.Parse(spelling(info))
	} else if info.KeySize > 0 {
		key, err = known.Parse(plain(info.KeySize))
	}
	if err != nil {
		return nil, nil, err
	}
	if v != nil {
		value, err = known.Of(v)
	} else if spelling := plainTypes[engine.KindOf(info.Type).Name].value; spelling != nil {
		value, err = known.Parse(spelling(info))
	} else {
		value, err = known.Parse(plain(info.ValueSize))
	}
	return key, value, err
}

func (m *Map) Type() string         { return "bpf.map" }
func (m *Map) Truth() starlark.Bool { return true }

// Freeze does nothing: it is Starlark's, for its own values. A module's end must not freeze the kernel's map.
func (m *Map) Freeze() {}

// Hash is of the id: two handles on one map are equal.
func (m *Map) Hash() (uint32, error) { return m.info.ID, nil }

func (m *Map) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	return compareMaps(op, m.info.ID, y)
}

func (m *Map) String() string {
	s := "<" + m.kind.Name
	if m.closed {
		s = "<closed " + m.kind.Name
	}
	if m.info.Name != "" {
		s += " " + starlark.String(m.info.Name).String()
	}
	if m.key != nil {
		s += " key=" + m.key.String()
	}
	if m.value.Type.Size() > 0 {
		s += " value=" + m.value.Type.String()
	}
	return fmt.Sprintf("%s id=%d>", s, m.info.ID)
}

// label names the map in a message.
func (m *Map) label() string {
	if m.info.Name != "" {
		return "map " + starlark.String(m.info.Name).String()
	}
	return fmt.Sprintf("map id=%d", m.info.ID)
}

// labelID is label with the id, which tells maps of one name apart.
func (m *Map) labelID() string {
	if m.info.Name != "" {
		return fmt.Sprintf("%s (id %d)", m.label(), m.info.ID)
	}
	return m.label()
}

var mapTable = method.NewTable("bpf.map", mapAttributes, mapOperations, lifecycleMethods)

var mapAttributes = slices.Concat(mapAttrs, kernelAttrs, varsAttrs)

// mapOperations are the methods that a type of map may lack.
var mapOperations = slices.Concat(
	elementMethods, trieMethods, nestedMethods, queueMethods, iterateMethods, batchMethods, eventsMethods)

func (m *Map) AttrNames() []string { return mapTable.Names() }

// Attr keeps the bound methods, so that m.update in a loop makes nothing new.
func (m *Map) Attr(name string) (starlark.Value, error) {
	if v, ok := m.methods[name]; ok {
		return v, nil
	}
	v, err := mapTable.Attr(m, name)
	if _, ok := v.(method.Callable); ok {
		m.methods[name] = v
	}
	return v, err
}

// encodeKey writes key to the buffer that the next operation on one entry uses.
func (m *Map) encodeKey(op string, key starlark.Value) ([]byte, error) {
	if m.key == nil {
		return nil, m.fail(op, nil, errNotForType)
	}
	if m.kind.Keys != engine.Nothing {
		value, err := m.object(m.kind.Keys, key)
		if err != nil {
			return nil, m.bad(op, "key", err)
		}
		putValue(m.keyBuf, value)
		m.given = append(m.given, key)
		return m.keyBuf, nil
	}
	if m.kind.ByCgroup {
		named, err := cgroupOf(key)
		if err != nil {
			return nil, m.bad(op, "key", err)
		}
		key = named
	}
	if err := m.key.Encode(m.keyBuf, key); err != nil {
		return nil, m.bad(op, "key", err)
	}
	if m.kind.Trie {
		if err := m.checkPrefix(op, key); err != nil {
			return nil, err
		}
	}
	return m.keyBuf, nil
}

// checkPrefix refuses a key of a trie with bits behind its prefix: the kernel would ignore them, and take it for another
// key. What was read is taken back as it is.
func (m *Map) checkPrefix(op string, key starlark.Value) error {
	switch key.(type) {
	case *layout.Record, starlark.Bytes:
		return nil
	}
	bits := engine.PrefixLen(m.keyBuf)
	if bits > 8*(len(m.keyBuf)-4) || engine.Masked(m.keyBuf) { // of one that is too long the kernel says so
		return nil
	}
	prefix := slices.Clone(m.keyBuf)
	engine.Shorten(prefix, bits)
	return &Error{Op: op, Map: m, Key: key, Count: -1, Err: fmt.Errorf("it has bits set behind its prefix; the prefix is %s", m.key.Decode(prefix))}
}

// encodeValue writes value to the buffer that the next operation on one entry uses.
func (m *Map) encodeValue(op string, value starlark.Value) ([]byte, error) {
	if m.kind.Values != engine.Nothing {
		handle, err := m.object(m.kind.Values, value)
		if err != nil {
			return nil, m.bad(op, "value", err)
		}
		putValue(m.valueBuf, handle)
		return m.valueBuf, nil
	}
	if err := m.value.Encode(m.valueBuf, value); err != nil {
		return nil, m.bad(op, "value", err)
	}
	if m.kind.Programmed && len(m.valueBuf) == 8 {
		if err := m.openProgram(m.valueBuf[4:]); err != nil {
			return nil, m.bad(op, "value", err)
		}
	}
	return m.valueBuf, nil
}

// openProgram makes a descriptor of the id of a program in a value: it is read as the one and written as the other.
func (m *Map) openProgram(field []byte) error {
	id := binary.NativeEndian.Uint32(field)
	if id == 0 {
		return nil
	}
	handle, err := m.object(engine.Programs, starlark.MakeUint64(uint64(id)))
	if err == nil {
		putValue(field, handle)
	}
	return err
}

// decodeValue reads a value of the map: of a map of maps, the map that it is the id of; of one that was read, the id, since
// the map may be another by now.
func (m *Map) decodeValue(b []byte) starlark.Value {
	if m.kind.Nests && m.held == nil {
		return &Nested{lib: m.lib, thread: m.thread, id: binary.NativeEndian.Uint32(b), readonly: m.info.ReadOnly}
	}
	return m.value.Decode(b)
}
