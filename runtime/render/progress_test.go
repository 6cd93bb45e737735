package render

import (
	"strings"
	"testing"
	"time"
)

// TestProgress draws after half a second, ten times a second at most, and takes its line away.
func TestProgress(t *testing.T) {
	now := time.Unix(1000, 0)
	for _, test := range []struct {
		name  string
		total int
		width int
		steps []time.Duration // before each Add(1000)
		want  string
	}{
		{"short", 5000, 0, []time.Duration{100e6, 100e6, 299e6}, ""},
		{"long", 5000, 0, []time.Duration{500e6, 50e6, 450e6}, "\rclear\\x1b 1,000 of 5,000  20%  2.00k/s\x1b[K\rclear\\x1b 3,000 of 5,000  60%  3.00k/s\x1b[K\r\x1b[K"},
		{"total not known", 0, 0, []time.Duration{1e9}, "\rclear\\x1b 1,000  1.00k/s\x1b[K\r\x1b[K"},
		{"more than there was", 500, 0, []time.Duration{1e9}, "\rclear\\x1b 1,000 of 500  100%  1.00k/s\x1b[K\r\x1b[K"},
		{"narrow", 5000, 20, []time.Duration{1e9}, "\rclear\\x1b 1,000 of…\x1b[K\r\x1b[K"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var sb strings.Builder
			p := &Progress{Out: &sb, What: "clear\x1b", Width: test.width, now: func() time.Time { return now }}
			p.Add(1)
			for range 2 { // it can be used again
				sb.Reset()
				asked := 0
				p.Start(func() int { asked++; return test.total })
				for _, d := range test.steps {
					now = now.Add(d)
					p.Add(1000)
				}
				p.Done()
				p.Done()
				if drawn := min(1, strings.Count(sb.String(), "\x1b[K")); asked != drawn {
					t.Errorf("asked %d times how much there is, want %d", asked, drawn)
				}
				if got := sb.String(); got != test.want {
					t.Errorf("got %q, want %q", got, test.want)
				}
			}
		})
	}
}

// TestProgressTwice does not tell of the total of the work before.
func TestProgressTwice(t *testing.T) {
	now := time.Unix(1000, 0)
	var sb strings.Builder
	p := &Progress{Out: &sb, What: "show", now: func() time.Time { return now }}
	for _, total := range []func() int{func() int { return 5000 }, nil} {
		sb.Reset()
		p.Start(total)
		now = now.Add(time.Second)
		p.Add(1000)
		p.Done()
	}
	if got, want := sb.String(), "\rshow 1,000  1.00k/s\x1b[K\r\x1b[K"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestNoProgress draws nothing where there is no terminal.
func TestNoProgress(t *testing.T) {
	for _, p := range []*Progress{nil, {}} {
		p.Start(func() int { panic("nobody looks") })
		p.Add(5)
		p.Done()
	}
}
