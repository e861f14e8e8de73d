//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

//go:noescape
func moveWindow(c *Coro, lo uintptr) bool

func callerSP() uintptr

// current reports whether the caller is the body.
func (c *Coro) current() bool {
	if c.port() != nil {
		return c.port().current()
	}
	return getg() == c.g
}

// mostLo is the highest lower end of the region that leaves the caller its reserve.
func (c *Coro) mostLo() uintptr {
	if c.port() != nil {
		return c.region.end() - MinRegion
	}
	return callerSP() - ResizeReserve
}

// moveLo makes lo the lower end of the running window, or answers the highest
// that can be.
func (c *Coro) moveLo(lo uintptr) (most uintptr, ok bool) {
	if c.port() != nil || moveWindow(c, lo) {
		return 0, true
	}
	return c.mostLo(), false
}

// drop has the body, which is parked on a region, leave that.
func (c *Coro) drop() bool { return c.port() == nil && dropFrames(c) }
