//go:build !amd64 && !arm64

package tests

// sinkStack is for the assembly backend only.
func sinkStack(uintptr) { panic("no assembly here") }
