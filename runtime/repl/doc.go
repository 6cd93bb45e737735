// Package repl is the prompt: it reads statements from a console, runs them in a session, and shows the values of
// expressions. It knows nothing of maps, and no script needs it.
//
// Run is the loop, over any Console. NewInteractive makes the Console of a terminal: an Editor, with a history,
// completion, hints and readline underneath, or a Plain, which writes nothing but text.
//
// What is typed comes in three kinds. Statements go to the session. Lines that begin with a dot or an exclamation
// mark are commands of the prompt itself, rows of one table; scripts have none of them. A name with a question mark
// behind it is explained.
//
// Completion finds out where in a statement the cursor is (scan, place), asks what may stand there (complete, callee,
// sources), and makes of it what is inserted or listed (listing). Names and attributes are looked at, and nothing is
// called. What only maps know comes from the values themselves, which may be Completers, and from Config.Sources.
//
// readline v1.5.1 panics on ordinary keys, in a goroutine of its own where nothing can recover, and leaves the
// terminal raw. So it never sees what a terminal sends: keyReader stands below it and lets only those keys through
// that it handles, and a paste comes to it as a single key. It never lists completions, and keeps no history file.
//
// Ctrl-Z does nothing while a line is edited, since readline would stop the parent process too. It works as ever
// while a statement runs.
package repl
