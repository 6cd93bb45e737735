package builtins

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"bpfsh/runtime"
	"bpfsh/runtime/method"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
)

var watchFunctions = []method.Row[*Library]{{
	Name:   "watch",
	Params: "x, every=\"1s\", by=None, top=20, order=\"value\", max=None, format=None",
	Doc: "Look at x again and again, until Ctrl-C or max times.\n" +
		"Of a map, or a loop over one, it shows the entries with the greatest numbers, as top does, and how fast each grows: from the time that was measured between two looks, and not below zero, since a counter that went down was reset. " +
		"order=\"rate\" puts those first that grow fastest. A function is called anew each time: what it returns is shown with rates if it is a number, or pairs or a dict of numbers, and else as show does. " +
		"On a terminal each look takes the place of the one before, and the last stays; elsewhere each row is written with its time, in json as a line. Ctrl-C ends watch, and a script goes on.",
	Example: `watch(m, every="50ms", by="bytes", max=3)
watch(lambda: sum(m.values(), by="packets"), every=0.05, max=2)
watch(lambda: percpu(drops[1]), every="50ms", max=2)`,
	Run: func(l *Library, c method.Call) (starlark.Value, error) {
		w, err := l.newWatch(c)
		if err != nil {
			return nil, err
		}
		return starlark.None, runtime.Breakable(c.Thread, w.run)
	},
}}

// The times from one look to the next.
const (
	leastEvery = 50 * time.Millisecond
	mostEvery  = 24 * time.Hour
)

// watch is one call of it.
type watch struct {
	l      *Library
	call   method.Call
	every  time.Duration
	top    int
	max    int // 0: no end
	byRate bool
	format *render.Format // nil: as the display's
	look   func() (*frame, error)
	screen Screen // nil: there is none

	heads string // of the rows that were written last
	last  []string
}

// frame is what one look has seen.
type frame struct {
	parts []string       // of the head
	rates *render.Rates  // nil: value is shown
	rows  *sliceRows     // of rates, for programs
	value starlark.Value // None: only what was printed
}

func (l *Library) newWatch(c method.Call) (*watch, error) {
	w := &watch{l: l, call: c, every: time.Second, top: 20}
	var err error
	if given(c, 1) {
		if w.every, err = c.Duration(1, "every"); err != nil {
			return nil, err
		}
		if w.every < leastEvery || w.every > mostEvery {
			return nil, c.Bad("every", c.Args[1], fmt.Sprintf("from %s to a day", leastEvery))
		}
	}
	if given(c, 3) {
		if w.top, err = c.Positive(3, "top"); err != nil {
			return nil, err
		}
	}
	if given(c, 4) {
		order, err := c.String(4, "order")
		if err != nil {
			return nil, err
		}
		if order != "value" && order != "rate" {
			return nil, c.Bad("order", c.Args[4], `"value" or "rate"`)
		}
		w.byRate = order == "rate"
	}
	if w.max, err = c.Positive(5, "max"); err != nil {
		return nil, err
	}
	if given(c, 6) {
		name, err := c.String(6, "format")
		if err != nil {
			return nil, err
		}
		f, err := render.ParseFormat(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		w.format = &f
	}
	w.look, err = w.looks()
	return w, err
}

// options are how values are written now.
func (w *watch) options() render.Options {
	o := w.l.options()
	if w.format != nil {
		o.Format = *w.format
	}
	if o.Format == render.FormatJSON { // a document has an end
		o.Format = render.FormatJSONL
	}
	return o
}

// run looks until the context is done.
func (w *watch) run(ctx context.Context) (err error) {
	if w.l.display.Out == nil {
		return nil
	}
	if w.options().Format == render.FormatTable && w.l.display.Screen != nil {
		w.screen = w.l.display.Screen()
	}
	if w.screen != nil {
		if err := w.l.display.flush(); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, w.screen.End()) }()
	}
	took := time.Duration(0)
	for n := 1; ; n++ {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		start := time.Now()
		if w.screen != nil {
			w.screen.Begin()
		}
		f, err := w.look()
		if err != nil {
			return err
		}
		took = time.Since(start)
		if err := w.show(f, start, took); err != nil || n == w.max {
			return err
		}
		if err := w.wait(ctx, w.every-took, f, start, took); err != nil {
			return err
		}
	}
}

