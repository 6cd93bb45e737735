// Package repl is the prompt: it reads statements from a console, runs them in a session, and shows the values of
// expressions. It knows nothing of maps, and no script needs it.
//
// Run is the loop, over any Console. NewEditor makes the Console of a terminal, with a history and with readline
// underneath.
//
// readline v1.5.1 panics on ordinary keys, in a goroutine of its own where nothing can recover, and leaves the
// terminal raw. So it never sees what a terminal sends: keyReader stands below it and lets only those keys through
// that it handles, and a paste comes to it as a single key. It never lists completions, and keeps no history file.
//
// Ctrl-Z does nothing while a line is edited, since readline would stop the parent process too. It works as ever
// while a statement runs.
package repl
