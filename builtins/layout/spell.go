package layout

import (
	"fmt"
	"strings"

	"github.com/cilium/ebpf/btf"
)

// spell writes a type as it can be parsed again. Types that are the same get the same spelling, whichever
// typedefs lead to them.
func spell(t btf.Type) string {
	if name, _ := namedCodec(t); name != "" {
		return name
	}
	switch u := btf.UnderlyingType(t).(type) {
	case *btf.Int:
		return spellInt(u)
	case *btf.Float:
		return fmt.Sprintf("f%d", 8*u.Size)
	case *btf.Pointer:
		return "void *"
	case *btf.Enum:
		return strings.TrimSpace("enum " + u.Name)
	case *btf.Array:
		elem, dims := arrayOf(u)
		return elem + dims
	case *btf.Struct:
		return spellStruct(u)
	case *btf.Union:
		return strings.TrimSpace("union " + u.Name)
	case *btf.Fwd:
		return strings.TrimSpace("struct " + u.Name)
	default:
		return fmt.Sprintf("%T", u)[len("*btf."):]
	}
}

func spellInt(t *btf.Int) string {
	switch {
	case t.Encoding == btf.Bool:
		return "bool"
	case t.Name == "char":
		return "char"
	case t.Encoding == btf.Unsigned:
		return fmt.Sprintf("u%d", 8*t.Size)
	default:
		return fmt.Sprintf("i%d", 8*t.Size)
	}
}

func spellStruct(s *btf.Struct) string {
	if s.Name == "bpf_spin_lock" {
		return "struct bpf_spin_lock"
	}
	var sb strings.Builder
	sb.WriteString("struct ")
	if s.Name != "" {
		sb.WriteString(s.Name + " ")
	}
	sb.WriteString("{")
	for _, m := range s.Members {
		elem, dims := spell(m.Type), ""
		if a, ok := btf.UnderlyingType(m.Type).(*btf.Array); ok {
			if name, _ := namedCodec(m.Type); name == "" {
				elem, dims = arrayOf(a)
			}
		}
		fmt.Fprintf(&sb, " %s %s%s;", elem, m.Name, dims)
	}
	sb.WriteString(" }")
	return sb.String()
}

// arrayOf splits an array into what it is made of and its dimensions, outermost first.
func arrayOf(a *btf.Array) (elem, dims string) {
	for {
		dims += fmt.Sprintf("[%d]", a.Nelems)
		if elementName(a.Type) == "bytes" {
			return "bytes", dims
		}
		if name, _ := namedCodec(a.Type); name != "" {
			return name, dims
		}
		inner, ok := btf.UnderlyingType(a.Type).(*btf.Array)
		if !ok {
			return spell(a.Type), dims
		}
		a = inner
	}
}
