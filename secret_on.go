//go:build goexperiment.runtimesecret && linux && (amd64 || arm64) && !race && !msan && !asan && go1.26 && !go1.28

package stackhop

import "runtime/secret"

// Code in runtime/secret.Do leaves nothing on the stacks that it has used: when Do
// returns, it erases the part of g.stack below its frame. forget, wipeCopy and
// wipeReserve erase where Do cannot: if it does not return, or if it does not know of
// the memory.

// forget ends the secret mode of a body that Goexit or a cancel has ended within
// secret.Do, and erases what its frames have left below the caller's. The runtime
// does so when a goroutine ends (goexit0, proc.go, Go 1.26 and 1.27), but the body's
// goroutine goes on.
func (c *Coro) forget() {
	if peek32(c.g+gSecret) != 0 {
		poke32(c.g+gSecret, 0)
		secret.Do(func() {})
	}
}

// wipeCopy erases memmove's copy of a stack in secret mode. That stack does not move, so
// the copy goes to the runtime's free lists. used is how many bytes newstack wanted to
// copy.
func wipeCopy(g uintptr, now extent, used uintptr) {
	if peek32(g+gSecret) != 0 {
		wipe(max(now.lo, now.hi-used), now.hi)
	}
}

// wipeReserve erases [lo, hi), which an overflow in secret mode has used, before the
// window leaves it.
func (c *Coro) wipeReserve(lo, hi uintptr) {
	if peek32(c.g+gSecret) != 0 {
		wipe(lo, hi)
	}
}

func wipe(lo, hi uintptr) {
	for p := lo; p < hi; p += 8 {
		poke64(p, 0)
	}
}
