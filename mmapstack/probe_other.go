//go:build !linux

package mmapstack

// unusable cannot tell on this system.
func unusable(addr, n uintptr) string { return "" }
