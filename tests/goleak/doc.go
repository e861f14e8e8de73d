// Package goleak tests that programs with tasks pass go.uber.org/goleak, and fail it
// where they should. It is a module of its own, so that no user of the library gets
// the dependency.
package goleak
