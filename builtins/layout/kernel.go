package layout

import (
	"slices"
	"strings"

	"bpfsh/runtime/method"

	"github.com/cilium/ebpf/btf"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// kernelObjects are the structs that the kernel keeps for itself within values. It knows them by their names; the
// shape is that of its interface, for types that are spelled without a body.
var kernelObjects = []*btf.Struct{
	spinLock,
	{Name: "bpf_res_spin_lock", Size: 4, Members: []btf.Member{{Name: "val", Type: uint32Type}}},
	opaqueStruct("bpf_timer", uint64Type, 2),
	opaqueStruct("bpf_wq", uint64Type, 2),
	{Name: "bpf_task_work", Size: 8, Members: []btf.Member{{Name: "__opaque", Type: uint64Type}}},
	opaqueStruct("bpf_refcount", uint32Type, 1),
	opaqueStruct("bpf_list_head", uint64Type, 2),
	opaqueStruct("bpf_list_node", uint64Type, 3),
	opaqueStruct("bpf_rb_root", uint64Type, 2),
	opaqueStruct("bpf_rb_node", uint64Type, 4),
}

var spinLock = &btf.Struct{Name: "bpf_spin_lock", Size: 4, Members: []btf.Member{{Name: "val", Type: uint32Type}}}

func opaqueStruct(name string, elem *btf.Int, n uint32) *btf.Struct {
	return &btf.Struct{Name: name, Size: elem.Size * n, Members: []btf.Member{{Name: "__opaque", Type: arrayType(elem, n)}}}
}

// objectByName is the type of "struct bpf_timer", or nil.
func objectByName(name string) btf.Type {
	for _, s := range kernelObjects {
		if name == "struct "+s.Name {
			return s
		}
	}
	return nil
}

// kptrTags mark a pointer that the kernel keeps, to an object of its own. Any other pointer is a number.
var kptrTags = []string{"kptr", "kptr_ref", "kptr_untrusted", "percpu_kptr"}

// kernelObject is the name of the object that a value of type t is, or "": a lock, a timer, a pointer to an object.
func kernelObject(t btf.Type) string {
	switch u := btf.UnderlyingType(t).(type) {
	case *btf.Struct:
		if slices.ContainsFunc(kernelObjects, func(s *btf.Struct) bool { return s.Name == u.Name }) {
			return u.Name
		}
	case *btf.Pointer:
		tag, _ := kptr(u)
		return tag
	}
	return ""
}

// kptr is the tag of a pointer that the kernel keeps, "" for any other, and what it points to.
func kptr(p *btf.Pointer) (tag string, target btf.Type) {
	target = p.Target
	for ok := true; ok; target, ok = unwrap(target) {
		if t, isTag := target.(*btf.TypeTag); isTag && slices.Contains(kptrTags, t.Value) {
			tag = t.Value
		}
		if _, isDef := target.(*btf.Typedef); isDef { // a tag behind it is of another pointer
			break
		}
	}
	return tag, target
}

// kptrTarget is what a pointer that the kernel keeps points to: the kernel looks for the name among its own types.
func kptrTarget(tag string, t btf.Type) btf.Type {
	if f, ok := t.(*btf.Fwd); ok && f.Kind == btf.FwdStruct {
		t = &btf.Struct{Name: f.Name}
	}
	return &btf.TypeTag{Value: tag, Type: t}
}

// spellPointer writes a pointer. What it points to is told only of those that the kernel keeps.
func spellPointer(p *btf.Pointer) string {
	tag, target := kptr(p)
	if tag == "" {
		return "void *"
	}
	what := ""
	switch t := target.(type) {
	case *btf.Struct:
		what = title("struct", t.Name)
	case *btf.Fwd: // a program that only passes it on need not know the fields
		what = title(t.Kind.String(), t.Name)
	}
	if !strings.Contains(what, " ") { // it has no name, or none that C allows
		what = "void"
	}
	return what + " __" + tag + " *"
}

// kernelCodec is an object that the kernel keeps within a value. A read gives zeros in its place, or what it was, and
// a write does not reach it.
type kernelCodec struct {
	name  string
	plain codec // of its bytes, to recognise zeros in any form
}

func (c kernelCodec) decode(b []byte) starlark.Value { return &Kept{c.name, string(b)} }

func (c kernelCodec) encode(b []byte, v starlark.Value) error {
	switch v := v.(type) {
	case starlark.NoneType:
		return nil
	case *Kept:
		if v.name == c.name && len(v.raw) == len(b) {
			copy(b, v.raw)
			return nil
		}
	default:
		if c.plain.encode(b, v) == nil && strings.Trim(string(b), "\x00") == "" {
			return nil
		}
		clear(b)
	}
	return badf("got %s, want the <%s> that was read, or nothing: the kernel keeps it for itself", method.Describe(v), c.name)
}

// Kept is a part of a value that the kernel keeps for itself: a lock, a timer, a pointer to one of its objects. A
// script can see that it is there, and give it back where it was.
type Kept struct {
	name string
	raw  string
}

var _ starlark.Comparable = (*Kept)(nil)

func (k *Kept) String() string               { return "<" + k.name + ">" }
func (k *Kept) Type() string                 { return "kernel_object" }
func (k *Kept) Freeze()                      {} // it never changes
func (k *Kept) Truth() starlark.Bool         { return true }
func (k *Kept) Hash() (uint32, error)        { return method.HashString(k.raw), nil }
func (k *Kept) MarshalJSON() ([]byte, error) { return marshal(k) }

// CompareSameType finds two of them equal that are of one kind and hold the same bytes.
func (k *Kept) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	return equality(op, *k == *y.(*Kept), "kernel_object")
}

// HasKept says whether values have parts that the kernel keeps for itself.
func (t *Type) HasKept() bool {
	switch c := t.codec.(type) {
	case kernelCodec:
		return true
	case arrayCodec:
		return c.elem.HasKept()
	case *recordType:
		return slices.ContainsFunc(c.fields, func(f field) bool { return f.typ.HasKept() })
	default:
		return false
	}
}
