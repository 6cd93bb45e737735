package kernel

import (
	"errors"
	"fmt"
	"runtime"

	"bpfsh/builtins/engine"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// maxCPUs is more than any kernel is built for.
const maxCPUs = 1 << 14

// onCPU calls f on a CPU; on any for engine.AnyCPU. The thread goes back to the CPUs that it had.
//
// ERANGE: there is no such CPU. ENODEV: it is offline, or not among those of this process.
func onCPU(cpu int, f func() error) error {
	if cpu == engine.AnyCPU {
		return f()
	}
	if err := checkCPU(cpu); err != nil {
		return err
	}
	before, only := unix.NewCPUSet(maxCPUs), unix.NewCPUSet(maxCPUs)
	only.Set(cpu)
	runtime.LockOSThread()
	err := unix.SchedGetaffinityDynamic(0, before)
	if err == nil {
		err = unix.SchedSetaffinityDynamic(0, only)
	}
	if err == unix.EINVAL {
		err = unix.ENODEV
	}
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	err = f()
	if stays := unix.SchedSetaffinityDynamic(0, before); stays != nil {
		// The thread stays with this goroutine, and on this CPU: it must not run others there.
		return errors.Join(err, fmt.Errorf("the process stays on CPU %d: %w", cpu, stays))
	}
	runtime.UnlockOSThread()
	return err
}

func checkCPU(cpu int) error {
	n, err := ebpf.PossibleCPU()
	if err == nil && (cpu < 0 || cpu >= n) {
		err = unix.ERANGE
	}
	return err
}
