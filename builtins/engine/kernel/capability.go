package kernel

import (
	"os"
	"strings"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// The first user namespace has this number on every kernel.
const firstUserNamespace = "user:[4026531837]"

// Missing names the capabilities that bpf() may want and this process lacks. CAP_SYS_ADMIN stands for the others:
// it permits all that they do. In a user namespace of its own a process has none, whatever it has there.
func (e *Engine) Missing() string {
	return missing([]int{unix.CAP_BPF, unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN})
}

// needs are the capabilities that a type of program wants.
var needs = map[ebpf.ProgramType][]int{
	ebpf.SocketFilter: {unix.CAP_BPF},
	ebpf.SchedCLS:     {unix.CAP_BPF, unix.CAP_NET_ADMIN},
	ebpf.Tracing:      {unix.CAP_BPF, unix.CAP_PERFMON},
}

var capabilityNames = map[int]string{
	unix.CAP_BPF: "CAP_BPF", unix.CAP_SYS_ADMIN: "CAP_SYS_ADMIN", unix.CAP_NET_ADMIN: "CAP_NET_ADMIN", unix.CAP_PERFMON: "CAP_PERFMON",
}

// missing names those of the capabilities that this process lacks.
func missing(wanted []int) string {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return ""
	}
	has := func(c int) bool { return data[c/32].Effective&(1<<(c%32)) != 0 }
	ns, err := os.Readlink("/proc/self/ns/user")
	outside := err == nil && ns != firstUserNamespace
	if has(unix.CAP_SYS_ADMIN) && !outside {
		return ""
	}
	var lacks []string
	for _, c := range wanted {
		if outside || !has(c) {
			lacks = append(lacks, capabilityNames[c])
		}
	}
	text := strings.Join(lacks, ", ")
	if outside {
		text += " outside its user namespace"
	}
	return text
}
