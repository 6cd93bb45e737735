// Package layout turns the bytes of a map into Starlark values and back.
//
// The model is btf.Type. A spelling such as "struct { u32 a; be16 port; }" is parsed into one, a map's own
// BTF already is one; Of compiles either into a Type, which decodes and encodes, and which a script can call.
//
// One rule holds for every type: what was decoded can be encoded again, byte for byte. A decoder gives the
// friendly form (text, an address, a bool) only where encoding it gives the same bytes, and the raw bytes or
// the number otherwise; every encoder takes raw bytes of exactly its size.
//
// The package knows nothing of maps. What it asks of the machine comes in as a Host: types by name, and what numbers
// stand for, which people see and scripts do not.
package layout
