package builtins

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"bpfsh/builtins/engine"
	"bpfsh/runtime"
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"
)

var kernelAttrs = []method.Attr[*Map]{{
	Name: "kernel",
	Doc: "The same operations, done by a program in the kernel.\n" +
		"m.kernel.update(key, value) and the others call the helper (bpf_map_update_elem ...) in a small program that bpfsh loads once and runs " +
		"each time. Programs write to frozen maps, see one CPU's value of a per-CPU map, and add in one step.",
	Get: func(m *Map) (starlark.Value, error) { return m.kernelSide(), nil },
}}

var kernelMethods = []method.Row[*KernelSide]{{
	Name:   "kernel.lookup",
	Params: "key, default=None, cpu=None",
	Doc: "The value that a program finds under key (bpf_map_lookup_elem).\n" +
		"default if there is none. Of a per-CPU map: the value of the CPU that the program runs on, which cpu chooses. A value with a spin lock is read under it.",
	Example: `m.kernel.lookup("10.0.0.9")      # None: there is no entry
drops.kernel.lookup(1, cpu=0)    # one value; drops[1] has all CPUs'`,
	Run: func(k *KernelSide, c method.Call) (starlark.Value, error) {
		cpu, err := k.cpu(c, 2)
		if err != nil {
			return nil, err
		}
		return k.lookup(c, func(key, value []byte) error { return k.m.raw.ProgramLookup(key, value, cpu) }, c.Or(1, starlark.None))
	},
}, {
	Name:   "kernel.lookup_percpu",
	Params: "key, cpu, default=None",
	Doc: "One CPU's value, as any CPU's program finds it.\n" +
		"It is bpf_map_lookup_percpu_elem, of per-CPU maps, since Linux 5.19; kernel.lookup(key, cpu=...) does it on every kernel.",
	Example: `[drops.kernel.lookup_percpu(1, cpu) for cpu in range(cpus())]`,
	Run: func(k *KernelSide, c method.Call) (starlark.Value, error) {
		cpu, err := k.cpu(c, 1)
		if err != nil {
			return nil, err
		}
		if cpu == engine.AnyCPU {
			return nil, c.Bad("cpu", c.Args[1], "the number of a CPU")
		}
		return k.lookup(c, func(key, value []byte) error { return k.m.raw.ProgramLookupPerCPU(key, value, cpu) }, c.Or(2, starlark.None))
	},
}, {
	Name:   "kernel.update",
	Params: "key, value, flags=BPF_ANY, cpu=None",
	Doc: "Write value under key from a program (bpf_map_update_elem).\n" +
		"Flags and errors are those of update; a frozen map does not refuse it. Of a per-CPU map one CPU's value is written, and the others stay: " +
		"that of cpu, or of the CPU the program happens to run on.",
	Example: `m.freeze()
m.kernel.update("10.0.0.1", (0, 0))    # m.update is refused now
drops.kernel.update(1, 0, cpu=0)       # the other CPUs' values stay`,
	Run: func(k *KernelSide, c method.Call) (starlark.Value, error) {
		flags, err := flagsOf(c, 2)
		if err != nil {
			return nil, err
		}
		cpu, err := k.cpu(c, 3)
		if err != nil {
			return nil, err
		}
		key, err := k.encodeKey(c)
		if err != nil {
			return nil, err
		}
		value, err := k.encodeValue(c.Name, c.Args[1])
		if err != nil {
			return nil, err
		}
		err = k.run(func() error { return k.m.raw.ProgramUpdate(key, value, flags, cpu) })
		if err != nil {
			return nil, k.m.failFlags(c.Name, c.Args[0], flags, err)
		}
		return starlark.None, nil
	},
}, {
	Name:   "kernel.delete",
	Params: "key, missing_ok=False",
	Doc: "Remove the entry under key from a program (bpf_map_delete_elem).\n" +
		"ENOENT: there is none, unless missing_ok. It returns whether there was one.",
	Example: `m.kernel.delete("10.0.0.1")
m.kernel.delete("10.0.0.9", missing_ok=True)    # False: there was none`,
	Run: func(k *KernelSide, c method.Call) (starlark.Value, error) {
		missingOK, err := c.Bool(1, "missing_ok")
		if err != nil {
			return nil, err
		}
		key, err := k.encodeKey(c)
		if err != nil {
			return nil, err
		}
		err = k.run(func() error { return k.m.raw.ProgramDelete(key) })
		if missingOK && errors.Is(err, unix.ENOENT) {
			return starlark.False, nil
		}
		return starlark.True, k.m.explain(c.Name, c.Args[0], err)
	},
}, {
	Name:   "kernel.push",
	Params: "value, flags=BPF_ANY",
	Doc:    "Add a value from a program (bpf_map_push_elem), as push does.",
	Example: `queue.kernel.push(8, BPF_EXIST)    # if it is full, the oldest value goes
seen.kernel.push("10.0.0.1")`,
	Run: func(k *KernelSide, c method.Call) (starlark.Value, error) {
		if err := k.has(c.Name, nil); err != nil {
			return nil, err
		}
		flags, err := flagsOf(c, 1)
		if err != nil {
			return nil, err
		}
		value, err := k.encodeValue(c.Name, c.Args[0])
		if err != nil {
			return nil, err
		}
		if err := k.run(func() error { return k.m.raw.ProgramPush(value, flags) }); err != nil {
			return nil, k.m.failFlags(c.Name, nil, flags, err)
		}
		return starlark.None, nil
	},
}, {
	Name:   "kernel.pop",
	Params: "key=..., default=...",
	Doc: "Take the next value of a queue or stack (bpf_map_pop_elem).\n" +
		"If it is empty: default if one is given, else ENOENT. Programs have no such step for maps with keys.",
	Example: `job = queue.kernel.pop(default=None)    # None if it is empty`,
	Run: func(k *KernelSide, c method.Call) (starlark.Value, error) {
		if err := k.has(c.Name, c.Args[0]); err != nil {
			return nil, err
		}
		if c.Args[0] != nil {
			return nil, k.m.noKey(c)
		}
		return k.next(c, c.Args[1], k.m.raw.ProgramPop)
	},
}, {
	Name:   "kernel.peek",
	Params: "default=...",
	Doc: "The next value of a queue or stack, which stays (bpf_map_peek_elem).\n" +
		"If it is empty: default if one is given, else ENOENT. `value in m.kernel` asks a bloom filter.",
	Example: `job = queue.kernel.peek(default=None)
print("10.0.0.1" in seen.kernel)    # a bloom filter has no peek`,
	Run: func(k *KernelSide, c method.Call) (starlark.Value, error) {
		if err := k.has(c.Name, nil); err != nil {
			return nil, err
		}
		return k.next(c, c.Args[0], k.m.raw.ProgramPeek)
	},
}}

