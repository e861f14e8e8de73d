//go:build !goexperiment.runtimesecret && linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

func (c *Coro) forget()                            {}
func wipeCopy(g uintptr, now extent, used uintptr) {}
func (c *Coro) wipeReserve(lo, hi uintptr)         {}
