// Package nest has a limit of package resume for tests to change.
package nest

// Max is how many Publish calls nest on one goroutine, of those that are counted,
// before the next suspension is published by the innermost of them. A test that
// compares the order of calls with that of a model which always nests raises it
// before the first task.
var Max = 4
