package builtins_test

import (
	"strings"
	"testing"

	"bpfsh/builtins/engine/memory"
	"bpfsh/builtins/engine/memory/faulttest"

	"golang.org/x/sys/unix"
)

// TestNoMemoryAgain makes a map for which there was no memory once more, where another that nobody holds any more may have
// had it, and only there.
func TestNoMemoryAgain(t *testing.T) {
	for _, row := range []struct{ before, err string }{
		{`create("array", value="u64", max_entries=4)`, ""},
		{`m = create("array", value="u64", max_entries=4)`, "there is not enough memory"},
	} {
		e := faulttest.New(&memory.Engine{}, faulttest.Fault{Op: "Create", Nth: 2, Err: unix.ENOMEM})
		_, err := runOn(e, row.before+"\nfor i in range(100): pass\n"+`create("array", value="u64", max_entries=4)`)
		if row.err == "" && err != nil || row.err != "" && (err == nil || !strings.Contains(err.Error(), row.err)) {
			t.Errorf("behind %s: %v, want %q", row.before, err, row.err)
		}
	}
}
