// Package cgo is for tests of coroutines and C: bodies that call C, which calls
// Go back, and C that is below a whole coroutine. Without cgo it is empty.
package cgo
