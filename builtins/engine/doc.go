// Package engine is the way from bytes to maps and back.
//
// An Engine makes and finds maps; a Map is a Reader and a Writer on flat byte slices. The kernel's is in
// engine/kernel. Nothing here knows what the bytes mean, and nothing here knows Starlark.
//
// Every map has every operation: a type that lacks one answers with the kernel's errno for it, so that no
// caller asks beforehand and no wrapper has optional interfaces to pass on. Errors wrap a syscall.Errno, or
// are plain text where no system call was made.
package engine
