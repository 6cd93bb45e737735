package render

import (
	"fmt"
	"strings"
	"time"
)

// WatchHead is the line above what is looked at again and again: when, how often, and if that is not so, how long it
// takes.
func WatchHead(now time.Time, every, took time.Duration) string {
	head := fmt.Sprintf("%s  every %s", now.Format("15:04:05"), every)
	if took > every {
		head += ", but it takes " + Took(took)
	}
	return head
}

// Took is a time as people read it: "0.98 ms", "12.30 s".
func Took(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

// Heading joins the parts of a line above what is shown, within the width.
func (o Options) Heading(parts []string) string {
	line := snip(escapeLine(strings.Join(parts, o.signs().dot+" ")), o.drawnWidth(), o.ASCII)
	return o.head(line)
}
