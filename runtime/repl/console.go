package repl

import "errors"

// Console is where statements come from, and where they are remembered.
type Console interface {
	// ReadLine shows the prompt and returns what is entered behind it, which starts out as prefill. The line end
	// is not part of it, but there may be line ends within: of a paste, or of a block out of the history.
	//
	// io.EOF means that no more is to come, ErrInterrupt that the statement is to be forgotten.
	ReadLine(prompt, prefill string) (string, error)
	// Remember puts a block into the history, unless it is the newest there already. The error is of its file: the
	// block can be recalled in this session all the same.
	Remember(block string) error
	// Close gives back what the console holds. It is for the goroutine that calls ReadLine.
	Close() error
}

// ErrInterrupt is what Ctrl-C makes of a line.
var ErrInterrupt = errors.New("interrupted")

// The prompts have the same width, so that a block's lines stand below each other.
const (
	promptFirst = "bpf> "
	promptNext  = "...> "
)
