package builtins

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"

	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"
)

// notSupported is the kernel's own ENOTSUPP, which has no name in user space.
const notSupported = unix.Errno(524)

var (
	errNoKeys     = errors.New("it has no keys")
	errNotForType = errors.New("not for this type")
)

// Error is why an operation on a map failed: what was tried, on what, and what the kernel's answer means there.
type Error struct {
	Op    string
	Map   *Map           // nil where there is none yet
	Where string         // names the map where Map is nil
	Key   starlark.Value // nil where it was no matter of a key
	Count int            // entries that were done; -1 where only one was tried
	Of    int            // of how many; -1 if that is not known
	Err   error          // what the engine said

	errno unix.Errno // in Err; 0 if none
	flags uint64
	path  string
	spec  *engine.Spec
	lib   *Library
	row   *meaning // what explains it
}

// Detail is what catch offers to a script.
func (e *Error) Detail(name string) starlark.Value {
	switch name {
	case "op":
		return starlark.String(e.Op)
	case "errno":
		if e.errno != 0 {
			return starlark.String(errnoName(e.errno))
		}
	case "map":
		if e.Map != nil {
			return e.Map
		}
	case "key":
		return e.Key
	case "count":
		if e.Count >= 0 {
			return starlark.MakeInt(e.Count)
		}
	case "hint":
		if e.row != nil && e.row.hint != "" {
			return starlark.String(e.fill(e.row.hint))
		}
	}
	return nil
}

func (e *Error) Unwrap() error { return e.Err }

// ExitStatus is 3 where bpf() itself is not permitted or not there.
func (e *Error) ExitStatus() int {
	if e.row != nil && e.row.denied {
		return 3
	}
	return 1
}

func (e *Error) Error() string {
	var sb strings.Builder
	sb.WriteString(e.Op)
	switch {
	case e.Map != nil:
		sb.WriteString(": " + e.Map.label())
	case e.Where != "":
		sb.WriteString(": " + e.Where)
	}
	if e.Count >= 0 {
		switch {
		case e.Of >= 0:
			fmt.Fprintf(&sb, ": stopped after %d of %d", e.Count, e.Of)
		default:
			fmt.Fprintf(&sb, ": stopped after %d", e.Count)
		}
	}
	if e.Key != nil {
		sb.WriteString(": key " + shorten(e.Key.String()))
	}
	sb.WriteString(": ")
	if e.row != nil {
		sb.WriteString(e.fill(e.row.says))
	} else {
		sb.WriteString(e.Err.Error())
	}
	if e.errno != 0 {
		sb.WriteString(" (" + errnoName(e.errno) + ")")
	}
	return sb.String()
}

func shorten(s string) string {
	if r := []rune(s); len(r) > 100 {
		return string(r[:99]) + "…"
	}
	return s
}

func errnoName(e unix.Errno) string {
	if e == notSupported {
		return "ENOTSUPP"
	}
	if name := unix.ErrnoName(e); name != "" {
		return name
	}
	return fmt.Sprintf("errno %d", int(e))
}

