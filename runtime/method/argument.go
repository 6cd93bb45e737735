package method

import (
	"fmt"
	"math"
	"time"

	starlarktime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"
)

// The readers below take argument i. A nil argument (left out) gives the zero value, or None.

// Bad is the error for argument what, which got a value it cannot use.
func (c Call) Bad(what string, got starlark.Value, want string) error {
	return fmt.Errorf("%s: %s: got %s, want %s", c.Name, what, Describe(got), want)
}

// String reads a string.
func (c Call) String(i int, name string) (string, error) {
	if c.Args[i] == nil {
		return "", nil
	}
	s, ok := starlark.AsString(c.Args[i])
	if !ok {
		return "", c.Bad(name, c.Args[i], "string")
	}
	return s, nil
}

// Bool reads True or False.
func (c Call) Bool(i int, name string) (bool, error) {
	switch v := c.Args[i].(type) {
	case nil:
		return false, nil
	case starlark.Bool:
		return bool(v), nil
	default:
		return false, c.Bad(name, v, "True or False")
	}
}

// Uint reads an integer from 0 to limit.
func (c Call) Uint(i int, name string, limit uint64) (uint64, error) {
	if c.Args[i] == nil {
		return 0, nil
	}
	n, ok := c.Args[i].(starlark.Int)
	if !ok {
		return 0, c.Bad(name, c.Args[i], "int")
	}
	u, ok := n.Uint64()
	if !ok || u > limit {
		return 0, c.Bad(name, n, fmt.Sprintf("0 to %d", limit))
	}
	return u, nil
}

// Uint32 reads an integer that fits the kernel's u32.
func (c Call) Uint32(i int, name string) (uint32, error) {
	u, err := c.Uint(i, name, math.MaxUint32)
	return uint32(u), err
}

// Positive reads an integer from 1; 0 says that none was given (or None).
func (c Call) Positive(i int, name string) (int, error) {
	switch v := c.Args[i].(type) {
	case nil, starlark.NoneType:
		return 0, nil
	case starlark.Int:
		if n, ok := v.Int64(); ok && n >= 1 && n <= math.MaxInt32 {
			return int(n), nil
		}
		return 0, c.Bad(name, v, "a positive number")
	default:
		return 0, c.Bad(name, v, "int")
	}
}

// Duration reads a time that is not negative: a string such as "200ms", a number of seconds, or Starlark's own.
func (c Call) Duration(i int, name string) (time.Duration, error) {
	var d time.Duration
	switch v := c.Args[i].(type) {
	case nil:
		return 0, nil
	case starlark.String:
		var err error
		if d, err = time.ParseDuration(string(v)); err != nil {
			return 0, c.Bad(name, v, `a time such as "1s" or "200ms"`)
		}
	case starlarktime.Duration:
		d = time.Duration(v)
	case starlark.Int, starlark.Float:
		seconds, _ := starlark.AsFloat(v)
		if seconds > math.MaxInt64/float64(time.Second) {
			return 0, c.Bad(name, v, "at most 292 years")
		}
		d = time.Duration(seconds * float64(time.Second))
	default:
		return 0, c.Bad(name, v, `a time such as "1s", or a number of seconds`)
	}
	if d < 0 {
		return 0, c.Bad(name, c.Args[i], "a time that is not negative")
	}
	return d, nil
}

// Or is argument i, or a default where it was left out.
func (c Call) Or(i int, value starlark.Value) starlark.Value {
	if c.Args[i] == nil {
		return value
	}
	return c.Args[i]
}

// Describe shows a value in an error: short ones as they are written, long ones by their type alone.
func Describe(v starlark.Value) string {
	const most = 60
	switch v := v.(type) {
	case nil:
		return "nothing"
	case starlark.NoneType, starlark.Bool:
		return v.String()
	case starlark.Int:
		if s := v.String(); len(s) <= most {
			return s
		}
	case starlark.String:
		if len(v) <= most {
			return v.String()
		}
		return "string of " + Counted(len(v), "byte")
	case starlark.Bytes:
		return Counted(len(v), "byte")
	case starlark.Sequence:
		if n := v.Len(); n >= 0 {
			return fmt.Sprintf("%s of %d", v.Type(), n)
		}
	}
	return v.Type()
}
