//go:build !race

package main

// raceEnabled turns limits of time off.
const raceEnabled = false
