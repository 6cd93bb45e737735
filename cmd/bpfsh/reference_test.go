package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"bpfsh/builtins"
	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/memory"
	"bpfsh/runtime"
)

// TestReference compares what the README lists with the rows it is made from: the rights, the types of maps, and the functions.
func TestReference(t *testing.T) {
	const path = "../../README.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := string(text)
	for _, part := range []struct{ mark, text string }{{"rights", rights()}, {"types of maps", kinds()}, {"rows", reference()}} {
		begin := "<!-- made from the " + part.mark + " by go test ./cmd/bpfsh -update -->\n"
		before, rest, ok := strings.Cut(want, begin)
		_, after, ok2 := strings.Cut(rest, "<!-- end -->")
		if !ok || !ok2 {
			t.Fatalf("%s has no place for the %s", path, part.mark)
		}
		want = before + begin + part.text + "<!-- end -->" + after
	}
	switch {
	case string(text) == want:
	case *update:
		if err := os.WriteFile(path, []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is not what the rows say; go test ./cmd/bpfsh -update writes it", path)
	}
}

func reference() string {
	var sb strings.Builder
	for _, topic := range append(builtins.Topics(), runtime.Topics()...) {
		fmt.Fprintf(&sb, "\n**%s** %s\n\n", topic.Name, topic.Doc)
		for _, e := range topic.Entries {
			name := e.Signature()
			if e.Kind == "method" || e.Kind == "attribute" {
				name = "." + name
			}
			fmt.Fprintf(&sb, "- `%s` %s\n", name, e.Summary())
		}
	}
	return sb.String() + "\n"
}

// kinds is a table of the types of maps, from the one that the engines read.
func kinds() string {
	var sb strings.Builder
	sb.WriteString("\n| type | since | operations | m.kernel | memory |\n|---|---|---|---|---|\n")
	mark := func(have func(op string) bool, ops ...string) string {
		var list []string
		for _, op := range ops {
			if have(op) {
				list = append(list, op)
			}
		}
		return strings.Join(list, " ")
	}
	for i, k := range engine.Kinds[1:] {
		user := mark(k.Has, "update", "lookup", "delete", "pop", "push", "peek", "drain", "next_key", "items", "count", "clear", "match",
			"lookup_batch", "update_batch", "delete_batch", "pop_batch", "events")
		program := mark(k.ProgramHas, "lookup", "lookup_percpu", "update", "delete", "add", "push", "pop", "peek", "items", "count", "output")
		inMemory := ""
		if m, err := (&memory.Engine{}).Create(specOf(uint32(i + 1))); err == nil {
			m.Close()
			inMemory = "yes"
		}
		fmt.Fprintf(&sb, "| `%s` | %s | %s | %s | %s |\n", k.Name, k.Since, user, program, inMemory)
	}
	return sb.String() + "\n"
}

// rights is a table of what sets of capabilities permit on newer kernels, as TestRights finds it on the running one.
func rights() string {
	var sb strings.Builder
	sb.WriteString("\n| as a user who is not root, with | none |")
	for _, set := range capabilitySets[1:] {
		sb.WriteString(" " + strings.ReplaceAll(strings.Join(set, " "), "CAP_", "") + " |")
	}
	sb.WriteString("\n|" + strings.Repeat("---|", len(capabilitySets)+1) + "\n")
	for _, r := range engine.Rights {
		does := r.Does
		if r.Until != "" {
			does += fmt.Sprintf("; before Linux %s with %s", r.Until, strings.Join(r.Wants, ", "))
		}
		fmt.Fprintf(&sb, "| %s |", does)
		for i, set := range capabilitySets {
			switch {
			case r.Until != "" || lackedBy(set, r) == "":
				sb.WriteString(" yes |")
			case r.Open && i == 0:
				sb.WriteString(" by sysctl |")
			default:
				sb.WriteString(" |")
			}
		}
		sb.WriteByte('\n')
	}
	return sb.String() + "\n"
}

// specOf is a map of a type as simple as it can be.
func specOf(typ uint32) engine.Spec {
	k := engine.KindOf(typ)
	s := engine.Spec{Type: typ, KeySize: 4, ValueSize: 4, MaxEntries: 1, Flags: k.Flags}
	switch {
	case !k.Keyed():
		s.KeySize = 0
	case k.Trie:
		s.KeySize = 8
	case k.Nests:
		s.Inner = &engine.Spec{Type: 2, KeySize: 4, ValueSize: 4, MaxEntries: 1}
	}
	return s
}