// show draws a frame, or writes its rows.
func (w *watch) show(f *frame, at time.Time, took time.Duration) error {
	o := w.options()
	if w.screen != nil {
		text, err := w.text(f, o)
		if err != nil {
			return err
		}
		return w.screen.Draw(w.head(f, o, at, took), text)
	}
	if o.Format == render.FormatTable || o.Format == render.FormatMarkdown {
		return w.block(f, o, at, took)
	}
	return w.rows(f, o, at)
}

// head is the line above a frame.
func (w *watch) head(f *frame, o render.Options, at time.Time, took time.Duration) string {
	return o.Heading(append([]string{render.WatchHead(at, w.every, took)}, f.parts...))
}

// text is what stands below the head. Lines of a value that have changed since the last frame are marked.
func (w *watch) text(f *frame, o render.Options) (string, error) {
	const gutter = 2
	switch {
	case f.rates != nil:
		return f.rates.Draw(w.fit(o)), nil
	case f.value == starlark.None:
		return "", nil
	}
	if o.Width > 0 {
		o.Width -= gutter
	}
	text, err := o.Text(f.value)
	if err != nil {
		return "", err
	}
	lines := strings.Split(text, "\n")
	marked := make([]string, len(lines))
	for i, line := range lines {
		marked[i] = "  " + line
		if w.last != nil && (i >= len(w.last) || w.last[i] != line) {
			marked[i] = "~ " + line
		}
	}
	w.last = lines
	return strings.Join(marked, "\n"), nil
}

// fit leaves the rows that the screen has room for to what is drawn.
func (w *watch) fit(o render.Options) render.Options {
	if w.screen != nil {
		const others = 4 // the head, the names, the line below, and the last, which stays empty
		_, rows := w.screen.Size()
		o.Limit = max(1, rows-others)
	}
	return o
}

// block writes a frame behind the one before, for people.
func (w *watch) block(f *frame, o render.Options, at time.Time, took time.Duration) error {
	text := w.head(f, o, at, took) + "\n"
	if f.rates != nil && o.Format == render.FormatTable {
		text += f.rates.Draw(o) + "\n"
	} else if v := f.seen(); v != starlark.None {
		shown, err := o.Text(v)
		if err != nil {
			return err
		}
		text += shown + "\n"
	}
	if _, err := w.l.display.Out.Write([]byte(text + "\n")); err != nil {
		return err
	}
	return w.l.display.flush()
}

// seen is the value of a frame.
func (f *frame) seen() starlark.Value {
	if f.rows != nil {
		return f.rows
	}
	return f.value
}

// rows writes the rows of a frame with the time, for programs.
func (w *watch) rows(f *frame, o render.Options, at time.Time) error {
	if v := f.seen(); v != starlark.None {
		o.Heads = &w.heads
		if err := render.Write(w.l.display.Out, render.Timed{Value: v, At: at}, o); err != nil {
			return err
		}
	}
	return w.l.display.flush()
}

// wait waits, and draws the frame again where the terminal gets another size.
func (w *watch) wait(ctx context.Context, d time.Duration, f *frame, at time.Time, took time.Duration) error {
	const often = 100 * time.Millisecond
	end := time.Now().Add(d)
	columns, rows := w.size()
	for {
		left := time.Until(end)
		if left <= 0 {
			return nil
		}
		if w.screen != nil {
			left = min(left, often)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(left):
		}
		if c, r := w.size(); c != columns || r != rows {
			columns, rows = c, r
			if err := w.show(f, at, took); err != nil {
				return err
			}
		}
	}
}

func (w *watch) size() (columns, rows int) {
	if w.screen == nil {
		return 0, 0
	}
	return w.screen.Size()
}
