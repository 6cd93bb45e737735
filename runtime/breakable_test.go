package runtime

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

// newBreakable is a fixture with functions that go on until somebody has seen enough. pressed is why they are
// interrupted.
func newBreakable(cfg Config, pressed error) *fixture {
	f := newFixture(cfg)
	functions := method.Functions(f, []method.Row[*fixture]{{
		Name: "goes_on", Params: "fn=None", Run: func(f *fixture, c method.Call) (starlark.Value, error) {
			return starlark.String("seen"), Breakable(c.Thread, func(ctx context.Context) error {
				if fn, ok := c.Args[0].(starlark.Callable); ok {
					_, err := starlark.Call(c.Thread, fn, nil, nil)
					return err
				}
				<-ctx.Done()
				return context.Cause(ctx)
			})
		},
	}, {
		Name: "press", Run: func(f *fixture, c method.Call) (starlark.Value, error) {
			f.Interrupt(pressed)
			return starlark.None, nil
		},
	}, {
		Name: "soon", Run: func(f *fixture, c method.Call) (starlark.Value, error) {
			go func() {
				time.Sleep(time.Second)
				f.Interrupt(pressed)
			}()
			return starlark.None, nil
		},
	}})
	for name, v := range functions {
		f.predeclared[name] = v
	}
	return f
}

// TestBreakable goes on with the script where somebody has seen enough, whatever it was doing, and ends it for any other
// reason.
func TestBreakable(t *testing.T) {
	pressed := fmt.Errorf("pressed: %w", ErrBreak)
	for name, code := range map[string]string{
		"waiting":       "soon()\nprint(goes_on())",
		"looping":       "def loop():\n    press()\n    while True: pass\nprint(goes_on(loop))",
		"failing":       "def work():\n    press()\n    for x in fails(): pass\nprint(goes_on(work))",
		"catching":      "def work():\n    press()\n    while True: catch(fail, 'x')\nprint(goes_on(work))",
		"within itself": "def inner():\n    press()\n    goes_on()\nprint(goes_on(lambda: goes_on(inner)))",
		"twice":         "soon()\nprint(goes_on())\nsoon()\ngoes_on()",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newBreakable(Config{}, pressed)
				before := f.Runs()
				if err := f.Run("s.star", []byte(code+"\nprint('after')\n")); err != nil {
					t.Fatal(err)
				}
				if got := f.out.String(); got != "seen\nafter\n" {
					t.Errorf("it printed %q", got)
				}
				if f.Runs() < before+2 {
					t.Error("what follows does not count as another run")
				}
				f.out.Reset()
				if err := f.Run("s.star", []byte("press()\nwhile True: pass\n")); !errors.Is(err, pressed) {
					t.Errorf("the next run ended with %v", err)
				}
				synctest.Wait()
			})
		})
		t.Run(name+" for another reason", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newBreakable(Config{}, errPressed)
				var stopped *Stopped
				if err := f.Run("s.star", []byte(code+"\nprint('after')\n")); !errors.As(err, &stopped) || stopped.Cause != errPressed {
					t.Errorf("it ended with %v", err)
				}
				if got := f.out.String(); got != "" {
					t.Errorf("it printed %q", got)
				}
			})
		})
	}
}

// TestBreakableFails has the errors that nobody broke.
func TestBreakableFails(t *testing.T) {
	f := newBreakable(Config{}, ErrBreak)
	if err := f.Run("s.star", []byte("goes_on(lambda: fail('enough'))\n")); err == nil || errors.Is(err, ErrBreak) {
		t.Errorf("it ended with %v", err)
	}
	if err := f.Run("s.star", []byte("def loop():\n    for x in fails(3): pass\ngoes_on(loop)\n")); !errors.Is(err, errBroken) {
		t.Errorf("it ended with %v", err)
	}
	if err := f.Run("s.star", []byte("def work():\n    x = [][0]\n_, err = catch(goes_on, work)\nprint(err)\n")); err != nil || f.out.Len() == 0 {
		t.Errorf("it ended with %v", err)
	}
	if err := Breakable(&starlark.Thread{}, func(context.Context) error { return errBroken }); err != errBroken {
		t.Errorf("without a session it is %v", err)
	}
}

// TestBreakableTimeout is no break: the time limit is the run's.
func TestBreakableTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBreakable(Config{Timeout: time.Second}, ErrBreak)
		if err := f.Run("s.star", []byte("goes_on()\n")); !errors.Is(err, ErrTimeout) {
			t.Errorf("it ended with %v", err)
		}
	})
}

// TestBreakableStuck waits no more for what has ended.
func TestBreakableStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBreakable(Config{Stuck: func(error) { t.Error("it counts as stuck") }}, ErrBreak)
		if err := f.Run("s.star", []byte("soon()\ngoes_on()\nsleep(10)\n")); err != nil {
			t.Error(err)
		}
	})
}
