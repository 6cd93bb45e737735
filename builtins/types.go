package builtins

import (
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

var typeFunctions = []method.Row[*Library]{{
	Name:   "typeof",
	Params: "spelling",
	Doc: "The type that a spelling names, as create takes it.\n" +
		"For example typeof(\"struct { u32 a; be16 port; }\"). A type can be called to make a value, has .size and .fields, and decodes and encodes bytes. Integers are u8 to u128 and i8 to " +
		"i128, or C's names; be16, be32, be64 are in network order; then bool, f32, f64, char[16] (text), bytes[6], ipv4, ipv6, mac, " +
		"cidr4, cidr6, void *, arrays such as u32[4], structs, unions, enums and bit fields with C's layout, packed too. ktime, duration, ifindex, " +
		"uid, pid, signal, errno, ksym, cgroup, dev, proto and hex(u32) are integers that tables show as what they stand for; comm is char[16]. \"struct NAME\" alone is looked for in loaded objects and the kernel.",
	Example: `T = typeof("struct { ipv4 addr; be16 port; u8 proto; }")
T.size                          # 8: there is padding, as in C
T(addr="10.0.0.1", port=443)    # proto is 0`,
	Run: func(l *Library, c method.Call) (starlark.Value, error) { return typeArg(c, l.types, 0, "spelling") },
}}
