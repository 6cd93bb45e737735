package builtins

import (
	"fmt"

	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

var machineFunctions = []method.Row[*Library]{{
	Name:    "cpus",
	Doc:     "The number of possible CPUs.\nAn entry of a per-CPU map has one value for each.",
	Example: `drops[2] = [0] * cpus()    # one value for each CPU`,
	Run: func(l *Library, c method.Call) (starlark.Value, error) {
		n, err := l.engine.CPUs()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		return starlark.MakeInt(n), nil
	},
}, {
	Name: "ktime",
	Doc:  "The time that programs get from bpf_ktime_get_ns, in nanoseconds.\nIt starts with the machine and stands still while it sleeps.",
	Example: `starts = create("hash", key="pid", value="ktime", max_entries=64)
starts[1] = ktime()
age = (ktime() - starts[1]) // 1000000    # in milliseconds`,
	Run: func(l *Library, c method.Call) (starlark.Value, error) {
		ns, err := l.engine.Clock()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		return starlark.MakeUint64(ns), nil
	},
}}
