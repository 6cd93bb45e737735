package engine

// What programs lack, and what to use instead, as in lacks.go. The names of the kernel's side begin with "kernel.".
var (
	noProgramWalk = lacks{
		{"next_key", "kernel.items() gives it all entries; from user space next_key(key) does it"},
		{"pop", "kernel.lookup, then kernel.delete; from user space pop(key) does it"},
	}
	noProgramEnds = lacks{
		{"push", "entries are written by key: kernel.update(key, value)"},
		{"peek", "entries are read by key: kernel.lookup(key)"},
	}
	noProgramEach = lacks{
		{"next_key", "from user space next_key(key) does it"},
		{"items", "from user space items() reads it"},
		{"count", "from user space count() does it"},
	}
	noCPUs = lacks{{"lookup_percpu", "it has one value for all CPUs: kernel.lookup(key)"}}

	perCPUProgramLacks = without(noProgramWalk, noProgramEnds)
	hashProgramLacks   = without(perCPUProgramLacks, noCPUs)
	// A helper for delete is there, and answers as the system call does.
	perCPUArrayProgramLacks = without(perCPUProgramLacks, lacks{
		{"delete", "an array has all its entries always: write zeros with kernel.update"},
		{"pop", "an array has all its entries always: read with kernel.lookup, then write zeros"},
	})
	arrayProgramLacks = without(perCPUArrayProgramLacks, noCPUs)
	trieProgramLacks  = without(hashProgramLacks, noProgramEach, lacks{
		{"in", "it finds the longest prefix that covers a key: kernel.lookup(key)"},
	})
	nestedProgramLacks = without(hashProgramLacks, noProgramEach, lacks{
		{"update", "only user space puts maps in it"},
		{"delete", "only user space takes maps out of it"},
		{"add", "its values are maps"},
	})
	deviceProgramLacks = without(hashProgramLacks, noProgramEach, lacks{
		{"update delete add", "only user space changes it"},
	})
	socketProgramLacks = without(hashProgramLacks, noProgramEach, lacks{
		{"lookup", "it gets the socket itself, and not a value; from user space lookup(key) reads it"},
		{"update", "it adds the socket that it works on"},
		{"delete", "newer kernels let only programs on sockets take one out; from user space delete(key) does it"},
		{"add", "its values are sockets"},
	})
	queueProgramLacks = lacks{
		{"lookup lookup_percpu in", "kernel.peek() looks at the next value"},
		{"update", "kernel.push(value) adds one"},
		{"delete", "kernel.pop() removes the next value"},
		{"next_key items", "kernel.pop() gives the values"},
		{"count", "the kernel does not tell how many values it holds"},
		{"add", "kernel.push(value) adds a value"},
	}
	bloomProgramLacks = lacks{
		{"lookup lookup_percpu peek", "value in m.kernel asks whether a value may be a member"},
		{"update add", "kernel.push(value) adds a member"},
		{"pop delete", "members cannot be removed, only the whole map"},
		{"next_key items", "its members cannot be listed"},
		{"count", "its members cannot be counted"},
	}
	tailCallProgramLacks    = lacks{{"", "it can only go on in one of its programs (bpf_tail_call)"}}
	eventProgramLacks       = lacks{{"", "it can send events to it, kernel.output(event), or read a counter (bpf_perf_event_read)"}}
	ringProgramLacks        = lacks{{"", "it can only send events to it: kernel.output(event)"}}
	stackProgramLacks       = lacks{{"", "it can only add the stack that it runs on (bpf_get_stackid)"}}
	cgroupArrayProgramLacks = lacks{{"", "it can only ask whether a task or a packet is under one of its cgroups"}}
	redirectProgramLacks    = lacks{{"", "it can send packets to it (bpf_redirect_map), and no more"}}
	reuseportProgramLacks   = lacks{{"", "it can only choose one of its sockets (bpf_sk_select_reuseport)"}}
	jumpProgramLacks        = lacks{{"", "it can only jump to one of its instructions"}}
	storageProgramLacks     = lacks{{"", "it gets an entry from the object that is its key, not from a number"}}
)
