// Package object reads ELF objects that clang has made for BPF: the maps that they declare, and their types.
package object

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"bpfsh/builtins/engine"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// Object is what an ELF object declares.
type Object struct {
	Maps  []Map     // by name
	Types *btf.Spec // nil where it has none
	// NoMaps is why the maps could not be read, where the types could; nil if they were.
	NoMaps error
}

// Map is a map as an object declares it.
type Map struct {
	Name     string // may be longer than the kernel's names
	Spec     engine.Spec
	Contents []Entry // what is in it from the start: the variables of .data, the slots of an array of maps
	Frozen   bool    // it is frozen when its contents are in: .rodata
}

// Entry is a key, and a value or the name of the map that is one.
type Entry struct {
	Key, Value []byte
	Map        string
}

// Read reads the object at path. Whatever is there, the error names it.
func Read(path string) (*Object, error) {
	o, err := read(path)
	if err != nil && !strings.Contains(err.Error(), path) {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return o, err
}

func read(path string) (o *Object, err error) {
	if st, err := os.Stat(path); err != nil {
		return nil, err
	} else if !st.Mode().IsRegular() { // a pipe would never end
		return nil, fmt.Errorf("%s is no file", path)
	}
	defer func() { // what reads objects was made for those of compilers
		if x := recover(); x != nil {
			o, err = nil, fmt.Errorf("%s cannot be read as an object: %v", path, x)
		}
	}()
	if err := checkOrder(path); err != nil {
		return nil, err
	}
	spec, err := ebpf.LoadCollectionSpec(path)
	if err != nil { // a program of it may have what cilium/ebpf does not know; the types stand for themselves
		types, noTypes := btf.LoadSpec(path)
		if noTypes != nil {
			return nil, err
		}
		return &Object{Types: types, NoMaps: err}, nil
	}
	o = &Object{Types: spec.Types}
	for _, name := range slices.Sorted(maps.Keys(spec.Maps)) {
		m, err := mapOf(name, spec.Maps[name])
		if err != nil {
			return nil, fmt.Errorf("%s: map %q: %w", path, name, err)
		}
		o.Maps = append(o.Maps, m)
	}
	return o, nil
}

// checkOrder refuses an object for machines with the other order of bytes: its values would be other numbers here.
func checkOrder(path string) error {
	f, err := elf.Open(path)
	if format, ok := errors.AsType[*elf.FormatError](err); ok {
		return fmt.Errorf("%s is no ELF object: %w", path, format)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s is no ELF object: it ends too early", path)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if probe := []byte{1, 0}; f.ByteOrder.Uint16(probe) != binary.NativeEndian.Uint16(probe) {
		return fmt.Errorf("%s is for machines with the other order of bytes (%s)", path, f.ByteOrder)
	}
	return nil
}

func mapOf(name string, m *ebpf.MapSpec) (Map, error) {
	spec, err := specOf(m)
	if err != nil {
		return Map{}, err
	}
	made := Map{Name: name, Spec: *spec, Frozen: strings.HasPrefix(name, ".rodata")}
	for _, kv := range m.Contents {
		key, okKey := bytesOf(kv.Key)
		value, okValue := bytesOf(kv.Value)
		name, isName := kv.Value.(string)
		switch {
		case okKey && okValue:
			made.Contents = append(made.Contents, Entry{Key: key, Value: value})
		case okKey && isName && spec.Inner != nil:
			made.Contents = append(made.Contents, Entry{Key: key, Map: name})
		} // what is left are programs, which whoever loads them puts in
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
