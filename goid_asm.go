//go:build amd64 || arm64 || riscv64

package stackhop

// getg answers the address of the current g. A g is never moved or freed by
// the runtime, only reused after its goroutine has ended.
func getg() uintptr

// goroutineID identifies the calling goroutine while it lives.
func goroutineID() uintptr { return getg() }
