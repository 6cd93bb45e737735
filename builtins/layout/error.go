package layout

import (
	"fmt"
	"strings"

	"bpfsh/runtime/method"

	"go.starlark.net/syntax"
)

// EncodeError says why a value does not fit a type.
type EncodeError struct {
	Path string // where in the value: ".port", "[3].addr"; "" for the whole
	Text string
}

func (e *EncodeError) Error() string {
	if e.Path == "" {
		return e.Text
	}
	return strings.TrimPrefix(e.Path, ".") + ": " + e.Text
}

func badf(format string, args ...any) error {
	return &EncodeError{Text: fmt.Sprintf(format, args...)}
}

// within puts a step of the path before an error from an inner encoder.
func within(step string, err error) error {
	if e, ok := err.(*EncodeError); ok {
		return &EncodeError{step + e.Path, e.Text}
	}
	return &EncodeError{step, err.Error()}
}

// unknownField says that what has no such field, and which there are.
func unknownField(what, name string, names []string) string {
	return fmt.Sprintf("%s has no field %s%s; it has %s",
		what, quoteName(name), method.DidYouMean(name, names), strings.Join(names, ", "))
}

// quoteName shows a name from a script: as it is where it can be one, quoted otherwise.
func quoteName(s string) string {
	if isName(s) {
		return s
	}
	return syntax.Quote(s, false)
}
