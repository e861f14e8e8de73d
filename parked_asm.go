//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

// ParkedSP returns the stack pointer of the body of c, which is parked on its
// region: below it nothing lives. It is the owner's to call. It returns 0 while
// the body runs, and for a body that is on no region.
func (c *Coro) ParkedSP() uintptr {
	if c.edge == 0 || c.port() != nil || c.g == notEnterable || c.g == getg() {
		return 0
	}
	sp := peek64(c.g + gSchedSP)
	if r := c.Region(); sp < r.Lo || sp > r.Top {
		return 0
	}
	return sp
}
