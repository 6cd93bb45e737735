package repl

import (
	"errors"
	"strings"
)

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

// Assisted is a Console that helps with what is typed. Run hands it its assistant before the first ReadLine.
type Assisted interface {
	Console
	Assist(Assistant)
}

// Assistant knows what may be typed next. It is asked while a ReadLine waits, and by one goroutine at a time.
type Assistant interface {
	// Complete says how what stands before the cursor can go on. It takes some 100 ms at most.
	Complete(before string) Completion
	// Hint is what is still missing of a call at the end of the line, to be shown behind it; "" for nothing.
	Hint(before string) string
}

// Interactive is the Console of somebody at a terminal. NewInteractive makes one.
type Interactive interface {
	Console
	// Confirm asks a question that is answered with yes or no, on a line of its own. Anything but y or yes, and the
	// end of the input, is no; Ctrl-C is ErrInterrupt. It is for the goroutine that calls ReadLine, and so for what
	// a statement runs.
	Confirm(question string) (bool, error)
	// Interrupt is told that a SIGINT came. It may be called from any goroutine, at any time.
	Interrupt()
	// Restore gives the terminal back in the mode it had at first. What waits for input returns io.EOF, and so does
	// each ReadLine after it. It may be called from any goroutine, at any time.
	Restore()
}

// NewInteractive makes the console that fits the terminal: an Editor, or a Plain if TERM is dumb or BPFSH_BASIC is
// set. It fails if Stdin is not a terminal.
func NewInteractive(cfg EditorConfig) (Interactive, error) {
	if IsPlain(cfg.getenv) {
		return NewPlain(cfg)
	}
	return NewEditor(cfg)
}

// IsPlain says that the terminal can only write line behind line, or is to be treated so.
func IsPlain(getenv func(string) string) bool {
	return getenv("TERM") == "dumb" || getenv("BPFSH_BASIC") != ""
}

// ErrInterrupt is what Ctrl-C makes of a line.
var ErrInterrupt = errors.New("interrupted")

// The prompts have the same width, so that a block's lines stand below each other.
const (
	promptFirst = "bpf> "
	promptNext  = "...> "
)

// prompts are the first prompt and the next, with a label in them: bpf(ro)>.
func prompts(label string) (first, next string) {
	if label == "" {
		return promptFirst, promptNext
	}
	first = "bpf(" + label + ")> "
	return first, strings.Repeat(".", len(first)-len("> ")) + "> "
}

// affirmative says whether an answer means yes.
func affirmative(answer string) bool {
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return true
	}
	return false
}
