package layout

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"bpfsh/runtime/method"
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
		what, quoteName(name), method.DidYouMean(name, quoteNames(names)), listNames(names))
}

// escapeName writes a name as it is but for what a terminal would obey, and for what is no text.
func escapeName(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return r == utf8.RuneError || !strconv.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

func listNames(names []string) string { return strings.Join(quoteNames(names), ", ") }

func quoteNames(names []string) []string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = quoteName(name)
	}
	return quoted
}

// quoteName writes a name as it is where it can be one in C. Others, which a script or another language gave, stand in
// quotes.
func quoteName(s string) string {
	if isName(s) {
		return s
	}
	return strconv.Quote(s)
}
