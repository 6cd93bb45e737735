package main

import (
	"math"
	"os"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// tuneCollector lets the heap grow to five times what is in use before garbage is collected: a script makes much of it,
// and keeps little. Where that comes to half of the machine's memory the collector works harder again. GOGC and
// GOMEMLIMIT have the last word.
func tuneCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	var info unix.Sysinfo_t
	if debug.SetMemoryLimit(-1) == math.MaxInt64 && unix.Sysinfo(&info) == nil {
		debug.SetMemoryLimit(int64(info.Totalram) * int64(info.Unit) / 2)
	}
}
