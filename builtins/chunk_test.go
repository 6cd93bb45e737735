package builtins_test

import "bpfsh/runtime"

// chunk runs code whose names stay, as a prompt does.
func chunk(s *runtime.Session, code string) error {
	f, err := runtime.ChunkOptions().Parse("chunk.star", code, 0)
	if err != nil {
		return err
	}
	return s.Chunk(f, nil)
}
