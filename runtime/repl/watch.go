package repl

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"bpfsh/runtime"
	"bpfsh/runtime/render"
)

const (
	watchEvery = time.Second
	watchLeast = 50 * time.Millisecond
)

// watch runs a statement again and again, until it fails or is interrupted. On a terminal each output takes the place
// of the one before, on the alternate screen; the last stays.
func (l *loop) watch(rest string) error {
	every, text, err := l.parseWatch(rest)
	if err != nil {
		return err
	}
	line := l.addSource(text)
	draws := l.cfg.Output != nil && l.cfg.Output.Draws()
	err = l.session.Sequence(func(ctx context.Context) (err error) {
		if draws {
			defer func() { err = errors.Join(err, l.cfg.Output.End()) }()
		}
		for n, took := 0, time.Duration(0); ; n++ {
			start := time.Now()
			head := render.WatchHead(start, every, took)
			if err := l.round(draws, head, text, line, n); err != nil {
				return err
			}
			took = time.Since(start)
			select {
			case <-ctx.Done():
				return &runtime.Stopped{Cause: context.Cause(ctx)}
			case <-time.After(max(0, every-took)):
			}
		}
	})
	var stopped *runtime.Stopped
	if errors.As(err, &stopped) && !errors.Is(err, runtime.ErrTimeout) && !errors.Is(err, runtime.ErrSteps) {
		return nil // it is how it ends
	}
	return err
}

// round runs the statement once, and shows what it prints.
func (l *loop) round(draws bool, head, text string, line int32, n int) error {
	if !draws {
		l.session.Print(head)
		return l.evaluate(text, line, n == 0)
	}
	if err := l.session.Flush(); err != nil {
		return err
	}
	l.cfg.Output.Begin()
	err := l.evaluate(text, line, n == 0)
	if stopped := (*runtime.Stopped)(nil); errors.As(err, &stopped) {
		return err // the frame before stays, which is whole
	}
	return errors.Join(err, l.cfg.Output.Draw(head, ""))
}

// parseWatch reads [SECONDS] EXPR. Without an expression it is the last that was entered.
func (l *loop) parseWatch(rest string) (every time.Duration, text string, err error) {
	every, text = watchEvery, rest
	if first, behind, _ := strings.Cut(rest, " "); isSeconds(first) {
		seconds, _ := strconv.ParseFloat(first, 64)
		every, text = time.Duration(seconds*float64(time.Second)), strings.TrimSpace(behind)
		if every < watchLeast || every > 24*time.Hour {
			return 0, "", fmt.Errorf(".watch: got %s, want from %v to a day", first, watchLeast.Seconds())
		}
	}
	if text != "" {
		return every, text, nil
	}
	for i := len(l.entered) - 1; i >= 0; i-- {
		if e := l.entered[i]; e.expr >= 0 {
			return every, e.text[e.expr:], nil
		}
	}
	return 0, "", errors.New(".watch: there is no expression to run again; want .watch [SECONDS] EXPR")
}

func isSeconds(word string) bool {
	seconds, err := strconv.ParseFloat(word, 64)
	return err == nil && word[0] >= '.' && word[0] <= '9' && seconds == seconds
}
