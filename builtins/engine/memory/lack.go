package memory

import (
	"bpfsh/builtins/engine"
)

// lacking is a table that has nothing. A table embeds it and has what its type has.
type lacking struct{}

func (lacking) lookup(key, value []byte) error                        { return engine.NotSupported }
func (lacking) update(key, value []byte, flags uint64, cpu int) error { return engine.NotSupported }
func (lacking) delete(key []byte) error                               { return engine.NotSupported }
func (lacking) take(key, value []byte) error                          { return engine.NotSupported }
func (lacking) nextKey(key, next []byte) error                        { return engine.NotSupported }
func (lacking) lookupBatch(*engine.Cursor, []byte, []byte, int) (int, error) {
	return 0, engine.NotSupported
}
func (lacking) takeBatch(*engine.Cursor, []byte, []byte, int) (int, error) {
	return 0, engine.NotSupported
}
func (lacking) slot(key []byte) []byte       { return nil }
func (lacking) each(func(key, value []byte)) {}
func (lacking) count() int                   { return 0 }
func (lacking) close()                       {}
