package engine

import (
	"slices"

	"golang.org/x/sys/unix"
)

// Right is what the kernel wants of a process before it does something.
type Right struct {
	Does  string   // what, as a row of the README's table
	Wants []string // capabilities, all of them; CAP_SYS_ADMIN stands for CAP_BPF and CAP_PERFMON too
	Until string   // the first kernel that does not want them any more; "" for none
	Open  bool     // nothing is wanted while kernel.unprivileged_bpf_disabled is 0
}

// The rights, one for each kind of thing that is done.
var (
	Using    = &Right{Does: "open a pin that its mode permits; entries, batches, variables, `events` of a ring buffer, `pin`, `unpin`", Wants: []string{"CAP_BPF"}, Until: "5.19", Open: true}
	Freezing = &Right{Does: "`freeze`", Wants: []string{"CAP_BPF"}, Until: "6.5"}

	Making           = &Right{Does: "`create` of hashes without LRU, arrays and ring buffers, and of maps of maps, programs, perf events and cgroups", Wants: []string{"CAP_BPF"}, Open: true}
	MakingPrivileged = &Right{Does: "`create` of all other types, but those of the next row", Wants: []string{"CAP_BPF"}}
	MakingNetwork    = &Right{Does: "`create` of `devmap`, `devmap_hash`, `sockmap`, `sockhash`, `xskmap`", Wants: []string{"CAP_BPF", "CAP_NET_ADMIN"}}
	MakingUnseeded   = &Right{Does: "`create` of hashes with `flags=BPF_F_ZERO_SEED`", Wants: []string{"CAP_SYS_ADMIN"}}

	KeepingTypes = &Right{Does: "types that the kernel keeps with a new map, which locks and storages need", Wants: []string{"CAP_BPF"}}

	Running       = &Right{Does: "`m.kernel` but for the following", Wants: []string{"CAP_BPF"}, Open: true}
	RunningEach   = &Right{Does: "`m.kernel.items`, `m.kernel.count`", Wants: []string{"CAP_BPF"}}
	RunningNested = &Right{Does: "`m.kernel` of a map of maps", Wants: []string{"CAP_BPF", "CAP_PERFMON"}}
	RunningLocked = &Right{Does: "`m.kernel` where values begin with a spin lock", Wants: []string{"CAP_BPF", "CAP_NET_ADMIN"}}
	RunningInside = &Right{Does: "`m.kernel` where values have a spin lock further behind", Wants: []string{"CAP_BPF", "CAP_NET_ADMIN", "CAP_PERFMON"}}
	RunningDevice = &Right{Does: "`m.kernel` of a `devmap`", Wants: []string{"CAP_BPF", "CAP_NET_ADMIN"}}
	Counting      = &Right{Does: "`count` without a walk, since Linux 6.6", Wants: []string{"CAP_BPF", "CAP_PERFMON"}}

	Finding      = &Right{Does: "`open` by id or name, `maps()`, the values of a map of maps, a program by its id or name, `events` of a ring buffer whose pin it may only read", Wants: []string{"CAP_SYS_ADMIN"}}
	Listening    = &Right{Does: "`events` of a `perf_event_array`", Wants: []string{"CAP_SYS_ADMIN"}}
	ReadingTypes = &Right{Does: "the types of a map that another process has made", Wants: []string{"CAP_SYS_ADMIN"}}
	Mounting     = &Right{Does: "a pin in `/sys/fs/bpf` where no bpffs is mounted", Wants: []string{"CAP_SYS_ADMIN"}}
	Taking       = &Right{Does: "a socket or an event that another user's process has open, with CAP_SYS_PTRACE", Wants: []string{"CAP_SYS_PTRACE"}}
)

// Rights are all of them, in the order of the README.
var Rights = []*Right{Using, Freezing, Making, MakingPrivileged, MakingNetwork, MakingUnseeded, KeepingTypes, Running, RunningEach, RunningNested, RunningDevice, RunningLocked, RunningInside, Counting,
	Finding, Listening, ReadingTypes, Mounting, Taking}

// Making is what making a map of the type wants.
func (k *Kind) Making() *Right {
	switch {
	case slices.Contains([]string{"devmap", "devmap_hash", "sockmap", "sockhash", "xskmap"}, k.Name):
		return MakingNetwork
	case slices.Contains([]string{"hash", "array", "prog_array", "perf_event_array", "percpu_hash", "percpu_array", "cgroup_array", "array_of_maps",
		"hash_of_maps", "cgroup_storage", "percpu_cgroup_storage", "ringbuf", "user_ringbuf", "rhash"}, k.Name):
		return Making
	default:
		return MakingPrivileged
	}
}

// Running is what running a program that works with a map wants. lockAt is where the spin lock of values is; -1 for none. each:
// it goes through all entries. A program that reads the kernel's own struct of a map, or points at a lock, the verifier
// takes for a way to speculate.
func (k *Kind) Running(lockAt int, each bool) *Right {
	switch {
	case lockAt > 0:
		return RunningInside
	case lockAt == 0:
		return RunningLocked
	case k.Nests:
		return RunningNested
	case k.Name == "devmap": // see kernel.bindsPrograms
		return RunningDevice
	case each: // by a function, which has types
		return RunningEach
	default:
		return Running
	}
}

// Making is what making the map wants.
func (s *Spec) Making() *Right {
	k := KindOf(s.Type)
	if s.Flags&unix.BPF_F_ZERO_SEED != 0 && k.Shape == Hashed {
		return MakingUnseeded
	}
	return k.Making()
}
