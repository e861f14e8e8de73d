//go:build !(linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28)

package stackhop

func (c *Coro) current() bool { return c.port().current() }

func (c *Coro) mostLo() uintptr { return c.region.end() - MinRegion }

func (c *Coro) moveLo(uintptr) (most uintptr, ok bool) { return 0, true }

func (c *Coro) drop() bool { return false }
