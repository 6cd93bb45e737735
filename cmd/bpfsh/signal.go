package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"

	"bpfsh/runtime"

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

// Is says that SIGINT is somebody's at a terminal, who has seen enough.
func (e *signalError) Is(target error) bool {
	return target == runtime.ErrBreak && e.Signal == unix.SIGINT
}

// patientFor is how many signals in a row a run is given.
const patientFor = 3

// askForSignals has SIGINT, SIGTERM, SIGHUP and SIGPIPE brought to a channel, which wait returns when they are. It
// takes the runtime as long as all else that is to be done at the start, and is done beside that.
//
// SIGINT and SIGHUP stay ignored where who starts bpfsh has them ignored, as nohup does, and a shell behind an &.
func askForSignals() (wait func() <-chan os.Signal) {
	signals, asked := make(chan os.Signal, patientFor), make(chan struct{})
	go func() {
		wanted := []os.Signal{unix.SIGTERM, unix.SIGPIPE}
		for _, s := range []os.Signal{unix.SIGINT, unix.SIGHUP} {
			if !signal.Ignored(s) {
				wanted = append(wanted, s)
			}
		}
		signal.Notify(signals, wanted...)
		close(asked)
	}()
	return func() <-chan os.Signal {
		<-asked
		return signals
	}
}

// watch lets signals end what runs: the script first, then what it deferred. At a prompt SIGINT ends the statement only,
// and the others the prompt. Three signals in a row end the process, whatever it does. The watch lasts as long as the
// process.
func (sh *shell) watch(signals <-chan os.Signal) {
	const row = 2 * time.Second
	go func() {
		count, last, broken, run := 0, time.Time{}, false, 0
		for s := range signals {
			sig := &signalError{s.(unix.Signal)}
			if sig.Signal == unix.SIGPIPE {
				if broken { // what is deferred may print, and is not to end for it
					continue
				}
				broken = true
			}
			if now := sh.session.Runs(); time.Since(last) > row || now != run { // what was interrupted before has ended
				count, run = 0, now
			}
			count, last = count+1, time.Now()
			if sh.prompt.active() {
				fmt.Fprintln(os.Stderr) // behind the ^C that the terminal shows
			}
			running := sh.session.Interrupt(sig)
			if sig.Signal == unix.SIGINT {
				sh.prompt.interrupt()
			}
			switch {
			case count >= patientFor && running, !running && !sh.prompt.active() && sig.Signal != unix.SIGPIPE:
				sh.die(sig.Signal)
			case sh.prompt.active() && sig.Signal != unix.SIGINT:
				sh.prompt.end(sig)
			case count == patientFor-1 && running:
				fmt.Fprintln(os.Stderr, "bpfsh: still stopping; once more ends it at once")
			}
		}
	}()
}

// stuck ends the process where what runs does not end although it was told to. At a prompt SIGINT does not: there
// is somebody who can wait, or press it again.
func (sh *shell) stuck(cause error) {
	var sig *signalError
	switch stopped := errors.As(cause, &sig); {
	case stopped && sig.Signal == unix.SIGINT && sh.prompt.active():
		fmt.Fprintln(os.Stderr, "bpfsh: this cannot be stopped; Ctrl-C twice more ends bpfsh at once")
	case stopped:
		sh.die(sig.Signal)
	default:
		sh.flush()
		fmt.Fprintf(os.Stderr, "bpfsh: %v in something that cannot be stopped; what was deferred does not run\n", cause)
		os.Exit(statusFailure)
	}
}

// die ends the process at once, by the signal.
func (sh *shell) die(sig unix.Signal) {
	sh.flush()
	sh.prompt.restore()
	die(sig)
}

// flush writes out what was printed, and leaves what is drawn, if that can be done: what runs may be stuck in doing so.
func (sh *shell) flush() {
	done := make(chan struct{})
	go func() {
		sh.session.Flush() // there is nobody left to tell
		sh.output.End()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(time.Second / 10):
	}
}

// die ends the process by the signal itself, so that a shell's loop around it ends too.
func die(sig unix.Signal) {
	signal.Reset(sig)
	if sig == unix.SIGPIPE {
		os.Stdout.Write([]byte{'\n'}) // Go dies of it only where a write has brought it
	}
	unix.Kill(unix.Getpid(), sig)
	time.Sleep(time.Second) // it arrives at once, or is blocked
	os.Exit(128 + int(sig))
}
