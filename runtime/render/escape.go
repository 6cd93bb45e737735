package render

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Escape makes text harmless for a terminal: control characters other than newline and tab, characters that turn
// the direction of writing or the line, and bytes that are not UTF-8 become \x1b, \u202e and the like.
func Escape(text string) string {
	if !strings.ContainsFunc(text, dangerous) {
		return text
	}
	var sb strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD"):
			fmt.Fprintf(&sb, `\x%02x`, text[i])
		case !dangerous(r):
			sb.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&sb, `\x%02x`, r)
		default:
			fmt.Fprintf(&sb, `\u%04x`, r)
		}
	}
	return sb.String()
}

// escapeLine is Escape for a cell of a table, where newline and tab are not harmless either.
func escapeLine(text string) string {
	return strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(Escape(text))
}

func dangerous(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r == utf8.RuneError, unicode.IsControl(r), r == 0x2028, r == 0x2029:
		return true
	default:
		return unicode.Is(unicode.Bidi_Control, r)
	}
}
