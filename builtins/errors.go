package builtins

import (
	"cmp"
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

// errNotForType stands for an operation that the type lacks, where asking the kernel would not make sense.
var errNotForType = errors.New("not for this type")

// Error is why an operation on a map failed: what was tried, on what, and what the kernel's answer means there.
type Error struct {
	Op    string
	Map   *Map           // nil where there is none yet
	Where string         // names the map where Map is nil
	Key   starlark.Value // nil where it was no matter of a key
	Count int            // entries that were done; -1 where only one was tried
	Of    int            // of how many; -1 if that is not known
	Err   error          // what the engine said

	as    string     // the operation that Op is done by, whose meanings explain it; "" for Op
	done  string     // what was done, behind Count
	errno unix.Errno // in Err; 0 if none
	flags uint64
	path  string
	spec  *engine.Spec
	load  *engine.LoadError // of a program; nil if it was no matter of one
	lib   *Library
	wants *engine.Right // what it wants, where the operation does not tell
	row   *meaning      // what explains it
	hint  string        // where no row has one
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
		if e.hint != "" {
			return starlark.String(e.hint)
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
	if e.errno != 0 {
		return e.text() + " (" + errnoName(e.errno) + ")"
	}
	return e.text()
}

// text is the message without the errno's name.
func (e *Error) text() string {
	var sb strings.Builder
	sb.WriteString(strings.TrimSuffix(e.Op, " object"))
	switch {
	case e.Map != nil:
		sb.WriteString(": " + e.Map.label())
	case e.Where != "":
		sb.WriteString(": " + e.Where)
	}
	if e.Count >= 0 {
		switch {
		case e.Of >= 0:
			fmt.Fprintf(&sb, ": stopped after %d of %d%s", e.Count, e.Of, e.done)
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
	return sb.String()
}

func shorten(s string) string { return shortenTo(s, 100) }

func shortenTo(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "..."
	}
	return s
}

// quoted is text from outside in an error.
func quoted(s string) string { return shorten(starlark.String(s).String()) }

// quotedPath is a path in an error, which can be longer than other text and is still of use.
func quotedPath(s string) string { return shortenTo(starlark.String(s).String(), 500) }

func errnoName(e unix.Errno) string {
	switch e {
	case engine.NotSupported:
		return "ENOTSUPP"
	case unix.EOPNOTSUPP: // it has two names, and this is the kernel's
		return "EOPNOTSUPP"
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
	pairs := []string{"{op}", e.Op, "{operation}", strings.TrimPrefix(e.Op, kernelPrefix), "{path}", e.path, "{dir}", filepath.Dir(e.path), "{base}", filepath.Base(e.path), "{flags}", fmt.Sprintf("%#x", e.flags)}
	if e.lib != nil {
		pairs = append(pairs, "{lacks}", e.lib.engine.Missing(e.right()))
	}
	if failed, ok := errors.AsType[*engine.MountError](e.Err); ok {
		pairs = append(pairs, "{mount}", failed.Dir)
	}
	if p := e.load; p != nil {
		pairs = append(pairs, "{missing}", p.Missing, "{reason}", p.Reason, "{helper}", p.Helper, "{helper since}", p.Since)
	}
	if m := e.Map; m != nil {
		pairs = append(pairs, "{type}", m.kind.Name, "{a type}", article(m.kind.Name), "{max}", fmt.Sprint(m.info.MaxEntries), "{last}", fmt.Sprint(int64(m.info.MaxEntries)-1),
			"{instead}", e.instead(), "{arrived}", m.kind.Arrived(e.Op), "{bits}", fmt.Sprint(8*(int64(m.info.KeySize)-4)))
	}
	if strings.Contains(text, "{inner}") {
		pairs = append(pairs, "{inner}", e.Map.innerSays())
	}
	if strings.Contains(text, "{owner}") {
		owner, _ := e.Map.raw.Owner() // 0 where it is not known
		pairs = append(pairs, "{owner}", engine.ProgramType(owner))
	}
	if unknown, ok := errors.AsType[*engine.UnknownError](e.Err); ok {
		pairs = append(pairs, "{unknown}", unknown.What)
	}
	if e.spec != nil {
		name := engine.KindOf(e.spec.Type).Name
		pairs = append(pairs, "{type}", name, "{a type}", article(name), "{since}", engine.KindOf(e.spec.Type).Since)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// right is what the operation wants of a process.
func (e *Error) right() *engine.Right {
	switch {
	case e.wants != nil:
		return e.wants
	case mounting(e):
		return engine.Mounting
	case e.spec != nil:
		return e.spec.Making()
	case kernelSide(e):
		return engine.Running
	case e.Op == "freeze":
		return engine.Freezing
	case e.Op == "events" && e.Map != nil && e.Map.kind.Values == engine.Events:
		return engine.Listening
	case e.Op == "events" && readOnly(e): // it is opened once more, by its id
		return engine.Finding
	case e.Op == "maps", e.Op == "open" && e.path == "":
		return engine.Finding
	default:
		return engine.Using
	}
}

func article(noun string) string {
	said := noun[:1]
	for _, spelled := range []string{"lpm", "lru", "xsk", "sk_"} { // letter by letter: an ell, an ex
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
	lacks, op := e.Map.kind.Instead, e.by()
	if base, ok := strings.CutPrefix(op, kernelPrefix); ok {
		lacks, op = e.Map.kind.Program, base
	}
	for _, name := range []string{op, genericOp[op], ""} {
		if text := lacks.Of(name); text != "" {
			return text
		}
	}
	if op == "events" || op == "output" {
		return "only a ringbuf and a perf_event_array carry events"
	}
	return ""
}

// kernelPrefix begins the names of the operations on the kernel's side, which share the meanings of their twins.
const kernelPrefix = "kernel."

// genericOp is the operation of the type table for those that share its row.
var genericOp = map[string]string{"in": "lookup", "clear": "delete", "values": "keys", "drain": "peek"}

// newError finds the row that explains err.
func newError(e Error) error {
	errors.As(e.Err, &e.errno)
	errors.As(e.Err, &e.load)
	for i := range meanings {
		row := &meanings[i]
		if e.errno == 0 || row.errno != nil && !slices.Contains(row.errno, e.errno) {
			continue
		}
		if row.ops != "" && !slices.Contains(strings.Fields(row.ops), rowOp(e.by())) {
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

// by is the operation that failed.
func (e *Error) by() string { return cmp.Or(e.as, e.Op) }

// rowOp is the operation as the table of meanings names it.
func rowOp(op string) string {
	if strings.HasPrefix(op, "vars.") {
		return "vars"
	}
	return strings.TrimPrefix(op, kernelPrefix)
}

// explain is the error of an operation on one entry, or on the map; nil for nil.
func (m *Map) explain(op string, key starlark.Value, err error) error {
	if err == nil {
		return nil
	}
	return m.failFlags(op, key, 0, err)
}

// fail is explain for an error that is there.
func (m *Map) fail(op string, key starlark.Value, err error) error {
	if err == errNotForType {
		err = engine.NotSupported
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
	if at < len(m.given) && errors.As(err, &errno) { // the bytes are a descriptor
		key = m.given[at]
	} else if k := int(m.info.KeySize); k > 0 && (at+1)*k <= len(keys) && errors.As(err, &errno) {
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
	var unfit *layout.EncodeError
	var unopened *Error
	switch {
	case errors.As(err, &unfit):
		path, text = what+unfit.Path, unfit.Text
	case errors.As(err, &unopened):
		text = unopened.text()
	}
	e := &Error{Op: op, Map: m, Count: -1, Err: fmt.Errorf("%s: %s", path, text)}
	if unopened == nil && (what == "key" && m.guessed.key || what == "value" && m.guessed.value) {
		e.hint = m.typesHint()
	}
	errors.As(err, &e.errno)
	return e
}
