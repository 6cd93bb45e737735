package kernel

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// The first user namespace has this number on every kernel.
const firstUserNamespace = "user:[4026531837]"

// Missing names the capabilities that bpf() may want and this process lacks. CAP_SYS_ADMIN stands for the others:
// it permits all that they do. In a user namespace of its own a process has none, whatever it has there.
func (e *Engine) Missing() string {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return ""
	}
	if ns, err := os.Readlink("/proc/self/ns/user"); err == nil && ns != firstUserNamespace {
		return "CAP_BPF, CAP_SYS_ADMIN, CAP_NET_ADMIN outside its user namespace"
	}
	has := func(c int) bool { return data[c/32].Effective&(1<<(c%32)) != 0 }
	if has(unix.CAP_SYS_ADMIN) {
		return ""
	}
	var lacks []string
	for _, c := range []struct {
		number int
		name   string
	}{{unix.CAP_BPF, "CAP_BPF"}, {unix.CAP_SYS_ADMIN, "CAP_SYS_ADMIN"}, {unix.CAP_NET_ADMIN, "CAP_NET_ADMIN"}} {
		if !has(c.number) {
			lacks = append(lacks, c.name)
		}
	}
	return strings.Join(lacks, ", ")
}
