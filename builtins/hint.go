package builtins

import (
	"strings"

	"bpfsh/builtins/engine"
)

// typesHint helps with values of a map whose types are guessed by their sizes.
func (m *Map) typesHint() string {
	why := " does not say its types"
	if m.info.BTF && m.lib.engine.Missing(engine.ReadingTypes) != "" {
		why = " has types, which are read with CAP_SYS_ADMIN alone"
	}
	return m.label() + why + "; open(..., key=..., value=...) gives them"
}

// Hint helps with an error of Starlark itself, which knows no maps; "" if it cannot.
func (l *Library) Hint(message string) string {
	before, after, _ := strings.Cut(message, ".")
	switch {
	case strings.HasPrefix(message, "unknown binary op: ") && strings.Contains(message, "percpu"):
		return "m.kernel.add(key, n) adds to one CPU's value; m[key] = [...] writes one for each CPU; .sum() is all of them"
	case strings.HasSuffix(message, "value of type bpf.map has no len"):
		return "m.count() counts the entries"
	case before == "can't assign to " && strings.HasSuffix(after, " field of record"):
		name := strings.TrimSuffix(after, " field of record")
		return "r.replace(" + name + "=...) is a copy with another value, to be written: m[key] = m[key].replace(" + name + "=...)"
	case strings.HasSuffix(before, "int has no ") || strings.HasSuffix(before, "bytes has no "):
		for _, p := range l.open.maps {
			if m := p.Value(); m != nil && (m.guessed.key || m.guessed.value) {
				return m.typesHint()
			}
		}
	}
	return ""
}
