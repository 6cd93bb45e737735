package kernel

import (
	"os"
	"slices"
	"strings"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// The first user namespace has this number on every kernel.
const firstUserNamespace = "user:[4026531837]"

// capabilities are those that are wanted here and there.
var capabilities = map[string]int{
	"CAP_BPF": unix.CAP_BPF, "CAP_PERFMON": unix.CAP_PERFMON, "CAP_NET_ADMIN": unix.CAP_NET_ADMIN,
	"CAP_SYS_ADMIN": unix.CAP_SYS_ADMIN, "CAP_SYS_PTRACE": unix.CAP_SYS_PTRACE,
}

// Missing names what of a right this process lacks, and why it is wanted where that is not always so. In a user namespace
// of its own a process has no capability, whatever it has there. Nothing is lacking of what the kernel lets everybody do.
func (e *Engine) Missing(r *engine.Right) string {
	if r.Open && unprivilegedDisabled() == "0" {
		return ""
	}
	return missing(r)
}

// unprivilegedDisabled is the sysctl that says whether others than CAP_BPF may use bpf() for anything: with 0 they may,
// with 1 not until the next boot, with 2 not until root allows it.
func unprivilegedDisabled() string {
	text, err := os.ReadFile("/proc/sys/kernel/unprivileged_bpf_disabled")
	if err != nil { // a kernel that was built without
		return "0"
	}
	return strings.TrimSpace(string(text))
}

func missing(r *engine.Right) string {
	if r.Until != "" && !Older(r.Until) {
		return ""
	}
	ns, err := os.Readlink("/proc/self/ns/user")
	outside := err == nil && ns != firstUserNamespace
	has := func(name string) bool {
		c, known := capabilities[name]
		return known && !outside && effective(c)
	}
	text := strings.Join(slices.DeleteFunc(slices.Clone(r.Wants), func(name string) bool {
		stands := (name == "CAP_BPF" || name == "CAP_PERFMON") && has("CAP_SYS_ADMIN")
		return has(name) || stands
	}), ", ")
	if text == "" {
		return ""
	}
	if outside {
		text += " outside its user namespace"
	}
	if sysctl := unprivilegedDisabled(); r.Open && sysctl != "0" {
		text += ", which kernel.unprivileged_bpf_disabled=" + sysctl + " asks for"
	}
	return text
}

// effective says whether this process has a capability, be it in a user namespace of its own alone.
func effective(c int) bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	return unix.Capget(&header, &data[0]) != nil || data[c/32].Effective&(1<<(c%32)) != 0
}
