package builtins

import (
	"fmt"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

var perCPUFunctions = []method.Row[*Library]{{
	Name:   "percpu",
	Params: "x, by=None",
	Doc: "How much of something each CPU has, and how uneven that is.\n" +
		"x is a value of a per-CPU map, a list of numbers by CPU, or a per-CPU map or a loop over its values, whose entries are added up CPU by CPU. " +
		"by is the name of a field, or a function of one CPU's value; without it each number of a struct has a picture of its own. " +
		"The result has a record (cpu, online, value, share) for each CPU, and .sum, .mean, .max, .ratio. CPUs that do not run count for the mean only if they have something.",
	Example: `show(percpu(drops[1]))
if percpu(drops).ratio > 4:
    warn("one CPU has most of the drops")
percpu([3, 4, 90, 2]).max`,
	Run: (*Library).percpu,
}}

func (l *Library) percpu(c method.Call) (starlark.Value, error) {
	x := c.Args[0]
	if m, ok := x.(*Map); ok {
		values, err := m.entries("values")
		if err != nil {
			return nil, err
		}
		x = values
	}
	if e, ok := x.(*entries); ok && e.what != "keys" && e.m.value.CPUs > 0 {
		if column, ok := rawColumnOf(e, c.Args[1], true); ok && !column.keys {
			return l.percpuColumn(c, column)
		}
		return l.percpuOf(c, e, l.offline(e.m.value.CPUs), func(v starlark.Value) starlark.Value {
			if pair, ok := v.(starlark.Tuple); ok {
				return pair[1]
			}
			return v
		})
	}
	switch v := x.(type) {
	case *layout.PerCPU:
		return l.percpuOf(c, starlark.Tuple{v}, l.offline(v.Len()), nil)
	case *starlark.List, starlark.Tuple: // which may be of other CPUs than this machine's
		return l.percpuOf(c, starlark.Tuple{v}, nil, nil)
	}
	return nil, c.Bad("x", c.Args[0], "a value of a per-CPU map, a per-CPU map, or a list of numbers")
}

// percpuColumn adds up what need not be decoded.
func (l *Library) percpuColumn(c method.Call, column rawColumn) (starlark.Value, error) {
	totals := make([]layout.Total, column.entries.m.value.CPUs)
	err := column.each(c, func(b engine.Batch, values []byte) error {
		for i := range b.N {
			column.column.EachCPU(values, i, func(cpu int, n layout.Total) { totals[cpu] = totals[cpu].Plus(n) })
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s := &Skew{offline: l.offline(len(totals))}
	for _, t := range totals {
		s.values = append(s.values, quantity{whole: t})
	}
	return s, nil
}

// percpuOf adds up all values of x, CPU by CPU.
func (l *Library) percpuOf(c method.Call, x starlark.Iterable, offline []bool, value func(starlark.Value) starlark.Value) (starlark.Value, error) {
	if value == nil {
		value = func(v starlark.Value) starlark.Value { return v }
	}
	pick, err := picker(c, 1, false)
	if err != nil {
		return nil, err
	}
	// What is picked of one CPU's value: one number, or those of a struct by their names.
	parts := &Parts{head: "field", dict: starlark.NewDict(0), fresh: func() part { return &Skew{} }}
	names := given(c, 1)
	all := func(v starlark.Value) (starlark.Value, error) { return value(v), nil }
	err = l.picked(c, x, all, func(_, v starlark.Value) error {
		list := v.(starlark.Indexable)
		for cpu := range list.Len() {
			picked, err := pick(list.Index(cpu))
			if err != nil {
				return fmt.Errorf("cpu %d: %w", cpu, err)
			}
			if err := parts.addCPU(Skew{make([]quantity, list.Len()), offline}, cpu, picked, !names); err != nil {
				return fmt.Errorf("cpu %d: %w", cpu, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if only, found, _ := parts.dict.Get(starlark.None); found {
		return only, nil
	}
	if parts.dict.Len() == 0 {
		return nil, fmt.Errorf("%s: x: there are no numbers in it", c.Name)
	}
	return parts, nil
}

// addCPU adds what a CPU has: a number, or the numbers of a struct.
func (p *Parts) addCPU(empty Skew, cpu int, v starlark.Value, structs bool) error {
	if n, ok := numberOf(v); ok {
		return p.add(empty, starlark.None, cpu, n)
	}
	r, ok := v.(interface {
		Fields() []string
		Field(i int) starlark.Value
	})
	if !ok || !structs {
		return fmt.Errorf("got %s, want a number; by= chooses a field", method.Describe(v))
	}
	for i, name := range r.Fields() {
		n, ok := numberOf(r.Field(i))
		if !ok {
			continue
		}
		if err := p.add(empty, starlark.String(name), cpu, n); err != nil {
			return err
		}
	}
	return nil
}

func (p *Parts) add(empty Skew, key starlark.Value, cpu int, n quantity) error {
	v, found, err := p.dict.Get(key)
	if err != nil {
		return err
	}
	if !found {
		v = &Skew{make([]quantity, empty.Len()), empty.offline}
		if err := p.dict.SetKey(key, v); err != nil {
			return err
		}
	}
	s := v.(*Skew)
	if cpu >= len(s.values) {
		return fmt.Errorf("the elements are of different lengths")
	}
	s.values[cpu] = s.values[cpu].plus(n)
	return nil
}

// offline says which CPUs do not run; nil if that is not known.
func (l *Library) offline(cpus int) []bool {
	if n, err := l.engine.CPUs(); l.types.Online == nil || err != nil || n != cpus { // those of the memory engine need not be the machine's
		return nil
	}
	online, ok := l.types.Online()
	if !ok {
		return nil
	}
	offline := make([]bool, cpus)
	for i := range offline {
		offline[i] = i >= len(online) || !online[i]
	}
	return offline
}
