// Package readonly is an engine that changes nothing: it passes on what reads, with handles that cannot write, and
// refuses the rest before anything is asked of the engine behind it.
package readonly

import (
	"bpfsh/builtins/engine"
)

// Engine is another engine without its writes. Each of them answers engine.ErrReadOnly.
type Engine struct {
	engine.Objects
	next engine.Engine
}

// New puts the wrapper before an engine.
func New(next engine.Engine) *Engine { return &Engine{next, next} }

var _ engine.Engine = (*Engine)(nil)

func (e *Engine) Create(engine.Spec) (engine.Map, error)       { return nil, engine.ErrReadOnly }
func (e *Engine) Unpin(string) error                           { return engine.ErrReadOnly }
func (e *Engine) NextID(id uint32) (uint32, error)             { return e.next.NextID(id) }
func (e *Engine) CPUs() (int, error)                           { return e.next.CPUs() }
func (e *Engine) Missing(r *engine.Right) string               { return e.next.Missing(r) }
func (e *Engine) Clock() (uint64, error)                       { return e.next.Clock() }
func (e *Engine) Counts() (map[uint32]int, error)              { return e.next.Counts() }
func (e *Engine) Holders() (engine.Holders, error)             { return e.next.Holders() }
func (e *Engine) OpenID(id uint32, _ bool) (engine.Map, error) { return wrap(e.next.OpenID(id, true)) }

func (e *Engine) Pinnable(path string, replace bool) (string, error) {
	return e.next.Pinnable(path, replace)
}

func (e *Engine) OpenPin(path string, _ bool) (engine.Map, error) {
	return wrap(e.next.OpenPin(path, true))
}

func wrap(m engine.Map, err error) (engine.Map, error) {
	if err != nil {
		return nil, err
	}
	return reader{m}, nil
}

// reader is a map without its writes. It embeds no writer: an operation that is added to engine.Writer does not compile
// until it is here.
type reader struct{ engine.Reader }

var _ engine.Map = reader{}

func (reader) Update(_, _ []byte, _ uint64) error          { return engine.ErrReadOnly }
func (reader) Delete([]byte) error                         { return engine.ErrReadOnly }
func (reader) LookupAndDelete(_, _ []byte, _ uint64) error { return engine.ErrReadOnly }
func (reader) UpdateBatch(_, _ []byte, _ int, _ uint64) (int, error) {
	return 0, engine.ErrReadOnly
}
func (reader) DeleteBatch([]byte, int) (int, error)             { return 0, engine.ErrReadOnly }
func (reader) WriteAt([]byte, int) error                        { return engine.ErrReadOnly }
func (reader) Freeze() error                                    { return engine.ErrReadOnly }
func (reader) Pin(string, bool) error                           { return engine.ErrReadOnly }
func (reader) ProgramUpdate(_, _ []byte, _ uint64, _ int) error { return engine.ErrReadOnly }
func (reader) ProgramDelete([]byte) error                       { return engine.ErrReadOnly }
func (reader) ProgramPush([]byte, uint64) error                 { return engine.ErrReadOnly }
func (reader) ProgramPop([]byte) error                          { return engine.ErrReadOnly }
func (reader) ProgramOutput([]byte, int) error                  { return engine.ErrReadOnly }
func (reader) Consume(int) (engine.Stream, error)               { return nil, engine.ErrReadOnly }
func (reader) LookupAndDeleteBatch(_ *engine.Cursor, _, _ []byte, _ int) (int, error) {
	return 0, engine.ErrReadOnly
}

func (reader) ProgramAdd([]byte, int, int, uint64, int) (sum uint64, told bool, err error) {
	return 0, false, engine.ErrReadOnly
}
