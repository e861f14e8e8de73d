//go:build !linux

package main

// openFiles has nothing to do: there is no Net to have them.
func openFiles(uint64) error { return nil }
