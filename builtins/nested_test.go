package builtins_test

import (
	"strings"
	"testing"
)

// TestSwapDrops leaves no map behind that was not put in, however build ends.
func TestSwapDrops(t *testing.T) {
	for _, build := range []string{
		"lambda new: fail('no')", "lambda new: new.close()", "lambda new: [k for k in closed]", "lambda new: exit(3)", "lambda: None", "lambda new: new.update('x', 1)",
	} {
		_, err := inMemory(`
inner = create("array", value="u32", max_entries=1, name="inner")
outer = create("array_of_maps", inner=inner, max_entries=2, name="outer")
outer[0] = inner
closed = create("hash", key="u32", value="u32", max_entries=1)
closed.close()
before = len(maps())
def check():
    len(maps()) == before or fail("there are %d maps, and were %d" % (len(maps()), before))
    outer[0] == inner or fail("it is another")
defer(check)
outer.swap(0, ` + build + `)
`)
		if err == nil || strings.Contains(err.Error(), "there are") || strings.Contains(err.Error(), "it is another") {
			t.Errorf("%s: %v", build, err)
		}
	}
}
