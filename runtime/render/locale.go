package render

import "strings"

// UTF8 says whether the locale's text is UTF-8, as LC_ALL, LC_CTYPE or LANG has it, or none of them says otherwise.
func UTF8(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToUpper(getenv(name)); locale != "" {
			return strings.Contains(locale, "UTF-8") || strings.Contains(locale, "UTF8")
		}
	}
	return true
}
