package render

import (
	"fmt"
	"io"
	"time"
)

// Progress says on one line of a terminal how far a long piece of work is: "clear 180,000 of 1,048,576  17%  1.2M/s".
//
// The zero value draws nothing, and so does a nil one. Nothing is drawn in the first half second. It is used by one
// goroutine.
type Progress struct {
	Out   io.Writer // a terminal; nil: there is none
	Width int       // of the terminal; 0: 80
	ASCII bool      // as of Options
	What  string    // that is done

	now         func() time.Time // nil: time.Now
	total       func() int
	of, done    int
	began, next time.Time
	drawn       bool
}

const (
	patience = time.Second / 2  // before the first line
	interval = time.Second / 10 // between lines
)

// Start begins a piece of work. total is asked how much there is when the first line is drawn; it answers 0 if that is
// not known, and so does nil.
func (p *Progress) Start(total func() int) {
	if p == nil || p.Out == nil {
		return
	}
	if p.now == nil {
		p.now = time.Now
	}
	p.Done()
	p.total, p.of, p.done = total, 0, 0
	p.began = p.now()
	p.next = p.began.Add(patience)
}

// Add says that n more are done. Before Start it does nothing.
func (p *Progress) Add(n int) {
	if p == nil || p.began.IsZero() {
		return
	}
	p.done += n
	now := p.now()
	if now.Before(p.next) {
		return
	}
	if !p.drawn && p.total != nil {
		p.of = p.total()
	}
	p.next, p.drawn = now.Add(interval), true
	fmt.Fprintf(p.Out, "\r%s\x1b[K", p.line(now.Sub(p.began)))
}

// line leaves the terminal's last cell free: in it some terminals begin the next line.
func (p *Progress) line(took time.Duration) string {
	limit := p.Width - 1
	if p.Width == 0 {
		limit = 79
	}
	s := escapeLine(p.What) + " " + Count(p.done)
	if p.of > 0 {
		s += fmt.Sprintf(" of %s  %d%%", Count(p.of), min(100, int(100*float64(p.done)/float64(p.of))))
	}
	s += "  " + Rate(float64(p.done)/took.Seconds())
	return snip(s, max(limit, 1), p.ASCII)
}

// Done ends the work and takes the line away. It may be called more than once.
func (p *Progress) Done() {
	if p == nil || p.began.IsZero() {
		return
	}
	p.began = time.Time{}
	if p.drawn {
		p.drawn = false
		fmt.Fprint(p.Out, "\r\x1b[K")
	}
}
