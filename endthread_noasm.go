//go:build !linux || (!amd64 && !arm64) || race || msan || asan || !go1.25 || go1.28

package stackhop

// EndsThread reports whether the end of the body, which must be the caller, ends an
// OS thread that it has locked, and the owner goes on on another one. Here each body
// has a goroutine to itself, and a thread that is locked ends with that: it is never
// the owner's.
func (c *Coro) EndsThread() bool { return false }
