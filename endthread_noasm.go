//go:build !linux || (!amd64 && !arm64) || race || msan || asan || !go1.25 || go1.28

package stackhop

// EndsThread is for the body of c: it reports whether the body's end would end an OS
// thread that the body has locked, so that the owner goes on on another one. Here it
// returns false: each body has a goroutine to itself, and a thread that the body has
// locked ends with that goroutine. It is never the owner's.
func (c *Coro) EndsThread() bool { return false }
