package runtime

import (
	"context"
	"fmt"
	"os"
	"time"

	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

var processFunctions = []method.Row[*Session]{{
	Name:    "env",
	Params:  "name, default=None",
	Doc:     "The value of an environment variable, or default if it is not set.",
	Example: `m.pin(env("BPFFS", "/sys/fs/bpf") + "/flows", replace=True)`,
	Run: func(s *Session, c method.Call) (starlark.Value, error) {
		name, err := c.String(0, "name")
		if err != nil {
			return nil, err
		}
		if v, ok := os.LookupEnv(name); ok {
			return starlark.String(v), nil
		}
		return c.Or(1, starlark.None), nil
	},
}, {
	Name:    "hostname",
	Doc:     "The name of this machine.",
	Example: `write(hostname() + ".txt", "%d flows\n" % m.count())`,
	Run: func(s *Session, c method.Call) (starlark.Value, error) {
		name, err := os.Hostname()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		return starlark.String(name), nil
	},
}, {
	Name:   "sleep",
	Params: "duration",
	Doc:    "Wait: for \"1s\", \"200ms\", or a number of seconds.\nWhat was printed before is written out first.",
	Example: `before = sum(m.values(), by="packets")
sleep("200ms")
print(5 * (sum(m.values(), by="packets") - before), "packets a second")`,
	Run: func(s *Session, c method.Call) (starlark.Value, error) {
		d, err := c.Duration(0, "duration")
		if err != nil {
			return nil, err
		}
		if err := s.Flush(); err != nil {
			return nil, err
		}
		ctx := Context(c.Thread)
		select {
		case <-time.After(d):
			return starlark.None, nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	},
}}
