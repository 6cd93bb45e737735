// Package runtime is how Starlark runs: a session with its one thread, scripts and the files they load, limits
// and interrupts, errors raised and caught, deferred calls, exit, and the report of what went wrong. It also runs
// scripts against golden files.
//
// It has the functions that any script wants (catch, defer, exit, lines, sleep …) and knows nothing of maps.
package runtime
