package builtins

import (
	"fmt"

	"bpfsh/builtins/layout"
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

var kernelOutputMethods = []method.Row[*KernelSide]{{
	Name:   "kernel.output",
	Params: "event, type=None, cpu=None",
	Doc: "Send an event by a program (bpf_ringbuf_output, bpf_perf_event_output).\n" +
		"event is bytes, a record, or with type what that makes bytes of. EAGAIN: the ring buffer is full. ENOENT: nobody reads the events of the CPU " +
		"of a perf_event_array; cpu says on which the program runs.",
	Example: `ring = create("ringbuf", max_entries=4096)
ring.kernel.output(b"hello")
ring.kernel.output((7, "sshd"), type="struct { u32 pid; comm comm; }")`,
	Run: func(k *KernelSide, c method.Call) (starlark.Value, error) {
		if err := k.has(c.Name, nil); err != nil {
			return nil, err
		}
		cpu, err := k.cpu(c, 2)
		if err != nil {
			return nil, err
		}
		event, err := k.event(c)
		if err != nil {
			return nil, err
		}
		// Of one that never fits the kernel says the same as of one that does not fit now.
		if most := int(k.m.info.MaxEntries) - 8 - 8; !k.m.kind.Keyed() && len(event) > most {
			return nil, k.m.bad(c.Name, "event", fmt.Errorf("it has %d bytes, and the ring has room for one of %d", len(event), most))
		}
		err = k.run(func() error { return k.m.raw.ProgramOutput(event, cpu) })
		return starlark.None, k.m.explain(c.Name, nil, err)
	},
}}

// event is the bytes to send.
func (k *KernelSide) event(c method.Call) ([]byte, error) {
	if given(c, 1) {
		t, err := typeArg(c, k.m.lib.known(k.m.raw), 1, "type")
		if err != nil {
			return nil, err
		}
		b := make([]byte, t.Size())
		if err := t.Encode(b, c.Args[0]); err != nil {
			return nil, k.m.bad(c.Name, "event", err)
		}
		return b, nil
	}
	switch v := c.Args[0].(type) {
	case starlark.Bytes:
		return []byte(v), nil
	case *layout.Record:
		return v.Bytes(), nil
	}
	return nil, c.Bad("event", c.Args[0], "bytes, a record, or type= to make bytes of it")
}
