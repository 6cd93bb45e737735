package builtins

import (
	"fmt"

	"bpfsh/builtins/engine"
	"bpfsh/runtime"
	"bpfsh/runtime/method"
	"bpfsh/runtime/render"
)

// Operator is somebody at a prompt: asked before many entries are removed at once, or something is done that cannot be
// undone, and told how many went. A script has none.
type Operator struct {
	Confirm func(question string) (bool, error)
	Say     func(text string)
}

// SetOperator says who is at the prompt; nil: nobody is any more.
func (l *Library) SetOperator(o *Operator) { l.operator = o }

// allow asks the operator whether n entries may be removed. n is asked for only where it is told; less than 0 of it is not
// known.
func (m *Map) allow(c method.Call, force int, what string, n func() (int, error)) error {
	if asks, err := m.asks(c, force); !asks {
		return err
	}
	count, err := n()
	if err != nil || count == 0 || count == 1 {
		return err
	}
	return m.ask(c.Name, fmt.Sprintf("%s %s of %s?", what, entriesIn(count), m.labelID()))
}

// confirm asks the operator a question, which is made only where it is told.
func (m *Map) confirm(c method.Call, force int, question func() string) error {
	if asks, err := m.asks(c, force); !asks {
		return err
	}
	return m.ask(c.Name, question())
}

// asks says whether the operator is asked: not where there is nobody, nor where the argument force says that there is no
// need to.
func (m *Map) asks(c method.Call, force int) (bool, error) {
	forced, err := c.Bool(force, "force")
	return err == nil && !forced && m.lib.operator != nil && !m.info.ReadOnly, err // what cannot be done is not asked for
}

// ask asks the operator; "" is no question. The error says that nothing was done.
func (m *Map) ask(op, question string) error {
	if question == "" {
		return nil
	}
	yes, err := m.lib.operator.Confirm(question)
	if err == nil && !yes {
		err = fmt.Errorf("%s: %s: it was not confirmed, and nothing was done; force=True does not ask", op, m.label())
	}
	return err
}

// said tells the operator what was done.
func (m *Map) said(op, done string, n int) {
	if o := m.lib.operator; o != nil {
		o.Say(fmt.Sprintf("%s: %s %s of %s", op, done, entriesIn(n), m.labelID()))
	}
}

func entriesIn(n int) string {
	switch n {
	case -1:
		return "all entries"
	case 1:
		return "1 entry"
	default:
		return render.Count(n) + " entries"
	}
}

// all is how many entries an operation on all of them will meet.
func (m *Map) all(c method.Call) func() (int, error) {
	return func() (int, error) {
		if m.kind.Shape == engine.Ordered { // nobody knows without taking them out
			return -1, nil
		}
		return m.count(runtime.Context(c.Thread), c.Name)
	}
}
