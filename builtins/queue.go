package builtins

import (
	"context"
	"errors"

	"bpfsh/builtins/engine"
	"bpfsh/runtime"
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"
)

var queueMethods = []method.Row[*Map]{{
	Name:   "push",
	Params: "value, flags=BPF_ANY",
	Doc: "Add a value to a queue, a stack or a bloom filter.\n" +
		"E2BIG: a queue or stack is full; with BPF_EXIST the oldest value makes room.",
	Example: `queue.push(8, BPF_EXIST)    # if it is full, the oldest value goes
seen.push("10.0.0.1")
print("10.0.0.1" in seen)`,
	Run: func(m *Map, c method.Call) (starlark.Value, error) {
		if m.kind.Shape != engine.Ordered && m.kind.Shape != engine.Members {
			return nil, m.fail(c.Name, nil, errNotForType)
		}
		flags, err := flagsOf(c, 1)
		if err != nil {
			return nil, err
		}
		value, err := m.encodeValue(c.Name, c.Args[0])
		if err != nil {
			return nil, err
		}
		if err := m.raw.Update(nil, value, flags); err != nil {
			return nil, m.failFlags(c.Name, nil, flags, err)
		}
		return starlark.None, nil
	},
}, {
	Name:   "peek",
	Params: "default=...",
	Doc: "The value that pop() would take next, without taking it.\n" +
		"If the queue or stack is empty: default if one is given, else ENOENT.",
	Example: `job = queue.peek(default=None)
if job != None and job < 10:
    queue.pop()`,
	Run: func(m *Map, c method.Call) (starlark.Value, error) {
		if m.kind.Shape != engine.Ordered {
			return nil, m.fail(c.Name, nil, errNotForType)
		}
		err := m.raw.Lookup(nil, m.valueBuf, 0)
		if c.Args[0] != nil && errors.Is(err, unix.ENOENT) {
			return c.Args[0], nil
		}
		if err != nil {
			return nil, m.explain(c.Name, nil, err)
		}
		return m.value.Decode(m.valueBuf), nil
	},
}, {
	Name:   "drain",
	Params: "force=False",
	Doc: "All values of a queue or stack, taken out as the loop comes to them.\n" +
		"What the loop does not reach stays in. At the prompt it asks first, unless force.",
	Example: `for job in queue.drain():
    print(job)
    if job > 100:
        break    # the jobs behind it stay in the queue`,
	Run: func(m *Map, c method.Call) (starlark.Value, error) {
		if m.kind.Shape != engine.Ordered {
			return nil, m.fail(c.Name, nil, errNotForType)
		}
		if err := m.allow(c, 0, "take out", m.all(c)); err != nil {
			return nil, err
		}
		return &drain{m: m}, nil
	},
}}

// drain is what drain returns.
type drain struct {
	m *Map
	n int // values that were taken out
}

var _ starlark.Iterable = (*drain)(nil)

func (d *drain) String() string             { return "drain of " + d.m.String() }
func (d *drain) Type() string               { return "drain" }
func (d *drain) Freeze()                    {}
func (d *drain) Truth() starlark.Bool       { return true }
func (d *drain) Hash() (uint32, error)      { return 0, errors.New("unhashable type: drain") }
func (d *drain) Iterate() starlark.Iterator { return d }

// Done has nothing to release; it tells an operator what is gone.
func (d *drain) Done() { d.m.said("drain", "took out", d.n) }

func (d *drain) Next(p *starlark.Value) bool {
	m := d.m
	if ctx := runtime.Context(m.thread); ctx.Err() != nil {
		runtime.Raise(m.thread, "drain", context.Cause(ctx))
	}
	value := make([]byte, m.info.Stride())
	err := m.raw.LookupAndDelete(nil, value, 0)
	if errors.Is(err, unix.ENOENT) {
		return false
	}
	if err != nil {
		runtime.Raise(m.thread, "drain", m.explain("drain", nil, err))
	}
	d.n++
	*p = m.value.Decode(value)
	return true
}
