package layout

import (
	"errors"
	"strings"
	"time"

	"bpfsh/runtime/method"

	"github.com/cilium/ebpf/btf"
)

// Host is what types may ask of the machine. Each function may be nil: Find then finds nothing, so that there are only
// types that are spelled out, and the others leave a number a number. A nil *Host is one without any of them.
//
// A type keeps the Host that made it. The functions are called when a spelling is parsed and when a value is shown,
// never when bytes are read or written.
type Host struct {
	// Find gives a type by its name: "struct flow_key", "union addr", "enum verdict", or "flow_t" for a typedef. The
	// error wraps btf.ErrNotFound where there is none of that name.
	Find func(name string) (btf.Type, error)
	// Names are those that Find knows. They are asked for when a name is unknown, to offer one like it.
	Names func() []string

	Symbol    func(addr uint64) (string, bool)       // "tcp_v4_rcv+0x12"
	Interface func(index uint32) (string, bool)      // "eth0"
	User      func(uid uint32) (string, bool)        // "root"
	Errno     func(errno uint64) (string, bool)      // "ENOENT"
	Signal    func(signal uint32) (string, bool)     // "SIGKILL"
	Process   func(pid uint32) (string, bool)        // what it runs: "sshd"
	Cgroup    func(id uint64) (string, bool)         // "/system.slice/sshd.service"
	Clock     func() (sinceBoot uint64, t time.Time) // what bpf_ktime_get_ns gives at t, which is now; its location is used

	// Online says of each possible CPU whether it runs; ok is false where that is not known.
	Online func() (cpus []bool, ok bool)

	// Printers are asked first; nil: there are none.
	Printers *Printers
}

// Parse is the function Parse with the types that the host finds.
//
// A name that is unknown is a *SyntaxError that offers one like it.
func (h *Host) Parse(spelling string) (*Type, error) {
	t, err := h.parse(spelling)
	if err != nil {
		return nil, err
	}
	return h.Of(t)
}

// Of is the function Of, for types that show their values with the host's help.
func (h *Host) Of(t btf.Type) (*Type, error) { return h.compile(t, 0) }

// finds says that there are types that need not be spelled out.
func (h *Host) finds() bool { return h != nil && h.Find != nil }

// find is the type of a name alone, which is a typedef's.
func (p *parser) find(at int, name string) btf.Type {
	if !p.host.finds() {
		p.failAt(at, "no type %s%s", name, method.DidYouMean(name, typeNames))
	}
	t, err := p.host.Find(name)
	switch {
	case errors.Is(err, btf.ErrNotFound):
		p.failAt(at, "no type %s%s", name, method.DidYouMean(name, append(p.known(), typeNames...)))
	case err != nil:
		p.failAt(at, "%s: %v", name, err)
	}
	return p.found(at, name, t)
}

// incomplete is a struct, a union or an enum whose name has no body behind it.
func (p *parser) incomplete(at int, word, name string) btf.Type {
	full := word + " " + name
	if t := objectByName(full); t != nil {
		return t
	}
	switch {
	case p.starred() && word == "struct":
		return &btf.Fwd{Name: name, Kind: btf.FwdStruct}
	case p.starred() && word == "union":
		return &btf.Fwd{Name: name, Kind: btf.FwdUnion}
	case p.starred():
		return &btf.Void{}
	case !p.host.finds():
		body := "fields"
		if word == "enum" {
			body = "names"
		}
		p.fail("got %s, want the %s of %s in braces", p.tok, body, full)
	}
	t, err := p.host.Find(full)
	switch {
	case errors.Is(err, btf.ErrNotFound):
		p.unknown(at, word, name)
	case err != nil:
		p.failAt(at, "%s: %v", full, err)
	}
	if kind := wordOf(t); kind != word {
		p.failAt(at, "%s is no %s", full, word)
	}
	return p.found(at, full, t)
}

// unknown fails for the name of a struct, a union or an enum that there is not. It offers one of the same kind; else it says why
// a program may have it, and its BTF not.
func (p *parser) unknown(at int, word, name string) {
	var names []string
	for _, known := range p.known() {
		if of, ok := strings.CutPrefix(known, word+" "); ok {
			names = append(names, of)
		}
	}
	if near := method.Nearest(name, names); near != "" {
		p.failAt(at, "no %s %s is known (did you mean %[1]s %[3]s?)", word, name, near)
	}
	p.hint = "clang leaves out of an object's BTF what only the bodies of functions use; a variable keeps it there: " + word + " " + name + " *unused __attribute__((unused));"
	p.failAt(at, "no %s %s is known", word, name)
}

// found checks that a type from elsewhere is one that values can have.
func (p *parser) found(at int, name string, t btf.Type) btf.Type {
	whole, err := p.host.Of(t)
	if err == nil && whole.size > maxSize {
		p.failAt(at, "%s has %d bytes, more than %d are too large", name, whole.size, maxSize)
	}
	if err != nil {
		p.failAt(at, "%s: %v", name, err)
	}
	return t
}

// known are the names that the host finds.
func (p *parser) known() []string {
	if p.host.Names == nil {
		return nil
	}
	return p.host.Names()
}

// wordOf is what stands before the name of t: "struct", "union" or "enum"; "" for what has another kind of name.
func wordOf(t btf.Type) string {
	switch t.(type) {
	case *btf.Struct:
		return "struct"
	case *btf.Union:
		return "union"
	case *btf.Enum:
		return "enum"
	default:
		return ""
	}
}
