package runtime

import (
	"context"
	"fmt"
	"math"
	"os"
	"time"

	"bpfsh/runtime/method"

	starlarktime "go.starlark.net/lib/time"
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
		d, err := duration(c)
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

func duration(c method.Call) (time.Duration, error) {
	var d time.Duration
	switch v := c.Args[0].(type) {
	case starlark.String:
		var err error
		if d, err = time.ParseDuration(string(v)); err != nil {
			return 0, c.Bad("duration", v, `a time such as "1s" or "200ms"`)
		}
	case starlarktime.Duration:
		d = time.Duration(v)
	case starlark.Int, starlark.Float:
		seconds, _ := starlark.AsFloat(v)
		if seconds > math.MaxInt64/float64(time.Second) {
			return 0, c.Bad("duration", v, "at most 292 years")
		}
		d = time.Duration(seconds * float64(time.Second))
	default:
		return 0, c.Bad("duration", v, `a time such as "1s", or a number of seconds`)
	}
	if d < 0 {
		return 0, c.Bad("duration", c.Args[0], "a time that is not negative")
	}
	return d, nil
}
