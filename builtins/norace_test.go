//go:build !race

package builtins_test

// raceDetector says that the size of the process means nothing.
const raceDetector = false
