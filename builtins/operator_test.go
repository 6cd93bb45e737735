package builtins_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"bpfsh/builtins"
	"bpfsh/builtins/engine/memory"
	"bpfsh/runtime"

	"github.com/google/go-cmp/cmp"
)

// TestOperator asks before many entries go, says how many went, and leaves them where the answer is no.
func TestOperator(t *testing.T) {
	const made = `m = create("hash", key="u32", value="u32", max_entries=9000, name="flows")
m.update_batch({n: n for n in range(5000)})
q = create("queue", value="u32", max_entries=8, name="jobs")
[q.push(n) for n in range(3)]
a = create("array", value="u32", max_entries=4, name="slots")
one = create("hash", key="u32", value="u32", max_entries=4, name="one")
one[1] = 1
one.pin("/sys/fs/bpf/one")
m.pin("/sys/fs/bpf/flows")
m.pin("/sys/fs/bpf/again")
`
	const refused = "it was not confirmed, and nothing was done; force=True does not ask"
	for _, test := range []struct {
		code         string
		yes          bool
		asked, said  string
		err          string
		m, q, a, one int // entries left; of a, those that are not zero
	}{
		{"m.clear()", true, `remove 5,000 entries of map "flows" (id 1)?`, `clear: removed 5,000 entries of map "flows" (id 1)`, "", 0, 3, 4, 1},
		{"m.clear()", false, `remove 5,000 entries of map "flows" (id 1)?`, "", `clear: map "flows": ` + refused, 5000, 3, 4, 1},
		{"m.clear(force=True)", false, "", `clear: removed 5,000 entries of map "flows" (id 1)`, "", 0, 3, 4, 1},
		{"m.clear(force=1)", false, "", "", "force", 5000, 3, 4, 1},
		{"a.clear()", true, `zero 4 entries of map "slots" (id 3)?`, `clear: zeroed 4 entries of map "slots" (id 3)`, "", 5000, 3, 0, 1},
		{"a.clear()", false, `zero 4 entries of map "slots" (id 3)?`, "", refused, 5000, 3, 4, 1},
		{"q.clear()", true, `remove all entries of map "jobs" (id 2)?`, `clear: removed 3 entries of map "jobs" (id 2)`, "", 5000, 0, 4, 1},
		{"one.clear()", false, "", `clear: removed 1 entry of map "one" (id 4)`, "", 5000, 3, 4, 0},
		{"m.delete_batch([1, 2, 3])", true, `remove 3 entries of map "flows" (id 1)?`, `delete_batch: removed 3 entries of map "flows" (id 1)`, "", 4997, 3, 4, 1},
		{"m.delete_batch([1, 2, 3])", false, `remove 3 entries of map "flows" (id 1)?`, "", refused, 5000, 3, 4, 1},
		{"m.delete_batch([1, 9999], missing_ok=True, force=True)", false, "", `delete_batch: removed 1 entry of map "flows" (id 1)`, "", 4999, 3, 4, 1},
		{"m.delete_batch([1])", false, "", `delete_batch: removed 1 entry of map "flows" (id 1)`, "", 4999, 3, 4, 1},
		{"[0 for b in m.pop_batch()]", true, `remove 5,000 entries of map "flows" (id 1)?`, `pop_batch: removed 5,000 entries of map "flows" (id 1)`, "", 0, 3, 4, 1},
		{"[0 for b in m.pop_batch()]", false, `remove 5,000 entries of map "flows" (id 1)?`, "", refused, 5000, 3, 4, 1},
		{"[0 for b in m.pop_batch(force=True)]", false, "", `pop_batch: removed 5,000 entries of map "flows" (id 1)`, "", 0, 3, 4, 1},
		{"[0 for v in q.drain()]", true, `take out all entries of map "jobs" (id 2)?`, `drain: took out 3 entries of map "jobs" (id 2)`, "", 5000, 0, 4, 1},
		{"[0 for v in q.drain()]", false, `take out all entries of map "jobs" (id 2)?`, "", refused, 5000, 3, 4, 1},
		{"open('flows', readonly=True).clear()", true, "", "", "read-only", 5000, 3, 4, 1}, // there is nothing to ask
		{"a.freeze()", false, `freeze map "slots" (id 3), which ends all writing from user space for good?`, "", `freeze: map "slots": ` + refused, 5000, 3, 4, 1},
		{"a.freeze(); catch(a.freeze)", true, `freeze map "slots" (id 3), which ends all writing from user space for good?`, "", "", 5000, 3, 4, 1},
		{"a.freeze(force=True); a.frozen or fail('not frozen')", false, "", "", "", 5000, 3, 4, 1},
		{"open('slots', readonly=True).freeze()", false, "", "", "read-only", 5000, 3, 4, 1},
		{"q.pin('/sys/fs/bpf/one', replace=True)", false, `take the pin "/sys/fs/bpf/one" from map "one" (id 4), which nothing else is seen to hold?`, "", `pin: map "jobs": ` + refused, 5000, 3, 4, 1},
		{"q.pin('/sys/fs/bpf/flows', replace=True)", false, `take the pin "/sys/fs/bpf/flows" from map "flows" (id 1)?`, "", refused, 5000, 3, 4, 1},
		{"q.pin('/sys/fs/bpf/one', replace=True); open('/sys/fs/bpf/one') == q or fail('not pinned')", true, `take the pin "/sys/fs/bpf/one" from map "one" (id 4), which nothing else is seen to hold?`, "", "", 5000, 3, 4, 1},
		{"q.pin('/sys/fs/bpf/one', replace=True, force=True)", false, "", "", "", 5000, 3, 4, 1},
		{"q.pin('/sys/fs/bpf/one')", false, "", "", "there is something at /sys/fs/bpf/one already", 5000, 3, 4, 1},
		{"one.pin('/sys/fs/bpf/one', replace=True); q.pin('/sys/fs/bpf/jobs', replace=True)", false, "", "", "", 5000, 3, 4, 1}, // nobody loses it
		{"one.unpin()", false, `remove the pin "/sys/fs/bpf/one", which is all that is seen to hold map "one" (id 4) beside this bpfsh?`, "", `unpin: map "one": ` + refused, 5000, 3, 4, 1},
		{"one.unpin(); catch(open, '/sys/fs/bpf/one')[1].errno == 'ENOENT' or fail('it is there')", true, `remove the pin "/sys/fs/bpf/one", which is all that is seen to hold map "one" (id 4) beside this bpfsh?`, "", "", 5000, 3, 4, 1},
		{"one.unpin(force=True); m.unpin('/sys/fs/bpf/again')", false, "", "", "", 5000, 3, 4, 1},
		{"[0 for b in m.lookup_batch()]", false, "", "", "", 5000, 3, 4, 1},
		{"m.delete(1); m.pop(2); q.pop()", false, "", "", "", 4998, 2, 4, 1},
	} {
		t.Run(fmt.Sprintf("%s %t", test.code, test.yes), func(t *testing.T) {
			library := builtins.New(&memory.Engine{}, nil)
			defer library.Close()
			s := runtime.New(runtime.Config{Predeclared: library.Predeclared()})
			if err := chunk(s, made+"[a.update(i, 1) for i in range(4)]\n"); err != nil {
				t.Fatal(err)
			}
			var asked, said []string
			library.SetOperator(&builtins.Operator{
				Confirm: func(question string) (bool, error) { asked = append(asked, question); return test.yes, nil },
				Say:     func(text string) { said = append(said, text) },
			})
			err := chunk(s, test.code)
			if got := fmt.Sprint(err); test.err == "" && err != nil || !strings.Contains(got, test.err) {
				t.Errorf("got error %v, want %q", err, test.err)
			}
			if diff := cmp.Diff(test.asked, strings.Join(asked, "|")); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.said, strings.Join(said, "|")); diff != "" {
				t.Errorf("said (-want +got):\n%s", diff)
			}
			library.SetOperator(nil)
			check := fmt.Sprintf(`left = (m.count(), len([v for v in q.drain()]), sum([1 for v in a.values() if v]), one.count())
left == (%d, %d, %d, %d) or fail("left are %%s" %% (left,))`, test.m, test.q, test.a, test.one)
			if err := chunk(s, check); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestOperatorInterrupts does nothing where the question is answered with Ctrl-C.
func TestOperatorInterrupts(t *testing.T) {
	library := builtins.New(&memory.Engine{}, nil)
	defer library.Close()
	pressed := errors.New("pressed")
	library.SetOperator(&builtins.Operator{Confirm: func(string) (bool, error) { return true, pressed }})
	s := runtime.New(runtime.Config{Predeclared: library.Predeclared()})
	err := s.Run("x.star", []byte("m = create('hash', key='u32', value='u32', max_entries=9)\nm[1] = 1\nm[2] = 2\ndefer(lambda: m.count() == 2 or fail('gone'))\nm.clear()"))
	if !errors.Is(err, pressed) {
		t.Errorf("got %v, want %v", err, pressed)
	}
	if err := s.Finish(); err != nil {
		t.Error(err)
	}
}
