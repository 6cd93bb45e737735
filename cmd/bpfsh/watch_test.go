package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unicode"

	"github.com/creack/pty"
)

const (
	screenOpened = "\x1b[?1049h\x1b[?25l"
	screenClosed = "\x1b[?25h\x1b[?1049l\r"
)

// watched is a map whose numbers grow with each look.
const watched = `
m = create("hash", key="char[8]", value="u64", max_entries=16, name="flows")
m.update_batch({"one": 1, "two": 200, "three": 3})
looks = [0]
def step(entry):
    looks[0] += 1
    return entry[1] + looks[0]
`

// watchedScript is a file with code behind that of watched.
func watchedScript(t *testing.T, code string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "watched.star")
	if err := os.WriteFile(path, []byte(watched+code), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestWatchAtThePrompt draws on the alternate screen until Ctrl-C, and leaves the last frame above the prompt.
func TestWatchAtThePrompt(t *testing.T) {
	s := openScreen(t, nil, "--engine", "memory", "-q", "-X", "-i", "--color", "never", watchedScript(t, ""))
	s.wait("bpf(memory)> ")
	s.typed(`watch(m, every="50ms", by=step)` + "\r")
	s.wait(screenOpened)
	for range 3 {
		s.wait("\x1b[H")
		s.wait("every 50ms · 3 keys · scan ")
		s.wait("two")
	}
	s.wait("last 150ms") // rates of the looks behind the first
	s.typed("\x03")
	s.wait(screenClosed)
	s.wait("every 50ms · 3 keys")
	s.wait("~  two")
	s.wait("each line of rates has its own scale")
	s.wait("bpf(memory)> ")
	s.typed("'al' + 'ive', m.count()\r")
	s.wait(`("alive", 3)`)
	s.typed("watch(lambda: print('prin' + 'ted') or hist([5]), every=60)\r")
	s.wait("printed\x1b[K\r\n")
	s.wait("n=1")
	if err := pty.Setsize(s.f, &pty.Winsize{Rows: 10, Cols: 40}); err != nil {
		t.Fatal(err)
	}
	s.wait("printed\x1b[K\r\n") // drawn again, long before the next look
	s.wait("[4, 8)  1  100.0%  │" + strings.Repeat("█", 40-2-20) + "\x1b[K")
	s.typed("\x03")
	s.wait("bpf(memory)> ")
	s.typed("exit()\r")
	s.rest()
	if n := strings.Count(s.all.String(), screenOpened); n != 2 {
		t.Errorf("the alternate screen was opened %d times for two watches", n)
	}
}

// TestWatchInAScript ends with Ctrl-C, and the script goes on.
func TestWatchInAScript(t *testing.T) {
	s := openScreen(t, nil, "--engine", "memory", watchedScript(t, "watch(m, every='50ms')\nprint('af' + 'ter', m.count())\nexit(7)\n"))
	s.wait("last 100ms")
	s.typed("\x03")
	s.wait(screenClosed)
	s.wait("after 3\r\n")
	if rest := s.rest(); rest != "" || s.status() != 7 {
		t.Errorf("exit status %d, want 7; behind it there is %q", s.status(), rest)
	}
}

// TestWatchTerminated gives the terminal back, and dies of the signal.
func TestWatchTerminated(t *testing.T) {
	s := openScreen(t, nil, "--engine", "memory", watchedScript(t, "watch(m, every='50ms')\nprint('af' + 'ter')\n"))
	s.wait("last 100ms")
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.wait(screenClosed)
	s.wait("terminated")
	rest := s.rest()
	s.status()
	if status := s.cmd.ProcessState.Sys().(syscall.WaitStatus); strings.Contains(rest, "after") || status.Signal() != syscall.SIGTERM {
		t.Errorf("it ended with %v; behind it there is %q", s.cmd.ProcessState, rest)
	}
}

// TestWatchFails gives the terminal back before the error, which says what is wrong.
func TestWatchFails(t *testing.T) {
	s := openScreen(t, nil, "--engine", "memory", "--color", "never", watchedScript(t, `
def close(entry):
    if looks[0] > 6: m.close()
    return step(entry)
watch(m, every="50ms", by=close)
`))
	s.wait(screenOpened)
	s.wait(screenClosed)
	s.wait(`map "flows": the map is closed (EBADF)`)
	s.rest()
	if s.status() != 1 {
		t.Errorf("exit status %d, want 1", s.status())
	}
}

// TestWatchSlow says that a look takes longer than there is time for it.
func TestWatchSlow(t *testing.T) {
	s := openScreen(t, nil, "--engine", "memory", watchedScript(t, "watch(lambda: sleep('80ms') or 5, every='50ms')\n"))
	s.wait("every 50ms, but it takes 8")
	s.typed("\x03")
	s.rest()
}

// TestWatchWithoutDrawing writes frame behind frame where a terminal cannot draw, and in ASCII where it knows no more.
func TestWatchWithoutDrawing(t *testing.T) {
	script := watchedScript(t, "watch(m, every='50ms', max=3)\nshow(percpu([3, 99, 4, 0]))\nshow(hist([1, 5, 1 << 40]))\nshow(top(m, 2))\n")
	for _, env := range [][]string{{"TERM=dumb"}, {"TERM=dumb", "LC_ALL=C"}, {"LC_ALL=C"}} {
		out := onTerminalWith(t, env, "", "--engine", "memory", "--color", "never", script)
		if env[0] == "TERM=dumb" && (strings.Contains(out, "\x1b") || strings.Count(out, "scan ") != 3) {
			t.Errorf("%v: three frames are %q", env, out)
		}
		if env[len(env)-1] == "LC_ALL=C" && strings.ContainsFunc(out, func(r rune) bool { return r > unicode.MaxASCII }) {
			t.Errorf("%v: it is not ASCII: %q", env, out)
		}
		if strings.Contains(out, "last 150ms") {
			t.Errorf("%v: three looks have more than two rates: %q", env, out)
		}
		for _, want := range []string{"3 keys", "peak/s", "last 100ms", "max/mean 3.7", "n=3", "share"} {
			if !strings.Contains(out, want) {
				t.Errorf("%v: there is no %s in %q", env, want, out)
			}
		}
	}
}
