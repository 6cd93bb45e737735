// Package method holds the surface a script sees as data: one row for each function, method and
// attribute, with its name, its parameters, its doc and its body.
//
// Whatever lists or explains the surface (attribute lookup, help, completion, the README's reference,
// the test that each row has a doc) reads the rows, so that there is no second list to keep in step.
// It knows Starlark and nothing else.
package method
