package engine_test

import (
	"slices"
	"testing"

	"bpfsh/builtins/engine"
)

// Where some holders were not seen, a map that has none may have one all the same.
func TestHeld(t *testing.T) {
	all := engine.Held[string]{By: map[uint32][]string{1: {"a"}}}
	some := engine.Held[string]{By: all.By, Partial: true}
	for _, row := range []struct {
		held  engine.Held[string]
		id    uint32
		want  []string
		known bool
	}{
		{all, 1, []string{"a"}, true}, {all, 2, nil, true},
		{some, 1, []string{"a"}, true}, {some, 2, nil, false},
		{engine.Held[string]{}, 1, nil, true},
	} {
		if got, known := row.held.Of(row.id); !slices.Equal(got, row.want) || known != row.known {
			t.Errorf("%+v of %d: got %q, %v", row.held, row.id, got, known)
		}
	}
}
