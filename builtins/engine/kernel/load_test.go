package kernel

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"bpfsh/builtins/engine"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

func TestReason(t *testing.T) {
	for _, c := range []struct {
		name string
		log  []string
		want string
	}{
		{"none", nil, ""},
		{"with totals", []string{
			"0: (18) r6 = 0xffffc90000123000",
			"write into map forbidden, value_size=4 off=0 size=8",
			"processed 5 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0",
		}, "write into map forbidden"},
		{"with times and depths", []string{
			"cannot pass map_type 1 into func bpf_map_push_elem#87", "verification time 68 usec", "stack depth 0+0",
			"processed 5 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0",
		}, "cannot pass map_type 1 into func bpf_map_push_elem#87"},
		{"with blank lines behind it", []string{"write into map forbidden", "", "  ", ""}, "write into map forbidden"},
		{"nothing but totals", []string{"", "processed 0 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := fmt.Errorf("load program: %w", &ebpf.VerifierError{Cause: unix.EACCES, Log: c.log})
			if got := reason(err); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	if got := reason(unix.EINVAL); got != "" {
		t.Errorf("what the verifier has not said has reason %q", got)
	}
}

func TestRefused(t *testing.T) {
	said := func(errno unix.Errno, line string) error {
		return &ebpf.VerifierError{Cause: errno, Log: []string{line}}
	}
	for _, c := range []struct {
		name string
		err  error
		op   operation
		want error
	}{
		{"a map and a helper that do not fit", said(unix.EINVAL, "cannot pass map_type 1 into func bpf_map_push_elem#87"), opPush, engine.NotSupported},
		{"a helper that is there", said(unix.EACCES, "no"), opCount, &engine.LoadError{Errno: unix.EACCES, Reason: "no"}},
		{"no log", unix.EINVAL, opLookup, &engine.LoadError{Errno: unix.EINVAL}},
		{"no memory", unix.ENOMEM, opLookup, unix.ENOMEM},
		{"no descriptor", unix.EMFILE, opLookup, unix.EMFILE},
		{"not the kernel's", errors.New("no"), opLookup, errors.New("no")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.op.since != "" && Older(c.op.since) {
				t.Skipf("%s is there since Linux %s", helperNames[c.op.helper], c.op.since)
			}
			if got := refused(c.err, ebpf.SocketFilter, engine.Running, false, c.op); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %#v, want %#v", got, c.want)
			}
		})
	}
}
