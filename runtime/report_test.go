package runtime

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestBrief reports an error that names a value of a megabyte: its start and its end.
func TestBrief(t *testing.T) {
	s := New(Config{})
	for _, text := range []string{strings.Repeat("x", 1<<20), strings.Repeat("é", 1<<20), strings.Repeat("x", 2201)} {
		got := s.Explain(errors.New("open: map " + text + ": there is none"))
		if len(got) > 2400 || !utf8.ValidString(got) || !strings.HasPrefix(got, "open: map ") || !strings.HasSuffix(got, ": there is none") || !strings.Contains(got, " bytes more) ... ") {
			t.Errorf("%d bytes: %.100s ... %s", len(got), got, got[max(0, len(got)-100):])
		}
	}
	short := strings.Repeat("x", 2200)
	if got := s.Explain(errors.New(short)); got != short {
		t.Errorf("what is short is cut to %d bytes", len(got))
	}
}
