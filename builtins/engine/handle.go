package engine

import "fmt"

// Handle is an object that an entry of a map refers to: another map, a program, a cgroup, a process. An entry takes it
// as a descriptor, and gives it back as an id, if it does.
type Handle interface {
	// Value is what an entry takes for the object, in 4 bytes. It is good until Close.
	Value() uint32
	Close() error
}

// Program is a program that is loaded.
type Program struct {
	ID   uint32
	Name string
	Type uint32 // see ProgramType
}

// Objects finds what entries refer to beside maps.
type Objects interface {
	// Program opens a program by its id, ProgramPin by its pin.
	Program(id uint32) (Handle, Program, error)
	ProgramPin(path string) (Handle, Program, error)
	// NextProgram is the least id of a program that is greater than id; ENOENT after the last.
	NextProgram(id uint32) (uint32, error)
	// Path opens a file or a directory: a cgroup by its path, or what an inode_storage has an entry for.
	Path(path string) (Handle, error)
	// Process opens a process by its id: a key of a task_storage.
	Process(pid uint32) (Handle, error)
	// Descriptor opens what a process has open as one of its descriptors, such as a socket.
	Descriptor(pid, fd uint32) (Handle, error)
}

// programTypes are the kernel's names, at the kernel's numbers.
var programTypes = []string{
	"unspec", "socket_filter", "kprobe", "sched_cls", "sched_act", "tracepoint", "xdp", "perf_event", "cgroup_skb", "cgroup_sock",
	"lwt_in", "lwt_out", "lwt_xmit", "sock_ops", "sk_skb", "cgroup_device", "sk_msg", "raw_tracepoint", "cgroup_sock_addr",
	"lwt_seg6local", "lirc_mode2", "sk_reuseport", "flow_dissector", "cgroup_sysctl", "raw_tracepoint_writable", "cgroup_sockopt",
	"tracing", "struct_ops", "ext", "lsm", "sk_lookup", "syscall", "netfilter",
}

// ProgramType is the kernel's name for a type of programs, as bpftool writes it.
func ProgramType(typ uint32) string {
	if int(typ) < len(programTypes) {
		return programTypes[typ]
	}
	return fmt.Sprintf("type_%d", typ)
}
