//go:build !race

package repl

// raceDetector says that time limits mean nothing.
const raceDetector = false
