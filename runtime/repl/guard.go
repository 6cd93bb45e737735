package repl

import (
	"encoding/binary"
	"encoding/hex"
	"io"
	"os"
	"os/exec"
	"os/signal"

	"golang.org/x/sys/unix"
)

// guardName is the first argument of a process that guards a terminal, and what ps shows.
const guardName = "bpfsh: guards the terminal"

// Guard belongs at the start of main. A line editor lets another process of the same program guard the terminal: it waits
// for the editor's end, and if that was no orderly one (SIGKILL, a panic in a library's goroutine) and nobody has
// changed the mode since, gives the terminal back. In that process Guard does so and ends it; in any other it
// returns.
func Guard() {
	if len(os.Args) == 3 && os.Args[0] == guardName {
		// What a terminal sends to all of its processes is not for this one.
		signal.Ignore(unix.SIGINT, unix.SIGQUIT, unix.SIGTSTP, unix.SIGHUP, unix.SIGTERM, unix.SIGTTOU, unix.SIGPIPE)
		guard(os.Stdin, os.Stdout, os.Args[1], os.Args[2])
		os.Exit(0)
	}
}

// guard waits until life ends. A byte on it says that all is well.
func guard(life io.Reader, tty *os.File, saved, raw string) {
	var data [1]byte
	if n, _ := life.Read(data[:]); n > 0 {
		return
	}
	now, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	if err != nil || spellMode(now) != raw { // the terminal is gone, or a shell has taken it
		return
	}
	if mode, ok := parseMode(saved); ok && unix.IoctlSetTermios(int(tty.Fd()), unix.TCSETS, mode) == nil {
		io.WriteString(tty, "\x1b[?2004l\n")
	}
}

// startGuard starts the guard of a terminal that was in the mode saved, and is raw now. The returned function tells it
// that the terminal was given back. Where it cannot be started, the terminal stays unguarded: that is no reason
// to have no prompt.
func startGuard(tty *os.File, saved string) (end func()) {
	raw, err := modeOf(tty)
	if err != nil {
		return func() {}
	}
	life, alive, err := os.Pipe()
	if err != nil {
		return func() {}
	}
	defer life.Close()
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: []string{guardName, saved, raw}, Stdin: life, Stdout: tty}
	if err := cmd.Start(); err != nil {
		alive.Close()
		return func() {}
	}
	go cmd.Wait()
	return func() {
		alive.Write([]byte{1})
		alive.Close()
	}
}

// modeOf is the mode of a terminal, as guardName's arguments have it.
func modeOf(tty *os.File) (string, error) {
	mode, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	if err != nil {
		return "", err
	}
	return spellMode(mode), nil
}

func spellMode(mode *unix.Termios) string {
	data, _ := binary.Append(nil, binary.NativeEndian, mode) // it has a fixed size
	return hex.EncodeToString(data)
}

func parseMode(text string) (*unix.Termios, bool) {
	mode := &unix.Termios{}
	data, err := hex.DecodeString(text)
	if err == nil {
		_, err = binary.Decode(data, binary.NativeEndian, mode)
	}
	return mode, err == nil
}
