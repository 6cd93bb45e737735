package layout

import (
	"errors"
	"strings"

	"github.com/cilium/ebpf/btf"
)

// FindType finds a type in spec by a name as Host.Find takes it. The error wraps btf.ErrNotFound where there is none.
func FindType(spec *btf.Spec, name string) (btf.Type, error) {
	word, rest, ok := strings.Cut(name, " ")
	if !ok {
		word, rest = "", name
	}
	candidates, err := spec.AnyTypesByName(rest)
	if err != nil {
		return nil, err
	}
	for _, t := range candidates {
		switch _, isDef := t.(*btf.Typedef); {
		case word == "" && isDef, word != "" && wordOf(t) == word:
			return t, nil
		}
	}
	return nil, btf.ErrNotFound
}

// NamesOf are the names in spec that FindType takes.
func NamesOf(spec *btf.Spec) []string {
	var names []string
	for t, err := range spec.All() {
		if err != nil {
			break // what was read is enough to offer
		}
		if _, isDef := t.(*btf.Typedef); isDef {
			names = append(names, t.TypeName())
		} else if word := wordOf(t); word != "" && t.TypeName() != "" {
			names = append(names, word+" "+t.TypeName())
		}
	}
	return names
}

// With is the host with types that find knows before its own. names lists them.
func (h *Host) With(find func(name string) (btf.Type, error), names func() []string) *Host {
	more := *h
	more.Find = func(name string) (btf.Type, error) {
		t, err := find(name)
		if !errors.Is(err, btf.ErrNotFound) || h.Find == nil {
			return t, err
		}
		return h.Find(name)
	}
	more.Names = func() []string {
		list := names()
		if h.Names != nil {
			list = append(list, h.Names()...)
		}
		return list
	}
	return &more
}
