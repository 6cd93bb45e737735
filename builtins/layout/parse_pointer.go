package layout

import (
	"cmp"
	"slices"
	"strings"
	"text/scanner"

	"github.com/cilium/ebpf/btf"
)

// pointers makes t a pointer if stars follow. What it points to is not in the map, and does not matter, unless the
// kernel keeps the pointer itself.
func (p *parser) pointers(t btf.Type) btf.Type {
	tag := p.qualifiers()
	for p.has("*") {
		target := btf.Type(&btf.Void{})
		if tag != "" {
			target = kptrTarget(tag, t)
		}
		t = &btf.Pointer{Target: target}
		tag = p.qualifiers()
	}
	return t
}

// qualifiers are the words around a type that change nothing of its bytes. The kernel's own, which mark a pointer that
// it keeps, are told as BTF has them.
var qualifiers = map[string]string{
	"const": "", "volatile": "", "restrict": "", "__restrict": "", "__user": "", "__rcu": "", "__percpu": "", "__uptr": "",
	"__kptr": "kptr", "__kptr_ref": "kptr_ref", "__kptr_untrusted": "kptr_untrusted", "__percpu_kptr": "percpu_kptr",
}

// qualifiers skips them, and gives the last tag among them. A word that ends a declaration is the name of a field: BTF
// has them from languages in which these words mean nothing.
func (p *parser) qualifiers() (tag string) {
	for {
		t, ok := qualifiers[p.tok.text]
		if next := p.ahead(); !ok || strings.Contains(";,:[", next.text) && next.kind != scanner.EOF {
			return tag
		}
		tag = cmp.Or(t, tag)
		p.next()
	}
}

// starred says that a star follows, whatever qualifiers stand before it.
func (p *parser) starred() bool {
	i := slices.IndexFunc(p.toks, func(t token) bool {
		_, ok := qualifiers[t.text]
		return !ok
	})
	return p.toks[i].text == "*" // the last token is the end, and no qualifier
}