// KernelSide is m.kernel: what a program in the kernel does with a map.
type KernelSide struct {
	m       *Map
	methods map[string]starlark.Value // bound once each
}

var (
	_ starlark.HasAttrs  = (*KernelSide)(nil)
	_ starlark.Container = (*KernelSide)(nil)
	_ runtime.Helper     = (*KernelSide)(nil)
)

func (m *Map) kernelSide() *KernelSide {
	if m.kernel == nil {
		m.kernel = &KernelSide{m, map[string]starlark.Value{}}
		m.lib.open.more(forPrograms)
	}
	return m.kernel
}

func (k *KernelSide) String() string        { return "kernel's side of " + k.m.String() }
func (k *KernelSide) Type() string          { return "bpf.map.kernel" }
func (k *KernelSide) Freeze()               {} // as of the map
func (k *KernelSide) Truth() starlark.Bool  { return true }
func (k *KernelSide) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: %s", k.Type()) }

var kernelTable = method.NewTable("bpf.map.kernel", nil, kernelRows)

// kernelRows are the rows of m.kernel.
var kernelRows = slices.Concat(kernelMethods, kernelAddMethods, kernelOutputMethods, kernelWalkMethods)

func (k *KernelSide) AttrNames() []string { return kernelTable.Names() }

// Attr says of the map's other methods that programs have none of them: a typing error is something else.
func (k *KernelSide) Attr(name string) (starlark.Value, error) {
	if v, ok := k.methods[name]; ok {
		return v, nil
	}
	v, err := kernelTable.Attr(k, name)
	switch {
	case err != nil:
	case v != nil:
		k.methods[name] = v
	case name == "keys" || name == "values":
		err = fmt.Errorf("kernel.%s: kernel.items() has .%s", name, name)
	case slices.ContainsFunc(mapAttrs, func(a method.Attr[*Map]) bool { return a.Name == name }):
		err = fmt.Errorf("kernel.%s: the map itself has it: m.%s", name, name)
	case mapTable.Has(name):
		err = fmt.Errorf("kernel.%s: no helper of programs does this: %s is for user space", name, name)
	}
	return v, err
}

