// Package host is what the machine knows: the types of its kernel, the symbols, interfaces and users, and the time.
// Each is read when it is first asked for, and a machine that does not tell leaves numbers as they are.
package host

import (
	"net"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"bpfsh/builtins/layout"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// New is what this machine knows.
func New() *layout.Host {
	return &layout.Host{
		Find:      findType,
		Names:     typeNames,
		Symbol:    symbol,
		Interface: interfaceName,
		User:      userName,
		Errno:     errnoName,
		Signal:    signalName,
		Process:   processName,
		Cgroup:    cgroupPath,
		Clock:     clock,
		Online:    online,
	}
}

// kernelTypes are the types of the running kernel.
var kernelTypes = sync.OnceValues(btf.LoadKernelSpec)

// findType finds "struct NAME", "union NAME", "enum NAME", or a typedef by its name, among the kernel's.
func findType(name string) (btf.Type, error) {
	spec, err := kernelTypes()
	if err != nil {
		return nil, btf.ErrNotFound // a kernel without types for itself
	}
	return layout.FindType(spec, name)
}

var typeNames = sync.OnceValue(func() []string {
	spec, err := kernelTypes()
	if err != nil {
		return nil
	}
	return layout.NamesOf(spec)
})

func interfaceName(index uint32) (string, bool) {
	i, err := net.InterfaceByIndex(int(index))
	if err != nil {
		return "", false
	}
	return i.Name, true
}

func userName(uid uint32) (string, bool) {
	u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return "", false
	}
	return u.Username, true
}

func errnoName(errno uint64) (string, bool) {
	if errno == 524 { // the kernel's own, which has no name in user space
		return "ENOTSUPP", true
	}
	name := unix.ErrnoName(unix.Errno(errno))
	return name, name != ""
}

func signalName(signal uint32) (string, bool) {
	name := unix.SignalName(unix.Signal(signal))
	return name, name != ""
}

func processName(pid uint32) (string, bool) {
	comm, err := os.ReadFile("/proc/" + strconv.FormatUint(uint64(pid), 10) + "/comm")
	return strings.TrimSuffix(string(comm), "\n"), err == nil
}

// clock is CLOCK_MONOTONIC, which bpf_ktime_get_ns gives, beside the time of the day.
func clock() (sinceBoot uint64, now time.Time) {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return 0, time.Now()
	}
	return uint64(t.Nano()), time.Now()
}

// symbol is the symbol that covers an address, and how far behind its start.
func symbol(addr uint64) (string, bool) {
	table := symbols()
	i, exact := slices.BinarySearchFunc(table, addr, func(s kernelSymbol, addr uint64) int {
		switch {
		case s.addr < addr:
			return -1
		case s.addr > addr:
			return 1
		default:
			return 0
		}
	})
	if !exact {
		if i--; i < 0 || i == len(table)-1 { // behind the last symbol there is no telling where it ends
			return "", false
		}
	}
	if off := addr - table[i].addr; off > 0 {
		return table[i].name + "+0x" + strconv.FormatUint(off, 16), true
	}
	return table[i].name, true
}
