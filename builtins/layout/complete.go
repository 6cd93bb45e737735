package layout

import (
	"strings"

	"go.starlark.net/starlark"
)

// Complete lists the fields that T( can name: those that begin with prefix, if kind is "".
func (t *Type) Complete(kind, prefix string) []string {
	if kind != "" || t.record == nil {
		return nil
	}
	return beginning(t.record.names(), prefix)
}

// Complete lists the fields that r.replace( can name, and those of r[ as they stand there.
func (r *Record) Complete(kind, prefix string) []string {
	names := r.Fields()
	switch kind {
	case "fields": // replace's parameter
	case "key":
		for i, name := range names {
			names[i] = starlark.String(name).String()
		}
	default:
		return nil
	}
	return beginning(names, prefix)
}

func beginning(texts []string, prefix string) []string {
	var found []string
	for _, text := range texts {
		if strings.HasPrefix(text, prefix) {
			found = append(found, text)
		}
	}
	return found
}
