package runtime

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"bpfsh/runtime/method"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Status is the exit status that err deserves: 0 for nil, what an error with an ExitStatus method says, else 1.
func Status(err error) int {
	var with interface {
		error
		ExitStatus() int
	}
	switch {
	case err == nil:
		return 0
	case errors.As(err, &with):
		return with.ExitStatus()
	default:
		return 1
	}
}

// Report writes an error to the session's standard error: where, what, the line itself, the calls that led there,
// and what may help. An exit() is no error and is not reported.
func (s *Session) Report(err error) {
	var exit *Exit
	if err == nil || errors.As(err, &exit) {
		return
	}
	text := s.harmless(s.Explain(err))
	if s.cfg.Emphasize != nil {
		first, rest, _ := strings.Cut(text, "\n")
		text = strings.TrimSuffix(s.cfg.Emphasize(first)+"\n"+rest, "\n")
	}
	s.complain(text)
}

// Explain is the text that Report writes, without the last newline.
func (s *Session) Explain(err error) string {
	var stopped *Stopped
	errors.As(err, &stopped)
	// Only what is joined here and now is told one by one: what lies deeper belongs to the error around it.
	if joined, ok := err.(interface{ Unwrap() []error }); ok && err != error(stopped) {
		var texts []string
		for _, e := range joined.Unwrap() {
			texts = append(texts, s.Explain(e))
		}
		return strings.Join(texts, "\n")
	}
	var sb strings.Builder
	var eval *starlark.EvalError
	var syn syntax.Error
	var unresolved resolve.ErrorList
	switch {
	case errors.As(err, &unresolved):
		for i, e := range unresolved {
			if i > 0 {
				sb.WriteByte('\n')
			}
			s.at(&sb, e.Pos, e.Msg+s.didYouMean(e.Msg))
		}
	case errors.As(err, &syn):
		s.at(&sb, syn.Pos, syn.Msg)
	case errors.As(err, &eval):
		text := eval.Msg
		if stopped != nil && strings.HasPrefix(text, "Starlark computation cancelled") {
			text = stopped.Error()
		}
		frames := scriptFrames(eval.CallStack)
		if len(frames) == 0 {
			sb.WriteString(brief(text))
			break
		}
		s.at(&sb, frames[len(frames)-1].Pos, text)
		if len(frames) > 1 {
			sb.WriteString("\nTraceback (most recent call last):")
			for i, f := range frames {
				if half := 10; i == half && len(frames) > 2*half { // a recursion that went too deep
					fmt.Fprintf(&sb, "\n  ... %d more calls", len(frames)-2*half)
				} else if i < half || i >= len(frames)-half {
					fmt.Fprintf(&sb, "\n  %s: in %s", f.Pos, f.Name)
				}
			}
		}
	default:
		sb.WriteString(brief(err.Error()))
	}
	var detailed Detailed
	var hint starlark.String
	if errors.As(err, &detailed) {
		hint, _ = detailed.Detail("hint").(starlark.String)
	} else if eval != nil && s.cfg.Hint != nil {
		hint = starlark.String(s.cfg.Hint(eval.Msg))
	}
	if hint != "" {
		sb.WriteString("\nhint: " + string(hint))
	}
	var internal *InternalError
	if errors.As(err, &internal) {
		fmt.Fprintf(&sb, "\n%s", strings.TrimSpace(string(internal.Stack)))
	}
	return sb.String()
}

// brief is a message as a report has it: of one that names a value of a megabyte, the start and the end.
func brief(text string) string {
	const start, end = 2000, 200
	if len(text) <= start+end {
		return text
	}
	return fmt.Sprintf("%s ... (%d bytes more) ... %s", strings.ToValidUTF8(text[:start], ""), len(text)-start-end, strings.ToValidUTF8(text[len(text)-end:], ""))
}

// scriptFrames are the frames of a call stack that have a line, outermost first.
func scriptFrames(stack starlark.CallStack) []starlark.CallFrame {
	return slices.DeleteFunc(slices.Clone(stack), func(f starlark.CallFrame) bool { return f.Pos.Line == 0 })
}

// at writes a message with its place, the line and a mark below the column.
func (s *Session) at(sb *strings.Builder, pos syntax.Position, text string) {
	fmt.Fprintf(sb, "%s: %s", pos, brief(text))
	lines := strings.Split(s.sources[pos.Filename()], "\n")
	if pos.Line < 1 || int(pos.Line) > len(lines) {
		return
	}
	line := strings.TrimRight(lines[pos.Line-1], " \r")
	const longest = 200
	if line == "" || len(line) > longest {
		return
	}
	fmt.Fprintf(sb, "\n    %s", strings.ReplaceAll(line, "\t", " "))
	if col := int(pos.Col); col >= 1 && col <= utf8.RuneCountInString(line)+1 {
		fmt.Fprintf(sb, "\n    %s^", strings.Repeat(" ", col-1))
	}
}

// didYouMean helps with a name that is not defined.
func (s *Session) didYouMean(msg string) string {
	name, ok := strings.CutPrefix(msg, "undefined: ")
	if !ok {
		return ""
	}
	names := append(s.globals.Keys(), starlark.Universe.Keys()...)
	return method.DidYouMean(name, names)
}
