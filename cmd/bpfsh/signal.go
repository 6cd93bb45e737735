package main

import (
	"fmt"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"
)

// signalError is why a run was stopped.
type signalError struct{ Signal unix.Signal }

func (e *signalError) Error() string {
	switch e.Signal {
	case unix.SIGINT:
		return "interrupted"
	case unix.SIGTERM:
		return "terminated"
	default:
		return "stopped by " + unix.SignalName(e.Signal)
	}
}

// watchSignals lets SIGINT, SIGTERM and SIGHUP end what runs: the script first, then what it deferred. At a prompt
// SIGINT ends the statement only, and the others the prompt. Three signals in a row end the process, whatever it
// does. The function that is returned ends the watch.
func (sh *shell) watchSignals() (stop func()) {
	const patience, row = 3, 2 * time.Second
	signals := make(chan os.Signal, patience)
	// Named one by one: without a list SIGPIPE would be caught too, and a closed pipe no longer end the process.
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	go func() {
		count, last := 0, time.Time{}
		for s := range signals {
			sig := &signalError{s.(unix.Signal)}
			if time.Since(last) > row {
				count = 0
			}
			count, last = count+1, time.Now()
			if sh.prompt.active() {
				fmt.Fprintln(os.Stderr) // behind the ^C that the terminal shows
			}
			running := sh.session.Interrupt(sig)
			switch {
			case count >= patience && running, !running && !sh.prompt.active():
				sh.prompt.restore()
				die(sig.Signal)
			case sh.prompt.active() && sig.Signal != unix.SIGINT:
				sh.prompt.end(sig)
			case count == patience-1:
				fmt.Fprintln(os.Stderr, "bpfsh: still stopping; once more ends it at once")
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
	}
}

// die ends the process by the signal itself, so that a shell's loop around it ends too.
func die(sig unix.Signal) {
	signal.Reset(sig)
	unix.Kill(unix.Getpid(), sig)
	time.Sleep(time.Second) // it arrives at once, or is blocked
	os.Exit(128 + int(sig))
}