// Help is what help(m.kernel) prints: the operations that programs have on the type, a line each.
func (k *KernelSide) Help() string {
	var sb strings.Builder
	sb.WriteString(k.String())
	if none := k.m.kind.Program.Of(""); none != "" && !k.m.kind.Streams {
		fmt.Fprintf(&sb, "\n  A program has no operation on %s: %s.", article(k.m.kind.Name), none)
	}
	var entries []method.Entry
	for _, e := range method.Entries("method", kernelRows) {
		if k.m.kind.ProgramHas(strings.TrimPrefix(e.Name, kernelPrefix)) {
			entries = append(entries, e)
		}
	}
	if k.m.kind.Shape == engine.Members {
		entries = append(entries, method.Entry{Name: "value in m.kernel", Doc: "Whether a value may be a member."})
	}
	if len(entries) > 0 {
		sb.WriteString("\n" + method.List(entries))
	}
	return sb.String()
}

// Has is key in m.kernel, or a value of a bloom filter.
func (k *KernelSide) Has(key starlark.Value) (bool, error) {
	const op = kernelPrefix + "in"
	if err := k.has(op, key); err != nil {
		return false, err
	}
	var b []byte
	var err error
	ask := func() error { return k.m.raw.ProgramLookup(b, k.value(), engine.AnyCPU) }
	switch {
	case k.m.kind.Shape == engine.Members:
		b, err = k.encodeValue(op, key)
		ask = func() error { return k.m.raw.ProgramPeek(b) }
	default:
		b, err = k.m.encodeKey(op, key)
	}
	if err != nil {
		return false, err
	}
	if err = k.run(ask); errors.Is(err, unix.ENOENT) {
		return false, nil
	}
	return err == nil, k.m.explain(op, key, err)
}

// has is nil for what programs can do with the type; the error of anything else says what to use instead.
func (k *KernelSide) has(op string, key starlark.Value) error {
	what := strings.TrimPrefix(op, kernelPrefix)
	// The helper that removes entries works on an array too, and answers there as the system call does.
	if k.m.kind.ProgramHas(what) || what == "delete" && k.m.kind.Shape == engine.Indexed {
		return nil
	}
	if k.m.key == nil {
		key = nil
	}
	return k.m.fail(op, key, errNotForType)
}

// run calls f, which may want descriptors.
func (k *KernelSide) run(f func() error) error { return k.m.lib.retry(f) }

// value is the buffer for one value, of one CPU.
func (k *KernelSide) value() []byte { return k.m.valueBuf[:k.m.info.ValueSize] }

// encodeKey writes the first argument of c to the buffer, if programs have the operation on the type.
func (k *KernelSide) encodeKey(c method.Call) ([]byte, error) {
	if err := k.has(c.Name, c.Args[0]); err != nil {
		return nil, err
	}
	return k.m.encodeKey(c.Name, c.Args[0])
}

// encodeValue writes value, of one CPU, to the buffer.
func (k *KernelSide) encodeValue(op string, value starlark.Value) ([]byte, error) {
	if err := k.m.value.Type.Encode(k.value(), value); err != nil {
		err = k.m.bad(op, "value", err)
		if k.m.info.CPUs > 0 {
			err = fmt.Errorf("%w; a program writes the value of one CPU", err)
		}
		return nil, err
	}
	return k.value(), nil
}

// cpu reads a cpu argument; left out or None, it is any.
func (k *KernelSide) cpu(c method.Call, i int) (int, error) {
	if !given(c, i) {
		return engine.AnyCPU, nil
	}
	n, err := k.m.lib.engine.CPUs()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", c.Name, err)
	}
	cpu, err := c.Uint(i, "cpu", uint64(n-1))
	return int(cpu), err
}

// lookup runs read, and decodes what it reads.
func (k *KernelSide) lookup(c method.Call, read func(key, value []byte) error, missing starlark.Value) (starlark.Value, error) {
	key, err := k.encodeKey(c)
	if err != nil {
		return nil, err
	}
	switch err := k.run(func() error { return read(key, k.value()) }); {
	case err == nil:
		if k.m.kind.Nests {
			return k.m.decodeValue(k.value()), nil
		}
		return k.m.value.Type.Decode(k.value()), nil
	case errors.Is(err, unix.ENOENT):
		return missing, nil
	default:
		return nil, k.m.fail(c.Name, c.Args[0], err)
	}
}

// next reads the next value of a queue or stack.
func (k *KernelSide) next(c method.Call, missing starlark.Value, read func([]byte) error) (starlark.Value, error) {
	err := k.run(func() error { return read(k.value()) })
	if missing != nil && errors.Is(err, unix.ENOENT) {
		return missing, nil
	}
	if err != nil {
		return nil, k.m.fail(c.Name, nil, err)
	}
	return k.m.value.Type.Decode(k.value()), nil
}
