package kernel

import (
	"fmt"
	"slices"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// Older says whether the running kernel is older than a release such as "6.19".
func Older(release string) bool {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return false
	}
	var have, want [2]int
	fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &have[0], &have[1])
	fmt.Sscanf(release, "%d.%d", &want[0], &want[1])
	return slices.Compare(have[:], want[:]) < 0
}

// keeps says whether the kernel takes for its own all that is meant for it in values of type t. One that does not know a
// field may keep the types and see plain bytes there.
func keeps(t btf.Type) bool {
	var f ownFields
	f.find(t, 0)
	if f.names == nil {
		return true
	}
	if f.locks > 1 || f.nested && Older("6.11") {
		return false
	}
	spec, err := btf.LoadKernelSpec()
	if err != nil { // it cannot be asked what it knows
		return true
	}
	return !slices.ContainsFunc(f.names, func(name string) bool {
		var known *btf.Struct
		return spec.TypeByName(name, &known) != nil
	})
}

// ownFields are what belongs to the kernel in a type.
type ownFields struct {
	names  []string
	locks  int
	nested bool // some is not a field of the value itself
}

func (f *ownFields) find(t btf.Type, depth int) {
	switch u := btf.UnderlyingType(t).(type) {
	case *btf.Struct:
		if slices.Contains(keptFields, u.Name) {
			f.names, f.nested = append(f.names, u.Name), f.nested || depth > 1
			if u.Name == "bpf_spin_lock" {
				f.locks++
			}
			return
		}
		for _, m := range u.Members {
			f.find(m.Type, depth+1)
		}
	case *btf.Array:
		f.find(u.Type, depth+1)
	}
}
