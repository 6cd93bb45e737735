// Package builtins is what a script sees of maps: the functions that make and find them, and the map value with
// its methods. Each file holds one concept and opens with its rows.
//
// A call goes one way. method binds the arguments; the body encodes keys and values with the map's layout types,
// hands the bytes to the engine's map, and decodes what comes back; an error is explained once, by the table in
// errors.go. The package makes no system calls, and what it knows of map types it reads in engine's table.
package builtins