// fill puts the facts in the places of a meaning's text.
func (e *Error) fill(text string) string {
	if !strings.Contains(text, "{") {
		return text
	}
	pairs := []string{"{op}", e.Op, "{path}", e.path, "{dir}", filepath.Dir(e.path), "{base}", filepath.Base(e.path), "{flags}", fmt.Sprintf("%#x", e.flags)}
	if e.lib != nil {
		pairs = append(pairs, "{lacks}", e.lib.engine.Missing())
	}
	if m := e.Map; m != nil {
		pairs = append(pairs, "{type}", m.kind.Name, "{a type}", article(m.kind.Name), "{max}", fmt.Sprint(m.info.MaxEntries), "{last}", fmt.Sprint(int64(m.info.MaxEntries)-1),
			"{instead}", e.instead(), "{bits}", fmt.Sprint(8*(int64(m.info.KeySize)-4)))
	}
	if e.spec != nil {
		name := engine.KindOf(e.spec.Type).Name
		pairs = append(pairs, "{type}", name, "{a type}", article(name), "{since}", engine.KindOf(e.spec.Type).Since)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func article(noun string) string {
	said := noun[:1]
	for _, spelled := range []string{"lpm", "lru", "xsk"} { // letter by letter: an ell, an ex
		if strings.HasPrefix(noun, spelled) {
			said = "e"
		}
	}
	if strings.Contains("aeio", said) { // a user_ringbuf
		return "an " + noun
	}
	return "a " + noun
}

// instead is what to use where the type lacks the operation.
func (e *Error) instead() string {
	if e.Map == nil {
		return ""
	}
	k := e.Map.kind
	for _, name := range []string{e.Op, genericOp[e.Op], ""} {
		if text := k.Instead[name]; text != "" {
			return text
		}
	}
	return ""
}

// genericOp is the operation of the type table for those that share its row.
var genericOp = map[string]string{"in": "lookup", "clear": "delete", "values": "keys", "drain": "peek"}

// meaning is what an errno means in one place. The first row that fits explains an error.
type meaning struct {
	errno  []unix.Errno
	ops    string // operations, with spaces between; "" is all
	when   func(*Error) bool
	says   string
	hint   string
	denied bool // bpf() itself is not permitted or not there
}

const (
	writes = "update delete pop push drain clear update_batch delete_batch pop_batch freeze"
	single = "update delete pop lookup next_key in"
)

// unsupported are the kernel's three ways to say that a type has no such operation.
var unsupported = []unix.Errno{unix.EINVAL, notSupported, unix.EOPNOTSUPP}

// meanings go from the particular to the general.
var meanings = []meaning{
	{errno: []unix.Errno{unix.EBADF}, when: closed, says: "the map is closed"},

	{errno: []unix.Errno{unix.ENOSYS}, says: "this kernel has no bpf()", denied: true},
	{errno: []unix.Errno{unix.EPERM}, ops: "freeze", when: frozen, says: "it is frozen already"},
	{errno: []unix.Errno{unix.EBUSY}, ops: "freeze", when: frozen, says: "it is frozen already"},
	{errno: []unix.Errno{unix.EBUSY}, ops: "freeze", says: "something has it mapped for writing"},
	{errno: []unix.Errno{unix.EPERM}, ops: writes, when: frozen, says: "the map is frozen: only programs may write to it"},
	{errno: []unix.Errno{unix.EPERM}, ops: writes + " pin", when: readOnly, says: "it was opened read-only", hint: "open it without readonly=True"},
	{errno: []unix.Errno{unix.EPERM}, when: createdWith(unix.BPF_F_RDONLY), says: "it was made with BPF_F_RDONLY, for which this handle cannot write", hint: "pin it and open it again, or make it without"},
	{errno: []unix.Errno{unix.EPERM}, when: createdWith(unix.BPF_F_WRONLY), says: "it was made with BPF_F_WRONLY, for which this handle cannot read", hint: "pin it and open it again, or make it without"},
	{errno: []unix.Errno{unix.EPERM}, ops: "pin", when: dotted, says: "a name in a bpffs cannot have a dot, and {base} has one"},
	{errno: []unix.Errno{unix.EPERM}, when: lacksAny, says: "bpf() is not permitted: this process lacks {lacks}", hint: "run it as root, or with these capabilities", denied: true},
	{errno: []unix.Errno{unix.EPERM}, ops: "create", says: "not permitted: the limit of locked memory may be too low", hint: "ulimit -l unlimited"},
	{errno: []unix.Errno{unix.EPERM}, says: "not permitted"},

	{errno: []unix.Errno{notSupported, unix.EOPNOTSUPP}, ops: "freeze", says: "the kernel freezes no {type} whose values have a spin lock, a timer or a kptr"},
	{errno: unsupported, when: lacking, says: "{a type} has no {op}: {instead}"},
	{errno: []unix.Errno{unix.EINVAL}, ops: "update update_batch lookup", when: lockFlag, says: "BPF_F_LOCK is for values with a struct bpf_spin_lock, and this map's have none"},
	{errno: []unix.Errno{unix.EINVAL}, ops: single + " update_batch delete_batch", when: longPrefix, says: "its prefix length is more than {bits}"},
	{errno: []unix.Errno{unix.EINVAL}, ops: "push", when: flagged(unix.BPF_NOEXIST), says: "{a type} does not know what it holds, so that BPF_NOEXIST means nothing to it"},
	{errno: []unix.Errno{unix.EINVAL}, ops: "update push update_batch lookup", when: flagged(^uint64(0)), says: "flags {flags} are not for {a type}"},
	{errno: []unix.Errno{notSupported, unix.EOPNOTSUPP}, ops: "create", says: "{a type} does not take these flags"},
	{errno: []unix.Errno{notSupported, unix.EOPNOTSUPP}, says: "{a type} has no {op}"},

	{errno: []unix.Errno{unix.ENOENT}, ops: "open", when: byPath, says: "no such pin"},
	{errno: []unix.Errno{unix.ENOENT}, ops: "open", says: "there is no such map"},
	{errno: []unix.Errno{unix.ENOENT}, ops: "pin", says: "the directory {dir} does not exist"},
	{errno: []unix.Errno{unix.ENOENT}, ops: "unpin", says: "there is no such pin"},
	{errno: []unix.Errno{unix.ENOENT}, ops: single, when: indexed, says: "the index is out of range: this {type} has 0 to {last}"},
	{errno: []unix.Errno{unix.ENOENT}, ops: "pop peek", when: ordered, says: "the {type} is empty", hint: "{op}(default=None) gives None instead"},
	{errno: []unix.Errno{unix.ENOENT}, ops: "update update_batch", when: flagged(unix.BPF_EXIST), says: "no such key, and BPF_EXIST wants one"},
	{errno: []unix.Errno{unix.ENOENT}, ops: "lookup", says: "no such key", hint: "lookup(key, default=…) gives a default instead"},
	{errno: []unix.Errno{unix.ENOENT}, ops: "pop", says: "no such key", hint: "pop(key, default=None) gives None instead"},
	{errno: []unix.Errno{unix.ENOENT}, ops: "delete delete_batch", says: "no such key", hint: "missing_ok=True passes over it"},
	{errno: []unix.Errno{unix.ENOENT}, says: "no such key"},

	{errno: []unix.Errno{unix.EEXIST}, ops: "pin", says: "there is something at {path} already", hint: "pin(path, replace=True) takes the place of a map"},
	{errno: []unix.Errno{unix.EEXIST}, when: indexed, says: "every index of {a type} exists, and BPF_NOEXIST wants a new one"},
	{errno: []unix.Errno{unix.EEXIST}, says: "the key exists, and BPF_NOEXIST wants a new one"},

	{errno: []unix.Errno{unix.E2BIG}, ops: "create", says: "a size is more than the kernel allows for {a type}"},
	{errno: []unix.Errno{unix.E2BIG}, ops: "push", says: "the {type} is full: it holds {max} values", hint: "push(value, BPF_EXIST) drops the oldest"},
	{errno: []unix.Errno{unix.E2BIG}, when: indexed, says: "the index is out of range: this {type} has 0 to {last}"},
	{errno: []unix.Errno{unix.E2BIG, unix.ENOSPC}, ops: "update update_batch", says: "the map is full: it has room for {max} entries"},
	{errno: []unix.Errno{unix.ENOSPC}, ops: "lookup items values keys", says: "values of 4 bytes cannot be read: with value_size 8 they give a socket's cookie"},

	{errno: []unix.Errno{unix.EACCES}, ops: "open pin unpin", says: "the file's mode does not permit it"},
	{errno: []unix.Errno{unix.EACCES}, ops: "create", says: "a map with a spin lock cannot be made with BPF_F_RDONLY_PROG or BPF_F_WRONLY_PROG"},
	{errno: []unix.Errno{unix.ENOMEM}, ops: "create", says: "the kernel has not enough memory for a map of this size"},
	{errno: []unix.Errno{unix.EISDIR}, says: "this is a directory, and not a pin"},
	{errno: []unix.Errno{unix.ENOTDIR}, says: "{dir} is not a directory"},
	{errno: []unix.Errno{unix.ENAMETOOLONG}, says: "the path or a name in it is too long"},
	{errno: []unix.Errno{unix.EINVAL}, ops: "create", when: readAndWriteOnly, says: "BPF_F_RDONLY and BPF_F_WRONLY, of one kind, exclude each other"},
	{errno: []unix.Errno{unix.EINVAL}, ops: "create", when: spec(wideIndex), says: "the keys of {a type} are indexes of 4 bytes"},
	{errno: []unix.Errno{unix.EINVAL}, ops: "create", when: spec(oddPrefix), says: "the keys of {a type} are a u32 prefix length and an address of 1 to 256 bytes"},
	{errno: []unix.Errno{unix.EINVAL}, ops: "create", when: spec(oddRing), says: "max_entries of {a type} is its size in bytes: a power of two, of whole pages"},
	{errno: []unix.Errno{unix.EINVAL}, ops: "create", when: spec(flaggedSpec), says: "{a type} does not take flags {flags}, or not with these sizes"},
	{errno: []unix.Errno{unix.EINVAL}, ops: "create", says: "this kernel makes no {type} with these sizes (it came with Linux {since})"},
	{errno: []unix.Errno{unix.EBADF, unix.ENOTSOCK}, says: "the value is not of the kind that {a type} holds"},
	{errno: []unix.Errno{unix.EINVAL}, says: "the kernel does not take these arguments for {a type}"},
}

func closed(e *Error) bool   { return e.Map != nil && e.Map.closed }
func readOnly(e *Error) bool { return e.Map != nil && e.Map.info.ReadOnly }
func indexed(e *Error) bool {
	return e.Map != nil && (e.Map.kind.Shape == engine.Indexed || e.Map.kind.Shape == engine.Slots)
}
func ordered(e *Error) bool  { return e.Map != nil && e.Map.kind.Shape == engine.Ordered }
func byPath(e *Error) bool   { return e.path != "" }
func dotted(e *Error) bool   { return strings.Contains(filepath.Base(e.path), ".") }
func lacking(e *Error) bool  { return e.instead() != "" }
func lacksAny(e *Error) bool { return e.lib != nil && e.lib.engine.Missing() != "" }
func lockFlag(e *Error) bool { return e.flags&unix.BPF_F_LOCK != 0 }
func frozen(e *Error) bool {
	if e.Map == nil {
		return false
	}
	yes, err := e.Map.raw.Frozen()
	return yes && err == nil
}

func flagged(bits uint64) func(*Error) bool {
	return func(e *Error) bool { return e.flags&bits != 0 }
}

func createdWith(flag uint32) func(*Error) bool {
	return func(e *Error) bool { return e.Map != nil && e.Map.created&flag != 0 }
}

func longPrefix(e *Error) bool {
	if e.Map == nil || !e.Map.kind.Trie || e.Key == nil {
		return false
	}
	b := make([]byte, e.Map.key.Size())
	return e.Map.key.Encode(b, e.Key) == nil && engine.PrefixLen(b) > 8*(len(b)-4)
}

func spec(f func(*engine.Spec) bool) func(*Error) bool {
	return func(e *Error) bool { return e.spec != nil && f(e.spec) }
}

func readAndWriteOnly(e *Error) bool {
	both := func(bits uint32) bool { return e.spec != nil && e.spec.Flags&bits == bits }
	return both(unix.BPF_F_RDONLY|unix.BPF_F_WRONLY) || both(unix.BPF_F_RDONLY_PROG|unix.BPF_F_WRONLY_PROG)
}

func wideIndex(s *engine.Spec) bool {
	shape := engine.KindOf(s.Type).Shape
	return (shape == engine.Indexed || shape == engine.Slots) && s.KeySize != 4
}

func oddPrefix(s *engine.Spec) bool {
	return engine.KindOf(s.Type).Trie && (s.KeySize < 5 || s.KeySize > 260)
}

func oddRing(s *engine.Spec) bool {
	ring := strings.HasSuffix(engine.KindOf(s.Type).Name, "ringbuf")
	return ring && (s.MaxEntries&(s.MaxEntries-1) != 0 || s.MaxEntries < 4096)
}

// flaggedSpec says that there are flags beside those that the type wants always.
func flaggedSpec(s *engine.Spec) bool { return s.Flags&^engine.KindOf(s.Type).Flags != 0 }

// newError finds the row that explains err.
func newError(e Error) error {
	errors.As(e.Err, &e.errno)
	for i := range meanings {
		row := &meanings[i]
		if e.errno == 0 || !slices.Contains(row.errno, e.errno) {
			continue
		}
		if row.ops != "" && !slices.Contains(strings.Fields(row.ops), e.Op) {
			continue
		}
		if row.when != nil && !row.when(&e) {
			continue
		}
		e.row = row
		break
	}
	return &e
}

// explain is the error of an operation on one entry, or on the map; nil for nil.
func (m *Map) explain(op string, key starlark.Value, err error) error {
	if err == nil {
		return nil
	}
	return m.failFlags(op, key, 0, err)
}

// fail is explain for an error that is there. What the type cannot do, whatever the kernel would say, is ENOTSUP.
func (m *Map) fail(op string, key starlark.Value, err error) error {
	switch err {
	case errNoKeys, errNotForType, unix.ENOTSUP:
		err = notSupported
	}
	return m.failFlags(op, key, 0, err)
}

func (m *Map) failFlags(op string, key starlark.Value, flags uint64, err error) error {
	return newError(Error{Op: op, Map: m, Key: key, Count: -1, Err: err, flags: flags, lib: m.lib})
}

// failCount is the error of an operation on many entries, which stopped at entry at after count of them.
func (m *Map) failCount(op string, keys []byte, at, count, of int, flags uint64, err error) error {
	var key starlark.Value
	var errno unix.Errno
	if k := int(m.info.KeySize); k > 0 && (at+1)*k <= len(keys) && errors.As(err, &errno) {
		key = m.key.Decode(keys[at*k : (at+1)*k])
	}
	return newError(Error{Op: op, Map: m, Key: key, Count: count, Of: of, Err: err, flags: flags, lib: m.lib})
}

// failPath is the error of a pin.
func (m *Map) failPath(op, path string, err error) error {
	return newError(Error{Op: op, Map: m, Count: -1, Err: err, path: path, lib: m.lib})
}

// bad is the error for a key or a value that does not fit its type.
func (m *Map) bad(op, what string, err error) error {
	path, text := what, err.Error()
	var e *layout.EncodeError
	if errors.As(err, &e) {
		path, text = what+e.Path, e.Text
	}
	return &Error{Op: op, Map: m, Count: -1, Err: fmt.Errorf("%s: %s", path, text)}
}
