package builtins

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bpfsh/builtins/engine"
	"bpfsh/runtime/method"

	"github.com/cilium/ebpf/btf"
)

// MapNames are what open takes that begins with prefix: names of maps, "id:144", and paths. It may be called while
// nothing runs.
func (l *Library) MapNames(prefix string) []string {
	if strings.Contains(prefix, "/") {
		found, _ := filepath.Glob(escapeGlob(prefix) + "*") // the pattern is well formed
		for i, path := range found {
			if st, err := os.Stat(path); err == nil && st.IsDir() {
				found[i] += "/" // it goes on
			}
		}
		return found
	}
	const most = 10000
	var found []string
	for id := uint32(0); len(found) < most; {
		next, err := l.engine.NextID(id)
		if err != nil {
			break
		}
		id = next
		m, err := l.engine.OpenID(id, true)
		if err != nil {
			continue
		}
		name := m.Info().Name
		m.Close()
		for _, text := range []string{name, fmt.Sprintf("id:%d", id)} {
			if text != "" && strings.HasPrefix(text, prefix) {
				found = append(found, text)
			}
		}
	}
	return found
}

func escapeGlob(text string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(text)
}

// Complete gives some keys of the map, as a script can write them: structs are tuples, whose parentheses prefix
// may lack. It may be called while nothing runs.
func (m *Map) Complete(kind, prefix string) []string {
	if kind != "key" || m.closed || m.key == nil || !m.kind.Has("items") {
		return nil
	}
	const most, looked = 50, 4096
	var found []string
	k := int(m.info.KeySize)
	walk := m.walk()
	if m.held == nil {
		walk = engine.NewWalk(m.raw, most)
	}
	for n := 0; n < looked && len(found) < most; {
		b, err := walk.Next()
		if err != nil { // io.EOF, or the keys found so far must do
			break
		}
		for i := range b.N {
			if text := m.key.Literal(b.Keys[i*k : (i+1)*k]); text != "" && strings.HasPrefix(strings.TrimPrefix(text, "("), strings.TrimPrefix(prefix, "(")) && len(found) < most {
				found = append(found, text)
			}
		}
		n += b.N
	}
	return found
}

// Entries are what the map says about the attributes and methods that its type has, for a list of them.
func (m *Map) Entries() []method.Entry {
	operations := slices.DeleteFunc(method.Entries("method", mapOperations), func(e method.Entry) bool { return !m.kind.Has(e.Name) })
	attributes := method.AttrEntries(mapAttributes)
	if _, variables := m.value.Type.BTF().(*btf.Datasec); !variables {
		attributes = slices.DeleteFunc(attributes, func(e method.Entry) bool { return e.Name == "vars" })
	}
	return slices.Concat(operations, method.Entries("method", lifecycleMethods), attributes)
}
