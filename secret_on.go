//go:build goexperiment.runtimesecret && linux && (amd64 || arm64) && !race && !msan && !asan && go1.26 && !go1.28

package stackhop

import "runtime/secret"

// Code in runtime/secret.Do leaves nothing on the stacks that it has used: Do erases
// what is below it of g.stack when it returns. forget, wipeCopy and wipeReserve do so
// where Do does not: it does not return, or does not know of the memory.

// forget ends the secret mode of a body that Goexit or a cancel has ended within
// secret.Do, and erases what its frames have left below the caller's. The runtime
// does so when the goroutine ends (goexit0, proc.go, Go 1.26 and 1.27), which this
// one does not.
func (c *Coro) forget() {
	if peek32(c.g+gSecret) != 0 {
		poke32(c.g+gSecret, 0)
		secret.Do(func() {})
	}
}

// wipeCopy erases what memmove has copied of a stack in secret mode that is not to
// move after all: the copy goes to the runtime's free lists. used is what newstack
// wanted to copy.
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
