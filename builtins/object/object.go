// Package object reads ELF objects that clang has made for BPF: the maps that they declare, and their types.
package object

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"bpfsh/builtins/engine"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// Object is what an ELF object declares.
type Object struct {
	Maps  []Map     // by name
	Types *btf.Spec // nil where it has none
}

// Map is a map as an object declares it.
type Map struct {
	Name     string // may be longer than the kernel's names
	Spec     engine.Spec
	Contents []Entry // what is in it from the start: the variables of .data, the slots of an array of maps
	Frozen   bool    // it is frozen when its contents are in: .rodata
	Pinned   bool    // the object asks for a pin of the map's name
}

// Entry is a key and a value.
type Entry struct{ Key, Value []byte }

// Read reads the object at path.
func Read(path string) (*Object, error) {
	spec, err := ebpf.LoadCollectionSpec(path)
	if err != nil {
		return nil, err
	}
	o := &Object{Types: spec.Types}
	for _, name := range slices.Sorted(maps.Keys(spec.Maps)) {
		m, err := mapOf(name, spec.Maps[name])
		if err != nil {
			return nil, fmt.Errorf("%s: map %q: %w", path, name, err)
		}
		o.Maps = append(o.Maps, m)
	}
	return o, nil
}

func mapOf(name string, m *ebpf.MapSpec) (Map, error) {
	spec, err := specOf(m)
	if err != nil {
		return Map{}, err
	}
	made := Map{Name: name, Spec: *spec, Pinned: m.Pinning == ebpf.PinByName, Frozen: frozen(m)}
	for _, kv := range m.Contents {
		key, okKey := bytesOf(kv.Key)
		value, okValue := bytesOf(kv.Value)
		if !okKey || !okValue {
			continue // a program or a map of the object, which its loader puts in
		}
		made.Contents = append(made.Contents, Entry{key, value})
	}
	return made, nil
}

func specOf(m *ebpf.MapSpec) (*engine.Spec, error) {
	spec := &engine.Spec{
		Type: uint32(m.Type), Name: m.Name, KeySize: m.KeySize, ValueSize: m.ValueSize, MaxEntries: m.MaxEntries,
		Flags: m.Flags, MapExtra: m.MapExtra, NumaNode: m.NumaNode, Key: m.Key, Value: m.Value,
	}
	if _, section := m.Value.(*btf.Datasec); section { // as libbpf does: its variables are written one at a time
		spec.Flags |= unix.BPF_F_MMAPABLE
	}
	if _, none := m.Key.(*btf.Void); none { // of a section: its one key has no type
		spec.Key = nil
	}
	if m.InnerMap != nil {
		inner, err := specOf(m.InnerMap)
		if err != nil {
			return nil, err
		}
		spec.Inner = inner
	}
	if m.Extra != nil && m.Extra.Len() > 0 {
		return nil, errors.New("it has a field that bpfsh does not know")
	}
	return spec, nil
}

// frozen says that the map holds constants, which nobody writes once the program runs.
func frozen(m *ebpf.MapSpec) bool {
	_, section := m.Value.(*btf.Datasec)
	return section && m.Flags&unix.BPF_F_RDONLY_PROG != 0
}

// bytesOf are the bytes of what cilium/ebpf reads out of an object; ok is false for a reference.
func bytesOf(v any) ([]byte, bool) {
	switch v := v.(type) {
	case []byte:
		return v, true
	case uint32:
		return binary.NativeEndian.AppendUint32(nil, v), true
	default:
		return nil, false
	}
}
