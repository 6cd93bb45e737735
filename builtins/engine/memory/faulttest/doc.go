// Package faulttest is for tests of what an error does: an engine in which a chosen call of a chosen operation fails,
// and all others go through.
//
// A test runs a script once without a fault and asks Calls how often it has called each of Operations; then it runs
// the script again for each call, with a Fault there, and looks whether the script has told of it.
package faulttest
